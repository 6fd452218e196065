"""The one mail to a mailbox that waited for a program to open. It is the only thing we ever send there, and it says so."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners.mails import absolute
from partners.models import WaitingMailbox
from prm.mail import outbox
from tiers.models import Program


def opened(row: WaitingMailbox, program: Program) -> None:
    """Say that the program takes applications, in the language in which it was asked for."""
    outbox.queue(
        "program_open",
        to=row.email,
        key=f"program-open:{row.pk}",
        language=row.language,
        about=program.public_id,
        context={
            "program_name": program.name,
            "button_url": absolute(reverse("public:program", args=[program.slug])),
            "button_text": _("See the program"),
        },
    )
