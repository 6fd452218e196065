"""Applications are taken once per mailbox and program, and a stranger learns nothing from our answer."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from partners import applications, drafts, sending, tokens
from partners.application_forms.definition import read
from partners.choices import ApplicationState, MembershipState, TeamRole
from partners.events import ApplicationCounts, ApplicationSubmitted
from partners.models import Acceptance, Application, TermsVersion
from partners.sending import Answers
from prm.audit.models import AuditEvent
from prm.lib.events import subscribed
from prm.mail.models import OutgoingMail
from tests.factories.partners import (
    ApplicationFactory,
    MemberFactory,
    MembershipFactory,
    TermsVersionFactory,
)
from tests.factories.prm import UserFactory
from tests.factories.tiers import ProgramFactory
from tiers.models import Program

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # a Friday
ANSWERS = Answers(
    full_name="Ana Lima",
    email="Ana@Lima.example",
    phone="+351 21 000 0000",
    company="Lima Reviews",
    country="Portugal",
    website="https://lima.example",
    audience="9,000 readers",
    how_promote="With a comparison page and a newsletter.",
    language="pl",
)


@pytest.fixture
def terms() -> TermsVersion:
    return TermsVersionFactory(published=True)


@pytest.fixture
def program(terms: TermsVersion) -> Program:
    return terms.program


def submit(
    program: Program, terms: TermsVersion, answers: Answers = ANSWERS, at: datetime = NOW
) -> Application:
    return sending.submit(program, answers=answers, terms=terms, at=at, address="203.0.113.7")[0]


def begin(program: Program, answers: Answers = ANSWERS, at: datetime = NOW) -> str:
    """Fill in a draft to the end and return its word."""
    draft, word = drafts.begin(program, at=at, language=answers.language)
    definition = read(draft.form.definition)  # type: ignore[union-attr]
    for step in ("you", "audience"):
        given = {each.key for each in definition.questions if each.step == step}
        cleaned = {name: value for name, value in asdict(answers).items() if name in given}
        drafts.save(
            draft,
            definition=definition,
            step=step,
            cleaned=cleaned,
            files={},
            language=answers.language,
            at=at,
        )
    return word


def receive(
    program: Program,
    terms: TermsVersion,
    answers: Answers = ANSWERS,
    at: datetime = NOW,
    address: str = "203.0.113.7",
) -> sending.Receipt:
    return sending.receive(begin(program, answers, at), terms=terms, at=at, address=address)


def test_an_application_is_stored_with_the_acceptance_a_mail_and_an_audit_event(
    program: Program, terms: TermsVersion
) -> None:
    application, token = sending.submit(
        program, answers=ANSWERS, terms=terms, at=NOW, address="203.0.113.7", source="fair"
    )
    assert application.state == ApplicationState.SUBMITTED
    assert application.email_folded == "ana@lima.example"
    assert (application.submitted_at, application.email_confirmed_at) == (NOW, None)
    assert token not in {application.token_sha256, application.public_id}
    acceptance = Acceptance.objects.get()
    assert (acceptance.application, acceptance.text_sha256) == (application, terms.sha256)
    assert (acceptance.accepted_name, acceptance.address) == ("Ana Lima", "203.0.113.7")
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.to, mail.language) == ("application_confirm", "Ana@Lima.example", "pl")
    assert f"/application/{token}/" in mail.text
    assert application.public_id in mail.text
    assert AuditEvent.objects.filter(action="application.submitted", object_pk=str(application.pk)).exists()


@pytest.mark.django_db(transaction=True)
def test_the_news_is_told_after_the_commit(program: Program, terms: TermsVersion) -> None:
    heard: list[int] = []
    with subscribed(ApplicationSubmitted, lambda event: heard.append(event.application_id)):
        application = submit(program, terms)
    assert heard == [application.pk]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (datetime(2026, 11, 20, 12, tzinfo=UTC), date(2026, 11, 27)),  # Friday: Mon 23, Tue, Wed, Thu, Fri 27
        (datetime(2026, 11, 21, 12, tzinfo=UTC), date(2026, 11, 27)),  # Saturday counts from Monday 23
        (datetime(2026, 11, 23, 12, tzinfo=UTC), date(2026, 11, 30)),  # Monday: Tue 24 to Fri 27, Mon 30
        (datetime(2026, 6, 30, 23, 30, tzinfo=UTC), date(2026, 7, 8)),  # in London it is Wednesday 1 July
    ],
)
def test_the_decision_is_promised_in_working_days(sent: datetime, expected: date) -> None:
    assert applications.decide_on(ProgramFactory.build(decision_days=5), sent) == expected


def test_a_closed_program_takes_nothing(program: Program, terms: TermsVersion) -> None:
    program.is_open = False
    with pytest.raises(applications.ProgramClosed):
        submit(program, terms)
    assert not Application.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_terms_that_have_changed_meanwhile_must_be_accepted_again(
    program: Program, terms: TermsVersion
) -> None:
    TermsVersionFactory(published=True, program=program, effective_at=NOW - timedelta(minutes=1))
    with pytest.raises(applications.TermsChanged):
        submit(program, terms)
    assert not Application.objects.exists()


def test_a_mailbox_has_one_undecided_application_per_program(program: Program, terms: TermsVersion) -> None:
    first = submit(program, terms)
    with pytest.raises(applications.AlreadyApplied) as refusal:
        submit(program, terms, replace(ANSWERS, email=" ANA@LIMA.EXAMPLE"))
    assert refusal.value.application == first
    other = TermsVersionFactory(published=True)
    assert submit(other.program, other).pk != first.pk


def test_a_member_of_the_program_needs_no_application(program: Program, terms: TermsVersion) -> None:
    member = MemberFactory(user=UserFactory(email="ana@lima.example"), role=TeamRole.READ_ONLY)
    membership = MembershipFactory(partner=member.partner, program=program)
    with pytest.raises(applications.AlreadyMember):
        submit(program, terms)
    type(membership).objects.filter(pk=membership.pk).update(state=MembershipState.ENDED, ended_at=NOW)
    assert submit(program, terms).state == ApplicationState.SUBMITTED


def test_who_was_declined_may_come_back_on_the_day_named(program: Program, terms: TermsVersion) -> None:
    ApplicationFactory(
        program=program,
        email="ana@lima.example",
        state=ApplicationState.REJECTED,
        decided_at=NOW,
        decided_by=UserFactory(),
        reapply_on=date(2026, 12, 1),
    )
    with pytest.raises(applications.NotYet):
        submit(program, terms, at=datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    assert submit(program, terms, at=datetime(2026, 12, 1, 0, 0, tzinfo=UTC)).pk


def test_a_known_mailbox_gets_the_same_answer_and_the_truth_by_mail(
    program: Program, terms: TermsVersion
) -> None:
    first = submit(program, terms)
    receipt = receive(program, terms)
    assert receipt.decide_on == date(2026, 11, 27)
    assert receipt.reference != first.public_id
    assert Application.objects.get() == first  # the draft is gone
    mail = OutgoingMail.objects.get(kind="application_repeated")
    assert mail.to == "Ana@Lima.example"
    assert f"/application/{tokens.status_token(first)}/" in mail.text
    receive(program, terms, at=NOW + timedelta(hours=2))
    assert (
        OutgoingMail.objects.filter(kind="application_repeated").count() == 1
    )  # one a day, however often it is asked


@pytest.mark.parametrize("typed", ["\u212aim@lima.example", "kim@\u017fhop.example"])
@pytest.mark.parametrize("known", ["application", "member"])
def test_the_truth_goes_to_the_mailbox_we_know_and_not_to_a_look_alike(
    program: Program, terms: TermsVersion, known: str, typed: str
) -> None:
    """The Kelvin sign folds to k and the long s to s, yet both are letters of other mailboxes."""
    ours = "kim@lima.example" if "lima" in typed else "kim@shop.example"
    if known == "application":
        submit(program, terms, replace(ANSWERS, email=ours))
    else:
        membership = MembershipFactory(program=program)
        MemberFactory(partner=membership.partner, user__email=ours)
    receive(program, terms, replace(ANSWERS, email=typed))
    assert OutgoingMail.objects.get(kind="application_repeated").to == ours


@pytest.mark.parametrize("is_known", [False, True])
def test_the_same_draft_sent_again_gets_the_same_receipt(
    program: Program, terms: TermsVersion, is_known: bool
) -> None:
    if is_known:
        ApplicationFactory(program=program, email="ana@lima.example")
    word = begin(program)
    receipts = {
        sending.receive(word, terms=terms, at=NOW + timedelta(minutes=minute), address="203.0.113.7")
        for minute in range(3)
    }
    assert len(receipts) == 1
    assert Application.objects.count() == 1
    assert OutgoingMail.objects.count() == 1


def test_a_word_we_did_not_make_sends_nothing(program: Program, terms: TermsVersion) -> None:
    word = begin(program)
    for wrong in (word[:-1], word[:26] + "x" * 43, "é" * 69, "", "x" * 26):
        with pytest.raises(drafts.DraftGone):
            sending.receive(wrong, terms=terms, at=NOW)
    assert Application.objects.get().state == ApplicationState.DRAFT


def test_a_draft_that_is_not_finished_is_not_sent(program: Program, terms: TermsVersion) -> None:
    _draft, word = drafts.begin(program, at=NOW, language="en")
    with pytest.raises(sending.NotComplete):
        sending.receive(word, terms=terms, at=NOW)
    assert not OutgoingMail.objects.exists()


def test_an_address_that_tries_too_often_is_told_when_to_come_back(
    program: Program, terms: TermsVersion
) -> None:
    for number in range(5):
        receive(program, terms, replace(ANSWERS, email=f"a{number}@x.example"))
    for minute in range(5):
        receive(program, terms, replace(ANSWERS, email="a0@x.example"), at=NOW + timedelta(minutes=minute))
    later = NOW + timedelta(minutes=10)
    with pytest.raises(applications.TooManyTries) as refusal:
        receive(program, terms, replace(ANSWERS, email="new@x.example"), at=later)
    assert "13:01" in str(refusal.value)  # the oldest of the ten was at 12:00
    sent = Application.objects.filter(submitted_at__isnull=False)
    assert sent.count() == 5
    receive(program, terms, replace(ANSWERS, email="new@x.example"), at=later, address="203.0.113.8")
    receive(program, terms, at=NOW + timedelta(minutes=62))
    assert sent.count() == 7


def test_the_link_in_the_mail_confirms_the_address_once(program: Program, terms: TermsVersion) -> None:
    application, token = sending.submit(program, answers=ANSWERS, terms=terms, at=NOW)
    assert application.counts_since is None
    assert not Application.objects.waiting_for_us().exists()
    assert applications.confirm_email("wrong", NOW) is None
    confirmed = applications.confirm_email(token, NOW + timedelta(minutes=5))
    assert confirmed is not None
    assert confirmed.email_confirmed_at == NOW + timedelta(minutes=5)
    applications.confirm_email(token, NOW + timedelta(days=1))
    application.refresh_from_db()
    assert application.email_confirmed_at == NOW + timedelta(minutes=5)
    assert AuditEvent.objects.filter(action="application.email_confirmed").count() == 1
    assert list(Application.objects.waiting_for_us()) == [application]
    mail = OutgoingMail.objects.get(kind="application_received")
    # Friday 20 November and five working days; the date is written in Polish.
    assert "27 listopada 2026" in mail.text


def test_the_status_link_survives_a_rotation_of_the_secret_key(settings: object) -> None:
    application = ApplicationFactory()
    old = tokens.status_token(application)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]  # type: ignore[attr-defined]
    settings.SECRET_KEY = "another-" + "x" * 40  # type: ignore[attr-defined]
    assert tokens.status_token(application) == old
    settings.SECRET_KEY_FALLBACKS = []  # type: ignore[attr-defined]
    fresh = tokens.status_token(application)
    assert fresh != old
    found = applications.by_token(fresh, at=NOW)
    assert found == application


def test_a_reply_sends_the_application_back_to_us() -> None:
    application = ApplicationFactory(state=ApplicationState.INFO_REQUESTED)
    message = applications.reply(application, "  It is the Monday letter.  ", NOW)
    application.refresh_from_db()
    assert application.state == ApplicationState.IN_REVIEW
    assert (message.text, message.written_by_id, message.written_at) == (
        "It is the Monday letter.",
        None,
        NOW,
    )
    with pytest.raises(applications.NothingWritten):
        applications.reply(application, " \n ", NOW)
    assert application.messages.count() == 1


def test_twenty_replies_a_day_are_enough() -> None:
    application = ApplicationFactory()
    for number in range(20):
        applications.reply(application, f"And {number}.", NOW + timedelta(minutes=number))
    with pytest.raises(applications.TooManyMessages, match="20 messages within a day"):
        applications.reply(application, "And one more.", NOW + timedelta(hours=23))
    assert application.messages.count() == 20
    applications.reply(application, "Good morning.", NOW + timedelta(days=1))


@pytest.mark.parametrize("is_member", [False, True])
def test_the_record_of_a_repeated_application_names_no_network_and_the_limit_still_holds(
    program: Program, terms: TermsVersion, is_member: bool
) -> None:
    if is_member:
        member = MemberFactory(user=UserFactory(email="ana@lima.example"))
        MembershipFactory(program=program, partner=member.partner)
    else:
        submit(program, terms)
    receive(program, terms)
    details = AuditEvent.objects.get(action="application.repeated").details
    assert "203.0.113.7" not in str(details)
    assert details["why"] == ("member" if is_member else "waiting")
    for _again in range(9 if is_member else 8):
        receive(program, terms)
    with pytest.raises(applications.TooManyTries):
        receive(program, terms)


def test_a_withdrawn_application_is_closed_for_good() -> None:
    application = ApplicationFactory()
    assert applications.withdraw(application, NOW).state == ApplicationState.WITHDRAWN
    for verb in (
        lambda: applications.withdraw(application, NOW),
        lambda: applications.reply(application, "x", NOW),
    ):
        with pytest.raises(applications.AlreadyDecided):
            verb()
    assert application.messages.count() == 0
    assert AuditEvent.objects.filter(action="application.withdrawn").count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_is_told_once_that_an_application_counts(program: Program, terms: TermsVersion) -> None:
    heard: list[int] = []
    application, token = sending.submit(program, answers=ANSWERS, terms=terms, at=NOW)
    with subscribed(ApplicationCounts, lambda event: heard.append(event.application_id)):
        for _each in range(2):
            applications.confirm_email(token, NOW)
    assert heard == [application.pk]


def test_a_closed_application_is_not_confirmed_any_more(program: Program, terms: TermsVersion) -> None:
    application, token = sending.submit(program, answers=ANSWERS, terms=terms, at=NOW)
    applications.withdraw(application, NOW)
    applications.confirm_email(token, NOW)
    application.refresh_from_db()
    assert application.email_confirmed_at is None


def test_the_link_opens_a_closed_application_for_ninety_days() -> None:
    application = ApplicationFactory(created_at=NOW - timedelta(days=400))
    token = tokens.status_token(application)
    assert applications.by_token(token, at=NOW) == application  # undecided: as long as it takes
    applications.withdraw(application, NOW)
    assert applications.by_token(token, at=NOW + timedelta(days=89)) == application
    assert applications.by_token(token, at=NOW + timedelta(days=90)) is None
