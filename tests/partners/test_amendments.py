"""Amendments and questions about clauses: who may do what, once, and who hears of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from partners import amendments, clause_questions, terms, terms_archive
from partners.choices import AmendmentState
from partners.models import Amendment, Membership, TermsVersion
from partners.team import NotYours
from prm import documents
from prm.accounts.policy import Forbidden
from prm.mail.models import OutgoingMail
from tests.factories.partners import (
    ApplicationFactory,
    MemberFactory,
    MembershipFactory,
    TermsVersionFactory,
)
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def membership() -> Membership:
    made: Membership = MembershipFactory(joined_at=NOW - timedelta(days=30), program__time_zone="UTC")
    MemberFactory(partner=made.partner, user=ana())
    return made


@pytest.fixture
def version(membership: Membership) -> TermsVersion:
    made: TermsVersion = TermsVersionFactory(published=True, program=membership.program)
    return made


def propose(membership: Membership) -> Amendment:
    return amendments.propose(
        membership,
        title="  Exclusive   in Portugal ",
        text="Only Ana.\r\n",
        effective_on=None,
        by=mats(),
        at=NOW,
    )


def test_a_proposal_is_read_by_owners_and_its_acceptance_names_the_text(membership: Membership) -> None:
    amendment = propose(membership)
    assert (amendment.number, amendment.title, amendment.text) == (1, "Exclusive in Portugal", "Only Ana.")
    mail = OutgoingMail.objects.get(kind="amendment_proposed")
    assert mail.to == "ana@studio.example" and amendment.public_id in mail.text
    with pytest.raises(amendments.Altered):
        amendments.accept(amendment, shown="0" * 64, by=ana(), at=NOW)
    accepted = amendments.accept(amendment, shown=amendment.sha256, by=ana(), at=NOW, address="192.0.2.1")
    assert (accepted.state, accepted.answered_by, accepted.address) == ("accepted", ana(), "192.0.2.1")
    assert accepted.sha256 == amendments.fingerprint(accepted)
    assert "accepted: Exclusive in Portugal" in OutgoingMail.objects.get(kind="amendment_answered").subject
    with pytest.raises(amendments.NotProposed):
        amendments.decline(amendment, note="Too late", by=ana(), at=NOW)


def test_a_decline_needs_a_note_and_comes_back_to_who_proposed(membership: Membership) -> None:
    amendment = propose(membership)
    with pytest.raises(amendments.NoNote):
        amendments.decline(amendment, note="  ", by=ana(), at=NOW)
    amendments.decline(amendment, note="We want Spain too.", by=ana(), at=NOW)
    mail = OutgoingMail.objects.get(kind="amendment_answered")
    assert mail.to == mats().email and "We want Spain too." in mail.text and "declined" in mail.subject


def test_only_staff_who_manage_partners_propose_and_only_owners_answer(membership: Membership) -> None:
    with pytest.raises(Forbidden):
        amendments.draft(membership, title="T", text="x", effective_on=None, by=fiona(), at=NOW)
    amendment = propose(membership)
    finance = MemberFactory(partner=membership.partner, role="finance").user
    for person in (finance, mats()):
        with pytest.raises(NotYours):
            amendments.accept(amendment, shown=amendment.sha256, by=person, at=NOW)
        with pytest.raises(NotYours):
            amendments.decline(amendment, note="No", by=person, at=NOW)


def test_a_draft_is_edited_and_a_date_that_is_over_is_not_proposed(membership: Membership) -> None:
    draft = amendments.draft(membership, title="T", text="x", effective_on=None, by=mats(), at=NOW)
    yesterday = date(2026, 11, 19)
    draft = amendments.edit(draft, title="T2", text="y", effective_on=yesterday, by=mats(), at=NOW)
    with pytest.raises(amendments.NotAheadOfUs):
        amendments.offer(draft, by=mats(), at=NOW)
    assert not amendments.shown_to_partner(membership).exists()
    amendments.edit(draft, title="T2", text="y", effective_on=date(2026, 11, 20), by=mats(), at=NOW)
    offered = amendments.offer(draft, by=mats(), at=NOW)
    with pytest.raises(amendments.NotADraft):
        amendments.edit(offered, title="T3", text="z", effective_on=None, by=mats(), at=NOW)
    assert amendments.withdraw(offered, by=mats(), at=NOW).state == AmendmentState.WITHDRAWN


def test_an_addendum_of_an_invitation_is_kept_as_accepted(membership: Membership) -> None:
    kept = amendments.accept_for(
        membership,
        title="From the invitation",
        text="10 % in the first year.",
        effective_on=None,
        proposed_by=mats(),
        proposed_at=NOW - timedelta(days=3),
        by=ana(),
        at=NOW,
    )
    assert (kept.state, kept.proposed_by, kept.answered_by) == ("accepted", mats(), ana())
    assert not OutgoingMail.objects.exists()


def test_an_applicant_asks_is_answered_and_led_back_and_cannot_accept_before(version: TermsVersion) -> None:
    draft = ApplicationFactory(
        program=version.program, state="draft", submitted_at=None, language="en", email="new@x.example"
    )
    ask = {"version": version, "section": "pricing", "at": NOW}
    question = clause_questions.ask_as_applicant(draft, text="With shipping?", **ask)
    assert list(clause_questions.open_of(draft)) == [question]
    given = {"name": "New", "email": "new@x.example", "at": NOW, "application": draft}
    with pytest.raises(terms.QuestionOpen):
        terms.accept(version, **given)
    with pytest.raises(Forbidden):
        clause_questions.answer(question, text="No.", by=fiona(), at=NOW)
    with pytest.raises(clause_questions.NothingAnswered):
        clause_questions.answer(question, text=" ", by=mats(), at=NOW)
    clause_questions.answer(question, text="Without.", by=mats(), at=NOW)
    with pytest.raises(clause_questions.Closed):
        clause_questions.answer(question, text="With.", by=mats(), at=NOW)
    mail = OutgoingMail.objects.get(kind="terms_question_answered")
    assert mail.to == "new@x.example" and "/application/draft/" in mail.text
    assert "“Pricing and commission”" in mail.text and "Without." in mail.text
    assert terms.accept(version, **given).application == draft


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"text": " "}, clause_questions.NothingAsked),
        ({"text": "x" * 2001}, clause_questions.NothingAsked),
        ({"section": "weather"}, clause_questions.NoSection),
    ],
)
def test_a_question_needs_a_section_and_words(
    version: TermsVersion, membership: Membership, values: dict[str, str], refusal: type[Exception]
) -> None:
    given = {"section": "support", "text": "When?", **values}
    with pytest.raises(refusal):
        clause_questions.ask(membership, version=version, by=ana(), at=NOW, **given)


def test_who_is_not_of_the_team_asks_and_withdraws_nothing(
    version: TermsVersion, membership: Membership
) -> None:
    given = {"version": version, "section": "support", "text": "When?", "at": NOW}
    reader = MemberFactory(partner=membership.partner, role="read_only").user
    for person in (mats(), reader):
        with pytest.raises(clause_questions.NotYours):
            clause_questions.ask(membership, by=person, **given)
    with pytest.raises(clause_questions.NotThese):
        other = TermsVersionFactory(published=True)
        clause_questions.ask(membership, by=ana(), **{**given, "version": other})
    for _each in range(5):
        question = clause_questions.ask(membership, by=ana(), **given)
    with pytest.raises(clause_questions.TooMany):
        clause_questions.ask(membership, by=ana(), **given)
    for thief in ({"by": mats()}, {"application": ApplicationFactory()}):
        with pytest.raises(clause_questions.NotYours):
            clause_questions.withdraw(question, at=NOW, **thief)
    clause_questions.withdraw(question, by=ana(), at=NOW)
    assert clause_questions.waiting().count() == 4


@pytest.mark.needs_pango
def test_the_agreement_holds_text_acceptances_amendments_and_answers_in_the_readers_language(
    version: TermsVersion, membership: Membership
) -> None:
    terms.accept(version, name="Ana Prado", email="ana@studio.example", at=NOW, membership=membership)
    amendment = propose(membership)
    amendments.accept(amendment, shown=amendment.sha256, by=ana(), at=NOW)
    page = terms_archive.agreement_page(membership, at=NOW)
    assert page.acceptances[0].facts[0] == ("Accepted by", "Ana Prado")
    assert page.amendments[0].text == "Only Ana." and page.sha256 == version.sha256
    assert [part.heading for part in page.parts][:2] == ["In plain words", "Pricing and commission"]
    assert terms_archive.agreement_pdf(membership, at=NOW).startswith(b"%PDF")


@pytest.mark.needs_pango
def test_a_version_is_drawn_once_and_a_draft_never(
    version: TermsVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = terms_archive.version_pdf(version)
    version.refresh_from_db()
    assert version.pdf_sha256
    monkeypatch.setattr(documents, "draw", lambda *args, **values: pytest.fail("drawn again"))
    assert terms_archive.version_pdf(TermsVersion.objects.get(pk=version.pk)) == first
    with pytest.raises(terms.NotPublished):
        terms_archive.version_pdf(TermsVersionFactory(program=version.program))
