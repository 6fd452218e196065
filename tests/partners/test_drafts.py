"""A draft belongs to whoever holds its word, lasts a month, and the link we mail proves the mailbox it was sent to."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.storage import default_storage

from partners import applications, applying_sweep, drafts, entering, sending, tokens, uploads
from partners.application_forms import publishing
from partners.application_forms.definition import Choice, Definition, Question, read
from partners.choices import ApplicationState
from partners.events import ApplicationCounts
from partners.models import Acceptance, Application, TermsVersion
from prm.accounts.policy import Forbidden
from prm.lib.events import subscribed
from prm.mail.models import OutgoingMail
from tests.factories.partners import ApplicationFactory, ApplicationMessageFactory, TermsVersionFactory
from tests.factories.recruiting import FormVersionFactory
from tests.people import ada, fiona, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
YOU = {"full_name": "Ana Lima", "email": "ana@lima.example", "phone": "+351 21 000 0000"}
BOTH = Definition(
    (
        *(Question(key=key, kind="standard", step="you", required=True) for key in YOU),
        Question(key="kit", kind="file", step="audience", required=True, label={"en": "Media kit"}),
    ),
    ("affiliate", "agency"),
)


@pytest.fixture
def terms() -> TermsVersion:
    return TermsVersionFactory(published=True)


def begun(terms: TermsVersion, **you: str) -> tuple[Application, str]:
    draft, word = drafts.begin(terms.program, at=NOW, language="en")
    return save(draft, "you", {**YOU, **you}), word


def save(
    draft: Application, step: str, cleaned: dict[str, object], **files: list[uploads.Upload]
) -> Application:
    definition = read(draft.form.definition)  # type: ignore[union-attr]
    return drafts.save(
        draft, definition=definition, step=step, cleaned=cleaned, files=files, language="en", at=NOW
    )


def mailed(kind: str = "draft_saved") -> str:
    text = OutgoingMail.objects.filter(kind=kind).latest("pk").text
    [token] = set(re.findall(r"/application/draft/([^\s/]+)/", text))
    return token


def test_a_draft_is_opened_by_its_word_and_by_nothing_else(terms: TermsVersion) -> None:
    draft, word = begun(terms)
    assert drafts.find(word) == draft
    for wrong in (draft.public_id, draft.token_sha256, word[:-1], tokens.first_status_token(draft.public_id)):
        assert drafts.find(wrong) is None
    assert applications.by_token(word, at=NOW) is None  # it is no status link, before sending or after
    save(draft, "audience", {})
    sending.receive(word, terms=terms, at=NOW)
    assert drafts.find(word) is None
    assert applications.by_token(word, at=NOW) is None


def test_the_mailed_link_proves_the_mailbox_and_then_the_application_counts_at_once(
    terms: TermsVersion,
) -> None:
    draft, word = begun(terms)
    drafts.mail_link(draft, at=NOW)
    token = mailed()
    assert token.startswith(word)
    assert drafts.open_mailed(word, at=NOW) is not None  # the word alone goes on, and proves nothing
    draft.refresh_from_db()
    assert draft.email_confirmed_at is None
    opened = drafts.open_mailed(token, at=NOW)
    assert opened is not None and opened[1] == word
    save(draft, "audience", {})
    sending.receive(word, terms=terms, at=NOW)
    assert Application.objects.get().counts_since == NOW
    assert set(OutgoingMail.objects.values_list("kind", flat=True)) == {"draft_saved", "application_received"}


def test_another_address_has_to_be_proven_again(terms: TermsVersion) -> None:
    draft, _word = begun(terms)
    drafts.mail_link(draft, at=NOW)
    token = mailed()
    drafts.open_mailed(token, at=NOW)
    draft = save(draft, "you", {**YOU, "email": "eve@x.example"})
    assert draft.email_confirmed_at is None
    drafts.open_mailed(token, at=NOW)  # sealed for the first address
    draft.refresh_from_db()
    assert draft.email_confirmed_at is None


def test_a_mailbox_gets_three_links_a_day(terms: TermsVersion) -> None:
    for _each in range(5):
        draft, _word = begun(terms)
        drafts.mail_link(draft, at=NOW)
    assert OutgoingMail.objects.filter(kind="draft_saved").count() == 3
    drafts.mail_link(draft, at=NOW + timedelta(days=1))
    assert OutgoingMail.objects.filter(kind="draft_saved").count() == 4


def test_a_draft_goes_on_with_the_form_it_was_begun_with(terms: TermsVersion) -> None:
    draft, _word = begun(terms)
    old = draft.form
    new = publishing.draft(terms.program, definition=BOTH, by=ada(), at=NOW)
    publishing.publish(new, by=ada(), at=NOW)
    draft.refresh_from_db()
    assert draft.form == old
    assert drafts.begin(terms.program, at=NOW, language="en")[0].form == new


def test_another_type_asks_the_steps_after_it_again(terms: TermsVersion) -> None:
    FormVersionFactory(program=terms.program, number=1, published=True, definition=BOTH.as_json())
    draft, word = drafts.begin(terms.program, at=NOW, language="en")
    draft = save(draft, "type", {"partnership_type": "affiliate"})
    draft = save(draft, "you", YOU)
    draft = save(draft, "audience", {}, kit=[uploads.Upload("kit.pdf", "pdf", b"%PDF-")])
    assert draft.furthest_step == 3
    assert save(draft, "type", {"partnership_type": "affiliate"}).furthest_step == 3
    assert save(draft, "type", {"partnership_type": "agency"}).furthest_step == 1
    with pytest.raises(sending.NotComplete):
        sending.receive(word, terms=terms, at=NOW)


def test_a_file_that_is_needed_and_removed_is_asked_for_again(terms: TermsVersion) -> None:
    FormVersionFactory(program=terms.program, number=1, published=True, definition=BOTH.as_json())
    draft, word = drafts.begin(terms.program, at=NOW, language="en")
    for step, cleaned in (("type", {"partnership_type": "agency"}), ("you", YOU)):
        draft = save(draft, step, dict(cleaned))
    draft = save(draft, "audience", {}, kit=[uploads.Upload("kit.pdf", "pdf", b"%PDF-")])
    drafts.take_file_back(draft, draft.files.get().public_id, definition=BOTH, at=NOW)
    with pytest.raises(sending.NotComplete):
        sending.receive(word, terms=terms, at=NOW)


@pytest.mark.django_db(transaction=True)
def test_a_draft_is_deleted_a_month_after_the_last_change_with_its_files() -> None:
    terms = TermsVersionFactory(published=True)
    draft, word = begun(terms)
    uploads.attach(draft, "kit", uploads.Upload("kit.pdf", "pdf", b"%PDF-"), NOW)
    drafts.throw_old_away(at=NOW + timedelta(days=30))
    assert drafts.find(word) is not None
    assert drafts.throw_old_away(at=NOW + timedelta(days=30, seconds=1)) == 1
    assert not Application.objects.exists()
    assert default_storage.listdir("applications")[1] == []


def test_reminders_and_expiry_come_once(terms: TermsVersion) -> None:
    draft, _word = begun(terms)
    sent, _token = sending.submit(
        terms.program,
        answers=sending.Answers("Ben Okafor", "ben@x.example", "+44 20 7946 0018", "", ""),
        terms=terms,
        at=NOW,
    )
    asked = ApplicationFactory(program=terms.program, state=ApplicationState.INFO_REQUESTED, created_at=NOW)
    ApplicationMessageFactory(application=asked, written_by=mats(), written_at=NOW)

    def kinds(days: int) -> dict[str, int]:
        for _twice in range(2):
            applying_sweep.sweep(at=NOW + timedelta(days=days))
        found = OutgoingMail.objects.exclude(kind="application_confirm").values_list("kind", flat=True)
        return {kind: list(found).count(kind) for kind in found}

    assert kinds(1) == {}
    assert kinds(2) == {"draft_reminder": 1}
    assert kinds(5) == {"draft_reminder": 1, "application_question_reminder": 1}
    assert kinds(14) == {"draft_reminder": 1, "application_question_reminder": 1, "application_expired": 1}
    sent.refresh_from_db()
    assert sent.state == ApplicationState.EXPIRED
    assert kinds(31)["application_expired"] == 1
    assert not Application.objects.filter(pk=draft.pk).exists()
    assert mailed("draft_reminder")


def test_one_application_that_cannot_be_written_to_holds_up_no_other(
    terms: TermsVersion, caplog: pytest.LogCaptureFixture
) -> None:
    values = {"state": ApplicationState.SUBMITTED, "email_confirmed_at": None, "submitted_at": NOW}
    broken = ApplicationFactory(email="ana@lima@example", **values)
    sound = ApplicationFactory(email="ben@x.example", **values)
    assert applying_sweep.expire_unconfirmed(at=NOW + timedelta(days=14)) == 1
    broken.refresh_from_db()
    sound.refresh_from_db()
    assert (broken.state, sound.state) == (ApplicationState.SUBMITTED, ApplicationState.EXPIRED)
    assert f"Application {broken.pk} was left out" in caplog.text
    assert "lima" not in caplog.text


def test_fresh_links_go_to_the_mailbox_and_only_about_what_is_open(terms: TermsVersion) -> None:
    open_one = ApplicationFactory(email="ana@lima.example", created_at=NOW)
    closed = ApplicationFactory(email="ana@lima.example", created_at=NOW)
    applications.withdraw(closed, NOW)
    draft, _word = begun(terms)
    applications.send_links(" ANA@lima.example", at=NOW)
    abouts = set(OutgoingMail.objects.filter(to="ana@lima.example").values_list("about", flat=True))
    assert abouts == {open_one.public_id, draft.public_id}
    before = OutgoingMail.objects.count()
    applications.send_links("nobody@x.example", at=NOW)
    assert OutgoingMail.objects.count() == before


def test_the_confirmation_is_sent_again_a_few_times_and_once_a_minute(terms: TermsVersion) -> None:
    application, _token = sending.submit(
        terms.program,
        answers=sending.Answers("Ana", "ana@lima.example", "+351 1 23456", "", ""),
        terms=terms,
        at=NOW,
    )
    for second in range(0, 1200, 30):
        applications.ask_to_confirm_again(
            terms.program, application.public_id, at=NOW + timedelta(seconds=second)
        )
    assert OutgoingMail.objects.filter(kind="application_confirm").count() == 6
    applications.ask_to_confirm_again(terms.program, "app_" + "0" * 26, at=NOW)
    assert OutgoingMail.objects.count() == 6


def entered(terms: TermsVersion, **more: object) -> Application:
    values: dict[str, object] = {
        "partnership_type": "affiliate",
        "cleaned": dict(YOU),
        "files": {},
        "source": "By phone",
        "language": "pl",
        "by": mats(),
        "at": NOW,
        **more,
    }
    return entering.enter(terms.program, **values)  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_what_staff_enter_counts_at_once_and_accepts_no_terms() -> None:
    terms = TermsVersionFactory(published=True)
    heard: list[int] = []
    with subscribed(ApplicationCounts, lambda event: heard.append(event.application_id)):
        application = entered(terms)
    assert heard == [application.pk]
    assert (application.counts_since, application.entered_by, application.source) == (NOW, mats(), "By phone")
    assert list(Application.objects.waiting_for_us()) == [application]
    assert not Acceptance.objects.exists()
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.to, mail.language) == ("application_received", "ana@lima.example", "pl")


def test_staff_are_told_plainly_why_nothing_is_entered(terms: TermsVersion) -> None:
    with pytest.raises(Forbidden):
        entered(terms, by=fiona())
    with pytest.raises(entering.NoSource):
        entered(terms, source="  ")
    entered(terms)
    with pytest.raises(applications.AlreadyApplied):
        entered(terms)
    assert Application.objects.count() == 1


def test_choices_of_a_form_are_kept_with_the_draft(terms: TermsVersion) -> None:
    colours = Question(
        key="colour",
        kind="choice",
        step="audience",
        label={"en": "Colour"},
        choices=(Choice("r", {"en": "Red"}), Choice("b", {"en": "Blue"})),
    )
    asked = Definition((*BOTH.questions[:3], colours), ("affiliate",))
    FormVersionFactory(program=terms.program, number=1, published=True, definition=asked.as_json())
    draft, _word = begun(terms)
    assert save(draft, "audience", {"colour": "b"}).answers == {"colour": "b"}
