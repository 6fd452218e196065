"""Write about who may sign in for a partner: to the person invited, and to the owners when staff lets somebody touch the partner's money.
Whoever is invited is not told of it twice."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners import mails, tokens
from partners.choices import TeamRole
from partners.models import Membership
from partners.readers import OWNERS, contact_of, readers_of
from prm.accounts import people
from prm.accounts.emails import fold_email
from prm.lib.periods import local_day
from prm.mail import outbox

if TYPE_CHECKING:
    from partners.models import Invitation, Member, Partner
    from prm.accounts.models import User


def invited(invitation: Invitation, token: str, *, by: User) -> None:
    """Send a team member the way in, in the language of the person when we know them; the link works once."""
    known = people.find(invitation.email)
    language = known.language if known else invitation.partner.language
    # The day the team's own pages show.
    until = local_day(invitation.expires_at, _zone(invitation.partner, known))
    outbox.queue(
        "team_invitation",
        to=invitation.email,
        key=f"team-invitation:{invitation.public_id}",
        language=language,
        about=invitation.public_id,
        context={
            "invitation": invitation,
            "partner_name": invitation.partner.name,
            "role": invitation.get_role_display,
            "inviter": by.get_full_name(),
            "until": mails.day_words(until, language),
            "button_url": mails.absolute(reverse("public:invitation", args=[token])),
            "button_text": _("See the invitation"),
        },
    )


def owners_told_of_invitation(invitation: Invitation, *, by: User) -> int:
    """Tell the owners whom staff invited, and return how many mailboxes that were."""
    return _tell_owners(
        invitation.partner,
        email=invitation.email,
        role=invitation.role,
        by=by,
        about=invitation.public_id,
        key=invitation.public_id,
        is_invited=True,
    )


def owners_told_of_role(member: Member, *, by: User, at: datetime) -> int:
    """Tell the owners whose role staff changed, and return how many mailboxes that were."""
    return _tell_owners(
        member.partner,
        email=member.user.email,
        role=member.role,
        by=by,
        about=member.public_id,
        key=f"{member.public_id}:{at:%Y%m%d%H%M%S%f}",
        is_invited=False,
    )


def _tell_owners(
    partner: Partner, *, email: str, role: str, by: User, about: str, key: str, is_invited: bool
) -> int:
    readers = {fold_email(reader.email): reader for reader in contact_of(partner)}
    readers |= {fold_email(reader.email): reader for reader in readers_of(partner, OWNERS)}
    readers.pop(fold_email(email), None)
    for folded, reader in readers.items():
        outbox.queue(
            "team_invitation_notice",
            to=reader.email,
            key=f"team-invitation-notice:{key}:{tokens.digest(folded)[:24]}",
            language=reader.language,
            about=about,
            context={
                "partner": partner.name,
                "email": email,
                "role": TeamRole(role).label,
                "by": by.get_full_name(),
                "is_invited": is_invited,
                "button_url": mails.absolute(reverse("portal:team")),
                "button_text": _("See your team"),
            },
        )
    return len(readers)


def _zone(partner: Partner, known: User | None) -> ZoneInfo:
    places = Membership.objects.filter(partner=partner).select_related("program")
    place = places.filter(ended_at=None).order_by("pk").first()
    if place is not None:
        return place.program.zone
    return ZoneInfo(known.time_zone if known else "UTC")
