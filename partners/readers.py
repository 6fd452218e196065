"""Who is written to about a partner: the members of its team in some roles, or its contact address when there is none. Each mailbox
is written to once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from partners.choices import TeamRole
from partners.models import Member
from prm.lib import l10n

if TYPE_CHECKING:
    from partners.models import Partner

MONEY = (TeamRole.OWNER, TeamRole.FINANCE)
OWNERS = (TeamRole.OWNER,)


@dataclass(frozen=True, slots=True)
class Reader:
    email: str
    language: str
    name: str

    @property
    def locale(self) -> str:
        """Return the locale to write amounts and days in."""
        return l10n.reader_locale(self.language)


def readers_of(partner: Partner, roles: Collection[TeamRole] = MONEY) -> list[Reader]:
    """Return who is told what concerns a partner, each mailbox once; without a word about it what concerns its money."""
    members = (
        Member.objects.current()
        .filter(partner=partner, role__in=roles, user__is_active=True)
        .select_related("user")
        .order_by("pk")
    )
    found = [
        Reader(member.user.email, member.user.language, member.user.get_full_name()) for member in members
    ]
    return found or contact_of(partner)


def contact_of(partner: Partner) -> list[Reader]:
    """Return the partner's contact address, nothing when it is none."""
    try:
        validate_email(partner.email)
    except ValidationError:
        return []
    return [Reader(partner.email, partner.language, partner.name)]
