"""Write to applicants while they apply, and to the people they name. Text a stranger typed stands in these mails as text and nothing else,
and no mailbox is written to more often than a few times a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners import mails, tokens
from partners.choices import ApplicationState
from prm.accounts.emails import fold_email
from prm.mail import outbox
from prm.mail.models import OutgoingMail

if TYPE_CHECKING:
    from partners.models import Application, ApplicationMessage, Reference

MOST_CONFIRMATIONS = 6


def confirm(application: Application) -> None:
    """Ask whether the mailbox is the applicant's; the application counts when it is."""
    _ask_to_confirm(application, key=_confirm_key(application))


def confirm_again(application: Application, *, at: datetime) -> None:
    """Ask once more, once a minute at most and a few times altogether."""
    before = OutgoingMail.objects.filter(key__startswith=_confirm_key(application))
    if before.count() < MOST_CONFIRMATIONS:
        _ask_to_confirm(application, key=f"{_confirm_key(application)}:{at:%Y%m%d%H%M}")


def received(application: Application, *, decide_on: date) -> None:
    """Thank for an application and say by when it is decided."""
    mails.to_applicant(
        "application_received",
        application,
        key=f"application-received:{application.public_id}",
        decide_on=mails.day_words(decide_on, application.language),
        was_entered=application.entered_at is not None,
        button_text=_("See your application"),
    )


def repeated(
    *, email: str, language: str, key: str, why: str, program_name: str, url: str, on: date | None = None
) -> None:
    """Tell the owner of a mailbox, and nobody else, why a second application was not taken."""
    outbox.queue(
        "application_repeated",
        to=email,
        key=key,
        language=language,
        context={
            "why": why,
            "program_name": program_name,
            "on": mails.day_words(on, language) if on else "",
            "button_url": url,
            "button_text": _("Sign in") if why == "member" else _("See your application"),
        },
    )


def fresh_link(application: Application, *, most: int, at: datetime) -> None:
    """Send the way to an application or a draft again."""
    if application.state == ApplicationState.DRAFT:
        draft_saved(application, until=None, most=most, at=at)
        return
    key = _key_of_day("application-link", application.email, most=most, at=at)
    if key:
        mails.to_applicant("application_link", application, key=key, button_text=_("See your application"))


def draft_saved(draft: Application, *, until: datetime | None, most: int, at: datetime) -> None:
    """Send the link by which a draft is gone on with."""
    key = _key_of_day("draft-link", draft.email, most=most, at=at)
    if key:
        _to_drafter("draft_saved", draft, key=key, until=_day_of(draft, until) if until else "")


def draft_reminder(draft: Application, *, until: datetime, at: datetime) -> None:
    """Remind once of a draft that was left; however many drafts name a mailbox, it gets one a day."""
    key = _key_of_day("draft-reminder", draft.email, most=1, at=at)
    if not key:
        return
    _to_drafter("draft_reminder", draft, key=key, until=_day_of(draft, until))


def question_reminder(application: Application, question: ApplicationMessage) -> None:
    """Remind once of a question of ours."""
    mails.to_applicant(
        "application_question_reminder",
        application,
        key=f"application-question-reminder:{application.public_id}:{question.pk}",
        text=question.text,
        button_text=_("Reply"),
    )


def expired(application: Application) -> None:
    """Say that nobody confirmed the mailbox, so the application is closed."""
    mails.to_applicant(
        "application_expired",
        application,
        key=f"application-expired:{application.public_id}",
        button_url=mails.absolute(reverse("public:program", args=[application.program.slug])),
        button_text=_("Apply again"),
    )


def reference_asked(reference: Reference, token: str, *, until: datetime, at: datetime) -> None:
    """Ask somebody whether they know an applicant."""
    application = reference.application
    outbox.queue(
        "reference_request",
        to=reference.email,
        key=f"reference-request:{reference.public_id}:{at:%Y%m%d%H%M%S}",
        language=application.language,
        about=reference.public_id,
        context={
            "reference_name": reference.full_name,
            "applicant_name": application.full_name,
            "company": application.company,
            "program_name": application.program.name,
            "until": _day_of(application, until),
            "button_url": mails.absolute(reverse("public:reference", args=[token])),
            "button_text": _("Answer"),
        },
    )


def _ask_to_confirm(application: Application, *, key: str) -> None:
    mails.to_applicant(
        "application_confirm",
        application,
        key=key,
        days=application.program.decision_days,
        button_text=_("Confirm your address"),
    )


def _confirm_key(application: Application) -> str:
    return f"application-confirm:{application.public_id}"


def _to_drafter(kind: str, draft: Application, *, key: str, **values: Any) -> None:
    path = reverse("public:draft", args=[tokens.mailed_draft_token(draft)])
    outbox.queue(
        kind,
        to=draft.email,
        key=key,
        language=draft.language,
        about=draft.public_id,
        context={
            "program_name": draft.program.name,
            "button_url": mails.absolute(path),
            "button_text": _("Go on with the application"),
            **values,
        },
    )


def _key_of_day(kind: str, email: str, *, most: int, at: datetime) -> str:
    """Return the key of the next mail of a kind to a mailbox today; nothing when it got enough."""
    start = f"{kind}:{tokens.digest(fold_email(email))[:24]}:{at:%Y-%m-%d}:"
    count = OutgoingMail.objects.filter(key__startswith=start).count()
    return f"{start}{count + 1}" if count < most else ""


def _day_of(application: Application, at: datetime) -> str:
    return mails.day_words(at.astimezone(application.program.zone).date(), application.language)
