"""What a report is asked for, as its address says it: which days, by what, of which value, in which order. Whatever is not understood falls
back to the usual, so that every address shows something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from payouts.choices import ReportDimension
from payouts.reports.counting import LONGEST

MOST_DAYS = 731
USUAL_PERIOD = "30d"
PERIODS = (
    ("7d", _("Last 7 days")),
    ("30d", _("Last 30 days")),
    ("90d", _("Last 90 days")),
    ("month", _("This month")),
    ("last_month", _("Last month")),
    ("year", _("This year")),
    ("365d", _("Last 365 days")),
)
DAY = "day"
WAYS = (
    (DAY, _("Day")),
    (ReportDimension.LINK.value, _("Link")),
    (ReportDimension.CODE.value, _("Code")),
    (ReportDimension.SUB_ID.value, _("Sub-id")),
    (ReportDimension.CAMPAIGN.value, _("Campaign")),
    (ReportDimension.COUNTRY.value, _("Country")),
    (ReportDimension.PRODUCT.value, _("Product")),
)
# What is drawn as columns.
DRAWN = (
    ("earned", _("Earnings")),
    ("revenue", _("Revenue")),
    ("conversions", _("Conversions")),
    ("clicks", _("Clicks")),
)
COUNTED = ("clicks", "visitors", "leads", "conversions", "revenue", "earned", "epc", "rate")
_LAST_PAGE = 10_000


class DatesForm(forms.Form):
    """The days of a report, when none of the usual stretches is meant."""

    start = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        """Refuse a stretch that ends before it begins, or is too long."""
        cleaned = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and end < start:
            self.add_error("end", _("The last day must not be before the first."))
        elif start and end and (end - start).days >= MOST_DAYS:
            self.add_error("end", _("Choose two years at most."))
        elif bool(start) != bool(end) and not self.errors:
            self.add_error("end" if start else "start", _("Give both days."))
        return cleaned


@dataclass(frozen=True)
class Asked:
    """One report: its days (both included), what it is told apart by, and the value it is narrowed to, if any."""

    first: date
    last: date
    period: str
    by: str
    key: str | None
    sort: str
    drawn: str
    page: int
    form: DatesForm
    kept: tuple[tuple[str, str], ...] = ()  # of the page around it, such as a program

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def first_before(self) -> date:
        """Return the first day of the stretch of equal length before."""
        return self.first - timedelta(days=self.days)

    @property
    def is_by_day(self) -> bool:
        return self.by == DAY or self.key is not None

    @property
    def column(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def is_falling(self) -> bool:
        return self.sort.startswith("-")

    def query(self, **changes: str | None) -> str:
        """Return the address of this report with some answers changed; None takes one away. What is usual is not said."""
        said: dict[str, str | None] = {
            **dict(self.kept),
            "by": self.by if self.by != DAY else None,
            "key": self.key,
            "sort": self.sort if self.sort != _usual_sort(self.is_by_day) else None,
            "show": self.drawn if self.drawn != DRAWN[0][0] else None,
        }
        if self.period:
            said["period"] = self.period if self.period != USUAL_PERIOD else None
        else:
            said |= {"start": self.first.isoformat(), "end": self.last.isoformat()}
        return "?" + urlencode([(name, text) for name, text in (said | changes).items() if text is not None])

    def hidden(self) -> list[tuple[str, str]]:
        """Return what a form that asks for other days keeps of this report."""
        said = {**dict(self.kept), "by": self.by, "key": self.key, "sort": self.sort, "show": self.drawn}
        return [(name, text) for name, text in said.items() if text is not None]

    def in_period(self, name: str) -> str:
        """Return the address of the same report over one of the usual stretches."""
        return self.query(period=name if name != USUAL_PERIOD else None, start=None, end=None)


def read(data: QueryDict, *, today: date, kept: tuple[str, ...] = ()) -> Asked:
    """Read a report from its address; `today` is where the program is."""
    form = DatesForm(data if data.get("start") or data.get("end") else None)
    first, last, period = _stretch(data, form, today)
    by = _one_of(data.get("by", ""), [name for name, _label in WAYS], DAY)
    key = _text(data, "key")[:LONGEST] if by != DAY and "key" in data else None
    is_by_day = by == DAY or key is not None
    columns = [*COUNTED, "day" if is_by_day else "name"]
    signed = [sign + column for column in columns for sign in ("", "-")]
    return Asked(
        first=first,
        last=last,
        period=period,
        by=by,
        key=key,
        sort=_one_of(data.get("sort", ""), signed, _usual_sort(is_by_day)),
        drawn=_one_of(data.get("show", ""), [name for name, _label in DRAWN], DRAWN[0][0]),
        page=_number(data.get("page", "")),
        form=form,
        kept=tuple((name, _text(data, name)) for name in kept if data.get(name)),
    )


def _text(data: QueryDict, name: str) -> str:
    return str(data.get(name, ""))


def _usual_sort(is_by_day: bool) -> str:
    return "-day" if is_by_day else "-revenue"


def _stretch(data: QueryDict, form: DatesForm, today: date) -> tuple[date, date, str]:
    if form.is_bound and form.is_valid():
        return form.cleaned_data["start"], form.cleaned_data["end"], ""
    period = _one_of(data.get("period", ""), [name for name, _label in PERIODS], USUAL_PERIOD)
    if period == "month":
        return today.replace(day=1), today, period
    if period == "last_month":
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last, period
    if period == "year":
        return today.replace(month=1, day=1), today, period
    return today - timedelta(days=int(period.removesuffix("d")) - 1), today, period


def _one_of(text: str, known: list[str], otherwise: str) -> str:
    return text if text in known else otherwise


def _number(text: str) -> int:
    return min(max(int(text), 1), _LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 7 else 1
