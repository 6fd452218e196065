"""Tell a partner that one of its postbacks was switched off. The mail names the host, never the whole address, which may hold a secret."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from partners.readers import readers_of
from payouts.notices import button, tell
from prm.lib import l10n

if TYPE_CHECKING:
    from payouts.models import Postback


def tell_switched_off(postback: Postback, *, at: datetime) -> None:
    """Say that an address is not called any more, since when it failed and how to go on."""
    program = postback.membership.program
    since = postback.failing_since_at or at
    for reader in readers_of(postback.membership.partner):
        context = {
            "program": program.name,
            "host": urlsplit(postback.url).hostname or "",
            "since": l10n.date_text(since.astimezone(program.zone).date(), reader.locale, "long"),
            "failures": postback.failures,
            "why": postback.disabled_because,
            **button(_("Open your postbacks"), "/portal/postbacks/"),
        }
        key = f"{postback.public_id}:{int(at.timestamp())}"
        tell("postback_switched_off", reader, key=key, about=postback.public_id, context=context)
