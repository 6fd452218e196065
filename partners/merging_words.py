"""Say in words and numbers what joining two partners will do to their memberships, people and details. It reads and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners.merging_rows import gaps
from partners.models import Invitation, Member, Membership, Partner

if TYPE_CHECKING:
    from partners.merging_pair import Merge


def foretold(merge: Merge) -> Iterator[str]:
    """Return one sentence for each thing that will happen here."""
    names = {"duplicate": merge.duplicate.name, "into": merge.into.name}
    yield _("%(into)s goes on. %(duplicate)s is closed, and its page leads to %(into)s.") % names
    yield from _memberships(merge, names)
    yield from _people(merge, names)
    filled = gaps(merge)
    if filled:
        labels = ", ".join(_label(name) for name in filled)
        yield _("%(into)s has nothing for these details and takes them over: %(fields)s.") % {
            **names,
            "fields": labels,
        }


def _memberships(merge: Merge, names: dict[str, str]) -> Iterator[str]:
    moving = list(
        Membership.objects.filter(partner=merge.duplicate)
        .select_related("program")
        .order_by("program__name", "pk")
    )
    if moving:
        programs = ", ".join(dict.fromkeys(each.program.name for each in moving))
        yield ngettext(
            "%(count)s membership moves to %(into)s with all its commissions, statements and payments: %(programs)s.",
            "%(count)s memberships move to %(into)s with all their commissions, statements and payments: %(programs)s.",
            len(moving),
        ) % {**names, "count": len(moving), "programs": programs}
    for ended, _goes_on in merge.pairs:
        here = {**names, "program": ended.program.name}
        yield (
            _(
                "Both are in %(program)s: the membership of %(duplicate)s ends now. What it has earned is released and paid"
                " to %(into)s as if it went on."
            )
            % here
        )
        recruits = ended.recruits.count()
        if recruits:
            yield ngettext(
                "It recruited %(count)s partner in %(program)s, which stays on record: what that one sells from now on"
                " earns no override.",
                "It recruited %(count)s partners in %(program)s, which stays on record: what they sell from now on"
                " earns no override.",
                recruits,
            ) % {**here, "count": recruits}


def _people(merge: Merge, names: dict[str, str]) -> Iterator[str]:
    there = (
        Member.objects.current().filter(partner=merge.duplicate).select_related("user").order_by("joined_at")
    )
    coming = [member.user.get_full_name() for member in there]
    if coming:
        yield ngettext(
            "%(people)s sees everything of %(into)s from now on, in the role held at %(duplicate)s or a stronger one.",
            "%(people)s see everything of %(into)s from now on, in the roles held at %(duplicate)s or stronger ones.",
            len(coming),
        ) % {**names, "people": ", ".join(coming)}
    invited = Invitation.objects.filter(partner=merge.duplicate, accepted_at=None, withdrawn_at=None).count()
    if invited:
        yield ngettext(
            "%(count)s open invitation into the team of %(duplicate)s stops working.",
            "%(count)s open invitations into the team of %(duplicate)s stop working.",
            invited,
        ) % {**names, "count": invited}


def _label(name: str) -> str:
    if name == "account_manager":
        return _("account manager")
    return str(Partner._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
