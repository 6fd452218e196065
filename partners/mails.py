"""Write the mails of the partners app into the outbox. Each has a key of its own, so a verb that runs twice writes once."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners import tokens
from prm.lib import l10n
from prm.mail import outbox

if TYPE_CHECKING:
    from partners.models import Application, ApplicationMessage, Invitation, Membership
    from prm.accounts.models import User
    from tiers.models import Tier

_REGION = {"en": "en_GB"}  # the day comes first, so 2 Dec cannot be misread


def absolute(path: str) -> str:
    """Return the address of a path of ours, for people outside."""
    return f"{settings.SITE_URL.rstrip('/')}{path}"


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
    return l10n.date_text(day, _REGION.get(language, language), "long")


def received(application: Application, *, decide_on: date) -> None:
    """Thank for an application and say by when it is decided."""
    _to_applicant(
        "application_received",
        application,
        key=f"application-received:{application.public_id}",
        decide_on=day_words(decide_on, application.language),
        button_text=_("Confirm your address and see the status"),
    )


def approved(application: Application, membership: Membership, tier: Tier, *, note: str) -> None:
    """Welcome a new partner and say how to sign in."""
    _to_applicant(
        "application_approved",
        application,
        key=f"application-approved:{application.public_id}",
        membership=membership,
        tier=tier,
        note=note,
        button_url=sign_in_url(),
        button_text=_("Sign in"),
    )


def declined(application: Application, *, note: str) -> None:
    """Say why an application was declined and when one may come back."""
    again = application.reapply_on
    _to_applicant(
        "application_declined",
        application,
        key=f"application-declined:{application.public_id}",
        reason=application.get_rejection_reason_display,  # called in the reader's language
        reason_code=application.rejection_reason,
        reapply_on=day_words(again, application.language) if again else "",
        note=note,
        button_text=_("See your application"),
    )


def asked(application: Application, message: ApplicationMessage) -> None:
    """Pass on a question of ours."""
    _to_applicant(
        "application_question",
        application,
        key=f"application-question:{application.public_id}:{message.pk}",
        text=message.text,
        button_text=_("Reply"),
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
            "on": day_words(on, language) if on else "",
            "button_url": url,
            "button_text": _("Sign in") if why == "member" else _("See your application"),
        },
    )


def invited(invitation: Invitation, token: str, *, by: User) -> None:
    """Send a team member the way in; the link works once."""
    outbox.queue(
        "team_invitation",
        to=invitation.email,
        key=f"team-invitation:{invitation.public_id}",
        language=invitation.partner.language,
        about=invitation.public_id,
        context={
            "invitation": invitation,
            "partner_name": invitation.partner.name,
            "role": invitation.get_role_display,
            "inviter": by.get_full_name(),
            "until": day_words(invitation.expires_at.date(), invitation.partner.language),
            "button_url": absolute(reverse("public:invitation", args=[token])),
            "button_text": _("See the invitation"),
        },
    )


def _to_applicant(kind: str, application: Application, *, key: str, **values: Any) -> None:
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
