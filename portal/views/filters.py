"""Read from the address what a list of earnings is narrowed to. What is in the address is the whole state: a reload, a bookmark
and the Back button show the same rows.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse

from payouts import overview
from payouts.models import Commission
from portal.forms import EarningsFilterForm
from portal.rooms import Room
from prm.lib.periods import Month, start_of_day

MONTHS_OFFERED = 24
KEPT = ("q", "period", "start", "end", "stage", "link", "code")


class Filters:
    """A list of earnings as the address describes it; what is not understood narrows nothing and is shown as an error."""

    def __init__(self, data: QueryDict, room: Room) -> None:
        self.room = room
        now = Month.of(room.at, room.zone)
        offered = [now.plus(-back) for back in range(MONTHS_OFFERED)]
        named = _month(data.get("period", ""))
        if named is not None and named not in offered:
            offered.append(named)  # an address may name an older month than the list offers
        self.form = EarningsFilterForm(data or None, months=offered)
        valid = self.form.is_valid()
        cleaned = getattr(self.form, "cleaned_data", {}) if (valid or self.form.is_bound) else {}
        self.values: dict[str, str] = {key: _text(cleaned.get(key)) for key in KEPT if cleaned.get(key)}
        self.stage: str = self.values.get("stage", "")

    @property
    def is_active(self) -> bool:
        return bool(self.values)

    def apply(self, lines: QuerySet[Commission], *, with_stage: bool = True) -> QuerySet[Commission]:
        """Narrow `lines`."""
        start, end = self._bounds()
        if start is not None:
            lines = lines.filter(effective_at__gte=start)
        if end is not None:
            lines = lines.filter(effective_at__lt=end)
        if "q" in self.values:
            lines = overview.searched(lines, self.values["q"])
        if "link" in self.values:
            lines = lines.filter(credit__click__link__public_id=self.values["link"], credit__code=None)
        if "code" in self.values:
            lines = lines.filter(credit__code__code=self.values["code"])
        return overview.in_stage(lines, self.stage) if with_stage and self.stage else lines

    def url(self, name: str = "portal:earnings", **changes: str) -> str:
        """Return the address of this list with some of its values changed; an empty value leaves one out."""
        values = {key: value for key, value in {**self.values, **changes}.items() if value}
        query = urlencode(values)
        return f"{reverse(name)}?{query}" if query else reverse(name)

    def _bounds(self) -> tuple[datetime | None, datetime | None]:
        period, zone = self.values.get("period", ""), self.room.zone
        start = _start(self.values.get("start"), zone)
        end = _start(self.values.get("end"), zone, after=1)
        month = _month(period)
        if month is not None:
            return _latest(start, month.starts_at(zone)), _earliest(end, month.ends_at(zone))
        if period:
            return _latest(start, self.room.at - timedelta(days=int(period.removesuffix("d")))), end
        return start, end


def _start(text: str | None, zone: tzinfo, *, after: int = 0) -> datetime | None:
    return start_of_day(date.fromisoformat(text) + timedelta(days=after), zone) if text else None


def _latest(first: datetime | None, second: datetime) -> datetime:
    return second if first is None else max(first, second)


def _earliest(first: datetime | None, second: datetime) -> datetime:
    return second if first is None else min(first, second)


def _month(text: str) -> Month | None:
    try:
        return Month.parse(text)
    except ValueError:
        return None


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
