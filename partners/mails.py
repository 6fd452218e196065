"""Write the mails of the partners app into the outbox. Each has a key of its own, so a verb that runs twice writes once."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from partners import tokens
from prm.lib import l10n
from prm.lib.addresses import absolute as absolute
from prm.lib.periods import local_day, start_of_day
from prm.mail import outbox

if TYPE_CHECKING:
    from partners.models import Application, Membership


def sign_in_path() -> str:
    """Return the page on which a person asks for a sign-in code by mail."""
    return reverse("account_request_login_code")


def sign_in_url() -> str:
    """Return where a person signs in with a code sent by mail."""
    return absolute(sign_in_path())


def status_url(application: Application) -> str:
    """Return the applicant's own page of the application."""
    return absolute(reverse("public:application", args=[tokens.status_token(application)]))


def day_words(day: date, language: str) -> str:
    """Write a date in words, in the reader's language."""
    return l10n.date_text(day, l10n.reader_locale(language), "long")


def moment_text(instant: datetime, membership: Membership, locale: str) -> str:
    """Return a day, with the time of day when something begins in the middle of it."""
    zone = membership.program.zone
    day = local_day(instant, zone)
    if instant == start_of_day(day, zone):
        return l10n.date_text(day, locale, "long")
    return l10n.datetime_text(instant, zone, locale, "long")


def to_applicant(kind: str, application: Application, *, key: str, **values: Any) -> None:
    """Write to an applicant; the button leads to their own page unless `values` name another one."""
    outbox.queue(
        kind,
        to=application.email,
        key=key,
        language=application.language,
        about=application.public_id,
        context={
            "application": application,
            "program_name": application.program.name,
            "button_url": status_url(application),
            **values,
        },
    )
