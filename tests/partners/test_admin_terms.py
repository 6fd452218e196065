"""Terms, amendments and questions about clauses in the back office: what a page says before something is done, and who may do it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from partners import clause_questions, terms
from partners.models import Amendment, ClauseQuestion, Membership, TermsVersion
from tests.desk import at_desk, links, words
from tests.factories.partners import MemberFactory, MembershipFactory, TermsVersionFactory
from tests.factories.recruiting import ClauseQuestionFactory
from tests.people import ada, ana, fiona, mats

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def membership() -> Membership:
    made: Membership = MembershipFactory(program__time_zone="UTC", partner__name="Prado")
    MemberFactory(partner=made.partner, user=ana())
    TermsVersionFactory(published=True, program=made.program, number=1)
    return made


def url(name: str, *args: object) -> str:
    return reverse(f"admin:partners_{name}", args=args)


def draft_of(membership: Membership, **values: object) -> TermsVersion:
    draft = terms.draft_from_current(membership.program, by=ada(), at=timezone.now())
    return terms.edit(draft, values=values, by=ada(), at=timezone.now())


def test_the_page_before_publishing_says_whom_it_asks_what_differs_and_shows_the_mail(
    membership: Membership,
) -> None:
    draft = draft_of(membership, support="By phone.")
    address = url("termsversion_publish", draft.pk)
    text = words(at_desk(ada()).get(address))
    assert "1 member is asked to accept it" in text and "payments wait until somebody does" in text
    assert "These sections say something else: Support offered" in text
    assert "Hello Ana Prado" in text and "- Support offered" in text
    assert at_desk(mats()).get(address).status_code == 403
    soon = (datetime.now(UTC) + 3 * DAY).date()
    early = at_desk(ada()).post(address, {"effective_on": soon})
    assert early.status_code == 422 and "Members have to hear of it 30 days before." in words(early)
    fine = (datetime.now(UTC) + 31 * DAY).date()
    at_desk(ada()).post(address, {"effective_on": fine})
    draft.refresh_from_db()
    assert draft.state == "published" and draft.effective_at is not None
    assert draft.effective_at.date() == fine


def test_a_draft_with_an_empty_section_says_which_and_is_not_published(membership: Membership) -> None:
    draft = draft_of(membership, support=" ")
    desk = at_desk(ada())
    assert "These sections say nothing: Support offered" in words(
        desk.get(url("termsversion_change", draft.pk))
    )
    page = desk.get(url("termsversion_publish", draft.pk))
    assert "It cannot be published yet." in words(page) and "Publish version 2" not in words(page)
    answer = desk.post(url("termsversion_publish", draft.pk), {"effective_on": ""})
    assert answer.status_code == 422
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_a_published_version_is_read_compared_and_followed_by_a_draft(membership: Membership) -> None:
    desk = at_desk(ada())
    first = TermsVersion.objects.get()
    text = words(desk.get(url("termsversion_change", first.pk)))
    assert "Members who have not accepted it yet 1" in text and first.sha256 in text
    answer = desk.post(url("termsversion_draft", first.pk))
    draft = TermsVersion.objects.get(number=2)
    assert answer["Location"] == url("termsversion_change", draft.pk)
    terms.edit(draft, values={"pricing": "Commission is a share."}, by=ada(), at=timezone.now())
    compared = desk.get(url("termsversion_compare", draft.pk), {"before": first.pk, "after": draft.pk})
    assert "Version 1 against version 2" in words(compared) and b"<ins>share." in compared.content
    assert at_desk(mats()).post(url("termsversion_draft", first.pk)).status_code == 403


def test_an_amendment_goes_from_draft_to_proposal_and_back(membership: Membership) -> None:
    desk = at_desk(mats())
    assert url("amendment_agreement", membership.pk) in links(
        desk.get(url("membership_change", membership.pk))
    )
    new = url("amendment_new", membership.pk)
    assert desk.post(new, {"title": "", "text": "x"}).status_code == 422
    desk.post(new, {"title": "Exclusive", "text": "Only Ana."})
    amendment = Amendment.objects.get()
    row = url("amendment_change", amendment.pk)
    desk.post(row, {"title": "Exclusive", "text": "Only Ana, in Portugal."})
    assert "Nothing changes until one of them accepts." in words(
        desk.get(url("amendment_propose", amendment.pk))
    )
    desk.post(url("amendment_propose", amendment.pk))
    amendment.refresh_from_db()
    assert (amendment.state, amendment.text) == ("proposed", "Only Ana, in Portugal.")
    assert "1. Exclusive" in words(desk.get(url("amendment_agreement", membership.pk)))
    desk.post(url("amendment_withdraw", amendment.pk))
    amendment.refresh_from_db()
    assert amendment.state == "withdrawn"
    finance = at_desk(fiona())
    assert finance.get(new).status_code == 403 and finance.get(row).status_code == 200
    assert finance.post(row, {"title": "T", "text": "x"}).status_code == 403


def test_questions_wait_on_the_front_page_and_are_answered_beside_their_section(
    membership: Membership,
) -> None:
    version = TermsVersion.objects.get()
    answered: ClauseQuestion = ClauseQuestionFactory(terms_version=version, text="And before?")
    clause_questions.answer(answered, text="As ever.", by=mats(), at=timezone.now())
    question: ClauseQuestion = ClauseQuestionFactory(terms_version=version)
    desk = at_desk(mats())
    assert "question about terms to answer" in words(desk.get(reverse("admin:index")))
    listed = words(desk.get(url("clausequestion_changelist"), {"waits": "us"}))
    assert question.text in listed and "And before?" not in listed
    row = url("clausequestion_change", question.pk)
    text = words(desk.get(row))
    assert version.pricing in text and "As ever." in text
    assert at_desk(fiona()).post(row, {"text": "No."}).status_code == 403
    assert desk.post(row, {"text": ""}).status_code == 422
    desk.post(row, {"text": "Without shipping."})
    question.refresh_from_db()
    assert (question.answer, question.answered_by) == ("Without shipping.", mats())


def test_the_plans_own_sentences_begin_the_text_about_pricing_once(membership: Membership) -> None:
    from tests.house import open_house

    program = open_house(percent="10").program
    draft = terms.draft(program, sections={"pricing": "And more."}, by=ada(), at=timezone.now())
    desk = at_desk(ada())
    for _each in range(2):
        desk.post(url("termsversion_pricing", draft.pk))
    draft.refresh_from_db()
    assert draft.pricing.startswith("10% of every order.") and draft.pricing.endswith("\n\nAnd more.")
    assert draft.pricing.count("10% of every order.") == 1
