"""Tell a team whether an activity counts, with the reason when it does not. Its owners and whoever told it are written to, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners.choices import ActivityState
from partners.models import Member
from partners.readers import OWNERS, Reader, readers_of
from prm.lib import l10n
from prm.lib.addresses import absolute
from prm.mail import outbox

if TYPE_CHECKING:
    from partners.models import Activity


def decided(activity: Activity) -> None:
    """Write to the owners, and to who told it as long as they are in the team."""
    membership = activity.membership
    for reader in _readers(activity):
        outbox.queue(
            "activity_decided",
            to=reader.email,
            key=f"activity_decided:{activity.public_id}:{reader.email.casefold()}",
            about=membership.public_id,
            language=reader.language,
            context={
                "title": activity.title,
                "day": l10n.date_text(activity.held_on, reader.locale, "long"),
                "counts": activity.state == ActivityState.CONFIRMED,
                "because": activity.reason,
                "partner_name": membership.partner.name,
                "program_name": membership.program.name,
                "button_url": absolute(reverse("portal:activity", args=[activity.public_id])),
                "button_text": _("Open the activity"),
            },
        )


def _readers(activity: Activity) -> list[Reader]:
    found = readers_of(activity.membership.partner, OWNERS)
    teller = activity.told_by
    in_team = Member.objects.current().filter(partner=activity.membership.partner_id, user=teller)
    if teller.is_active and in_team.exists():
        found.append(Reader(teller.email, teller.language, teller.get_full_name()))
    return list({reader.email.casefold(): reader for reader in found}.values())
