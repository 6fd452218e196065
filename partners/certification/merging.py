"""What becomes of the people on the list when two partners become one: they move with all they hold. Who was on both lists is on it once, by
the row that holds more, so that no certified share changes by a merge alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, QuerySet
from django.utils.translation import ngettext

from partners.certification.staff import leave_with, mark_left
from partners.events import CredentialsChanged
from partners.models import Credential, Member, Staff
from prm import audit
from prm.lib.events import announce

if TYPE_CHECKING:
    from partners.merging_pair import Merge


def move(merge: Merge) -> list[str]:
    """Carry it out, and say what was done."""
    said = foretell(merge)
    here = _Here(merge)
    for person in Staff.objects.filter(partner=merge.duplicate).select_related("member").order_by("pk"):
        if person.left_at is None:
            here.take(person)
        Staff.objects.filter(pk=person.pk).update(partner=merge.into)
        audit.record(merge.by, "staff.moved", person, at=merge.at)
    if said:
        announce(CredentialsChanged(merge.into.pk))
    return said


class _Here:
    """The list of the partner that goes on, and its team, which has taken the other one's in already."""

    def __init__(self, merge: Merge) -> None:
        self._merge = merge
        there = Staff.objects.filter(partner__in=(merge.duplicate, merge.into), left_at=None)
        self._held = _held(there, merge)
        listed = list(there.filter(partner=merge.into).select_related("member").order_by("-pk"))
        self._by_user = {each.member.user_id: each for each in listed if each.member is not None}
        self._by_email = {each.email.casefold(): each for each in listed if each.email}
        team = Member.objects.current().filter(partner=merge.into, staff=None)
        self._free = {member.user_id: member for member in team}

    def take(self, person: Staff) -> None:
        """Let a person of the duplicate be on the list once."""
        user = person.member.user_id if person.member is not None else 0
        twin = self._by_user.get(user) or self._by_email.get(person.email.casefold())
        if twin is None:
            self._link(person, self._free.get(user))
        elif self._held.get(person.pk, 0) > self._held.get(twin.pk, 0):
            link = twin.member
            mark_left(twin, self._merge.by, self._merge.at)
            if link is not None:
                Staff.objects.filter(pk=twin.pk).update(member=None)
            self._link(person, link or self._free.get(user))
        else:
            mark_left(person, self._merge.by, self._merge.at)

    def _link(self, person: Staff, member: Member | None) -> None:
        """Let somebody whose place in the duplicate's team has ended be who they are in the other one."""
        if member is not None:
            Staff.objects.filter(pk=person.pk).update(member=member)
        elif person.member is not None and person.member.ended_at is not None:
            leave_with(person.member, by=self._merge.by, at=self._merge.at)


def _held(people: QuerySet[Staff], merge: Merge) -> dict[int, int]:
    """Return how many certifications people hold, by their row."""
    held = Credential.objects.valid(on=merge.at.date()).filter(staff__in=people)
    return dict(held.order_by().values_list("staff").annotate(Count("certification", distinct=True)))


def foretell(merge: Merge) -> list[str]:
    """Say what would be done."""
    count = Staff.objects.filter(partner=merge.duplicate).count()
    if not count:
        return []
    text = ngettext(
        "%(count)s person on the list of %(partner)s moves to %(into)s, with all credentials.",
        "%(count)s people on the list of %(partner)s move to %(into)s, with all credentials.",
        count,
    )
    return [text % {"count": count, "partner": merge.duplicate.name, "into": merge.into.name}]
