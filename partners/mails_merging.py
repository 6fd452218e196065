"""Write to the owners and finance members of two partners that became one, so that nobody loses an account or a membership unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners.mails import absolute
from partners.readers import Reader, readers_of
from prm.mail import outbox

if TYPE_CHECKING:
    from partners.models import Partner


def readers(duplicate: Partner, into: Partner) -> list[Reader]:
    """Return who has to hear of it, each mailbox once; asked before anybody has moved."""
    found = {reader.email.casefold(): reader for reader in (*readers_of(duplicate), *readers_of(into))}
    return list(found.values())


def merged(duplicate: Partner, into: Partner, told: list[Reader]) -> None:
    """Say that the two are one now and what to look at."""
    for reader in told:
        outbox.queue(
            "partners_merged",
            to=reader.email,
            key=f"partners-merged:{duplicate.public_id}:{reader.email.casefold()}",
            language=reader.language,
            about=into.public_id,
            context={
                "name": reader.name,
                "duplicate": duplicate.name,
                "into": into.name,
                "button_url": absolute(reverse("portal:home")),
                "button_text": _("See the portal"),
            },
        )
