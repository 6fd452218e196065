"""Confirm several activities at once. Each is looked at alone: what stands in the way of one does not stop the others, and each is confirmed in
a transaction of its own by the same verb as always."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from partners.choices import ActivityState
from partners.engagement import activities
from partners.models import Activity, Member
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User


@dataclass(frozen=True, slots=True)
class Row:
    """One activity with what stands in the way; an empty `hindrance` means nothing does."""

    activity: Activity
    hindrance: str = ""

    @property
    def goes(self) -> bool:
        return not self.hindrance


def look(found: Sequence[Activity], *, by: User) -> list[Row]:
    """Return each activity with why it would be skipped; the number of queries does not depend on how many there are."""
    own = set(Member.objects.current().filter(user=by).values_list("partner_id", flat=True))
    return [Row(each, _hindrance(each, own)) for each in found]


def confirm_all(rows: Iterable[Row], *, by: User, at: datetime) -> list[Row]:
    """Confirm every row nothing stands in the way of, and return what was skipped or refused and why."""
    return [_one(row, by, at) if row.goes else row for row in rows]


def _one(row: Row, by: User, at: datetime) -> Row:
    try:
        activities.confirm(row.activity, by=by, at=at)
    except Refused as refusal:
        return Row(row.activity, str(refusal))
    return row


def _hindrance(activity: Activity, own: set[int]) -> str:
    if activity.state != ActivityState.WAITING:
        return _("skipped: decided or withdrawn already")
    if activity.membership.partner_id in own:
        return _("skipped: you are in this partner's team")
    return ""
