"""What becomes of the people on the list when two partners become one: they move with all they hold. Who was in both teams has left the
duplicate's list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import ngettext

from partners.certification.staff import leave_with
from partners.events import CredentialsChanged
from partners.models import Staff
from prm import audit
from prm.lib.events import announce

if TYPE_CHECKING:
    from partners.merging_pair import Merge


def move(merge: Merge) -> list[str]:
    """Carry it out, and say what was done."""
    said = foretell(merge)
    for person in Staff.objects.filter(partner=merge.duplicate).select_related("member").order_by("pk"):
        if person.member is not None and person.member.ended_at is not None:
            leave_with(person.member, by=merge.by, at=merge.at)
        Staff.objects.filter(pk=person.pk).update(partner=merge.into)
        audit.record(merge.by, "staff.moved", person, at=merge.at)
    if said:
        announce(CredentialsChanged(merge.into.pk))
    return said


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
