"""Move what the partners app itself keeps when two partners become one: memberships, people, invitations, and details only the duplicate
has. The caller holds the locks of both partners and all their memberships."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from partners.choices import EndingKind, MembershipState, SanctionReason, TeamRole
from partners.events import MembershipEnded
from partners.leaving_effects import close_what_is_open
from partners.models import Ending, Invitation, Member, Membership, Partner, RecruitingLink
from partners.profiles import kept_elsewhere
from prm import audit
from prm.lib.events import announce

if TYPE_CHECKING:
    from partners.merging_pair import Merge

# The first role of two is the one that stays.
STRENGTH = (TeamRole.OWNER, TeamRole.FINANCE, TeamRole.MARKETING, TeamRole.SALES, TeamRole.READ_ONLY)
ADDRESS = ("street", "building_number", "postcode", "town", "region", "country")
# What is filled in together, so that no address is made of two.
GROUPS = (
    ADDRESS,
    ("legal_name", "legal_form"),
    ("vat_number",),
    ("website",),
    ("email",),
    ("phone",),
    ("languages",),
    ("specialities",),
    ("account_manager",),
)


def pairs(duplicate: Partner, into: Partner) -> tuple[tuple[Membership, Membership], ...]:
    """Return the open memberships both have in one program, by program."""
    rows = Membership.objects.filter(partner__in=(duplicate, into), ended_at=None)
    here: dict[int, dict[int, Membership]] = {}
    for each in rows.select_related("partner", "program").order_by("program_id", "pk"):
        here.setdefault(each.program_id, {})[each.partner_id] = each
    return tuple((both[duplicate.pk], both[into.pk]) for both in here.values() if len(both) == 2)


def in_the_way(merge: Merge) -> Iterator[str]:
    """Say which memberships a person has to decide about first."""
    for ended, goes_on in merge.pairs:
        for each in (ended, goes_on):
            if each.state == MembershipState.SUSPENDED:
                yield _(
                    "The membership of %(partner)s in %(program)s is suspended. Lift that or end the membership before."
                ) % {"partner": each.partner.name, "program": each.program.name}


def move_memberships(merge: Merge) -> int:
    """End what would be there twice, and let every membership belong to the partner that goes on."""
    for ended, goes_on in merge.pairs:
        Ending.objects.waiting().filter(membership=ended).update(cancelled_at=merge.at, cancelled_by=merge.by)
        ending = Ending.objects.create(
            membership=ended,
            kind=EndingKind.ENDED,
            reason=SanctionReason.MERGED,
            given_at=merge.at,
            given_by=merge.by,
            effective_at=merge.at,
            done_at=merge.at,
        )
        # Who comes by the links that recruit is introduced by the membership that goes on.
        RecruitingLink.objects.filter(membership=ended).update(membership=goes_on)
        ended.state, ended.ended_at = MembershipState.ENDED, merge.at
        ended.save(update_fields=["state", "ended_at"])
        close_what_is_open(ended, ended_at=merge.at, by=merge.by, at=merge.at)
        audit.record(merge.by, "membership.merged", ended, at=merge.at, into=goes_on, ending=ending)
        announce(MembershipEnded(ended.pk, EndingKind.ENDED))
    return Membership.objects.filter(partner=merge.duplicate).update(partner=merge.into)


def move_people(merge: Merge) -> int:
    """Bring the duplicate's team into the other one; who is in both keeps the stronger role. Open invitations are withdrawn."""
    here = {member.user_id: member for member in Member.objects.current().filter(partner=merge.into)}
    moved = 0
    for member in Member.objects.current().filter(partner=merge.duplicate).lock():
        known = here.get(member.user_id)
        if known is None:
            member.partner = merge.into
            member.save(update_fields=["partner"])
            audit.record(merge.by, "team.moved", member, at=merge.at, role=member.role)
            moved += 1
            continue
        member.ended_at, member.ended_by = merge.at, merge.by
        member.save(update_fields=["ended_at", "ended_by"])
        if _stronger(member.role, known.role):
            before, known.role = known.role, member.role
            known.save(update_fields=["role"])
            audit.record(merge.by, "team.role_changed", known, at=merge.at, before=before, after=known.role)
    Invitation.objects.filter(partner=merge.duplicate, accepted_at=None, withdrawn_at=None).update(
        withdrawn_at=merge.at
    )
    return moved


def fill_gaps(merge: Merge) -> list[str]:
    """Take over details the partner that goes on has nothing for; return their names."""
    names = gaps(merge)
    for name in names:
        setattr(merge.into, name, getattr(merge.duplicate, name))
    if names:
        merge.into.save(update_fields=names)
    return names


def gaps(merge: Merge) -> list[str]:
    """Return the details only the duplicate has; a VAT number counts only in the same country."""
    duplicate, into = merge.duplicate, merge.into
    elsewhere = kept_elsewhere(into, at=merge.at)
    found: list[str] = []
    for group in GROUPS:
        if any(getattr(into, name) for name in group) or not any(getattr(duplicate, name) for name in group):
            continue
        if group == ("vat_number",) and into.country and into.country != duplicate.country:
            continue
        if elsewhere.intersection(group):
            continue
        found.extend(group)
    return found


def _stronger(role: str, than: str) -> bool:
    return STRENGTH.index(TeamRole(role)) < STRENGTH.index(TeamRole(than))
