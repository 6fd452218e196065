"""Terms that wait to be accepted, for the top of every page: whether there are any was read at the door, so that saying it asks nothing more."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from portal import roles
from portal.formats import active_locale
from portal.notices import Notice, Visit
from prm.lib import l10n
from prm.lib.periods import local_day


def notices_of(room: Visit) -> list[Notice]:
    """Return what every page of this room begins with while terms wait."""
    begins: datetime | None = getattr(room.membership, "asked_from", None)
    if begins is None or getattr(room.membership, "has_accepted", True):
        return []
    if begins > room.at:
        day = l10n.date_text(local_day(begins, room.zone), active_locale(), "long")
        title = _("Other terms are in force from %(day)s on.") % {"day": day}
    else:
        title = _("The terms of %(program)s are not accepted yet.") % {"program": room.program.name}
    if room.may(roles.ACCEPT_TERMS):
        text, action = _("Please read and accept them."), _("Read the terms")
    else:
        text, action = _("An owner of your team has to accept them."), _("Read the terms")
    return [Notice("warn", text, title=title, href=reverse("portal:terms"), action=action)]
