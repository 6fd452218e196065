"""Write the letters that tell applicants what was decided. A letter can be read before it is sent: what a reviewer sees and what goes out
are made by the same lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partners.choices import RejectionReason
from partners.mails import day_words, sign_in_url, status_url
from partners.tier_rates import rates_of
from prm.mail import outbox

if TYPE_CHECKING:
    from partners.models import Application, ApplicationMessage
    from tiers.models import Tier


@dataclass(frozen=True)
class Letter:
    """A mail that is not sent yet."""

    application: Application
    kind: str
    key: str
    values: dict[str, Any]

    def read(self) -> tuple[str, str]:
        """Return subject and text as the applicant would read them, but for the secret link: it is the applicant's alone."""
        subject, text, _html = outbox.render(
            self.kind, context=self._context(), language=self.application.language
        )
        return subject, text.replace(status_url(self.application), f"[{gettext('the applicant’s own link')}]")

    def send(self) -> None:
        """Put the letter into the outbox, once."""
        outbox.queue(
            self.kind,
            to=self.application.email,
            key=self.key,
            language=self.application.language,
            about=self.application.public_id,
            context=self._context(),
        )

    def _context(self) -> dict[str, Any]:
        return {
            "application": self.application,
            "program_name": self.application.program.name,
            "button_url": status_url(self.application),
            **self.values,
        }


def approval(application: Application, tier: Tier, *, note: str, at: datetime) -> Letter:
    """Welcome a new partner: the tier, what it earns, how to sign in."""

    def rate() -> str:
        """Return the rate; called in the reader's language."""
        return rates_of(application.program, at=at).get(tier.pk, "")

    return Letter(
        application,
        "application_approved",
        f"application-approved:{application.public_id}",
        {
            "tier": tier,
            "rate": rate,
            "note": note,
            "button_url": sign_in_url(),
            "button_text": _("Sign in"),
        },
    )


def refusal(
    application: Application, *, reason: str, reapply_on: date | None, note: str, by_rule: bool
) -> Letter:
    """Say why an application is declined, when one may come back, and how to reach a person when a rule decided."""
    program = application.program
    contact = program.contact_email or program.legal_entity.contact_email
    return Letter(
        application,
        "application_declined",
        f"application-declined:{application.public_id}",
        {
            "reason": RejectionReason(reason).label,
            "reason_code": reason,
            "reapply_on": day_words(reapply_on, application.language) if reapply_on else "",
            "note": note,
            "by_rule": by_rule,
            "contact": contact if by_rule else "",
            "button_text": _("See your application"),
        },
    )


def question(application: Application, message: ApplicationMessage | None, *, text: str) -> Letter:
    """Pass on a question of ours."""
    return Letter(
        application,
        "application_question",
        f"application-question:{application.public_id}:{message.pk if message else 0}",
        {"text": text, "button_text": _("Reply")},
    )
