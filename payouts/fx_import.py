"""Take in exchange rates: the files of the European Central Bank, or one rate a person enters. A rate that is stored never changes:
the same file again changes nothing, and one that says otherwise is refused as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from payouts.fx import ENTERED, PIVOT
from payouts.fx_files import Day, count_days, days_of
from payouts.models import FxRate
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.money import UnknownCurrency, exponent
from prm.runs.progress import Reporter

if TYPE_CHECKING:
    from prm.accounts.models import User

RUN_KIND = "payouts.import_fx_rates"
PHASES = ("compare", "store")
SOURCE = "ECB"
_DAYS_AT_ONCE = 200
_RATE = re.compile(r"[0-9]{1,10}(\.[0-9]{1,10})?")


class RateDiffers(Refused):
    message = _(
        "The file says %(given)s for %(currency)s on %(day)s, but %(stored)s is stored from the same source. Nothing was"
        " imported. If the stored rate is wrong, enter the right one by hand."
    )
    field = "file"


class FutureDay(Refused):
    message = _("%(day)s is in the future: there is no rate of that day yet.")
    field = "rate_on"


class BadRateText(Refused):
    message = _("Write the rate as a number above zero with at most ten decimals, such as 1.0832.")
    field = "rate"


class BadPair(Refused):
    message = _("A rate leads from one known currency to another.")
    field = "quote"


class AlreadyEntered(Refused):
    message = _(
        "%(stored)s was entered for %(day)s already. Tick that this one corrects it; the first stays on record."
    )
    field = "corrects"


class SomebodyElseImports(Refused):
    message = _("Somebody else imported rates at the same moment. Nothing was imported; try again.")
    field = "file"


@dataclass
class Imported:
    """What a file brought; `unknown` counts rates of currencies that are no longer in use."""

    days: int = 0
    created: int = 0
    known: int = 0
    unknown: int = 0
    first: date | None = None
    last: date | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figures for a result."""
        return asdict(self)


def import_rates(
    content: bytes,
    *,
    by: User | None,
    at: datetime,
    name: str = "",
    reporter: Reporter | None = None,
    dry_run: bool = False,
) -> Imported:
    """Take every rate of a file of the European Central Bank that is not stored yet; all or none.

    Raises: Forbidden, BadRates and its kinds, RateDiffers, FutureDay, SomebodyElseImports.
    """
    if by is not None:
        policy.require(by, "manage_fx")
    reporter = reporter or Reporter()
    found = _compared(content, at=at, reporter=reporter)
    if dry_run or not found.created:
        return found
    try:
        with transaction.atomic():
            _store(content, by=by, at=at, reporter=reporter)
            audit.record(by, "fx_rates.imported", None, at=at, file=name[-100:], **found.as_json())
    except IntegrityError as error:
        raise SomebodyElseImports from error
    return found


@transaction.atomic
def enter(
    base: str, quote: str, rate: str, *, on: date, by: User, at: datetime, corrects: bool = False
) -> FxRate:
    """Store the rate a person read elsewhere; it comes before imported ones of its day. The same one again changes nothing.

    Raises: Forbidden, BadPair, BadRateText, FutureDay, AlreadyEntered.
    """
    policy.require(by, "manage_fx")
    value = _checked_rate(rate)
    _check_pair(base, quote)
    _check_day(on, at=at)
    before = list(
        FxRate.objects.filter(base=base, quote=quote, rate_on=on, source__startswith=ENTERED).order_by(
            "entered_at", "pk"
        )
    )
    if before and before[-1].rate == value:
        return before[-1]
    if before and not corrects:
        raise AlreadyEntered(params={"stored": before[-1].rate.normalize(), "day": on.isoformat()})
    row = FxRate.objects.create(
        base=base,
        quote=quote,
        rate=value,
        rate_on=on,
        source=ENTERED if not before else f"{ENTERED} {len(before) + 1}",
        entered_at=at,
        entered_by=by,
    )
    was = before[-1].rate.normalize() if before else None
    audit.record(by, "fx_rate.entered", row, at=at, rate=value.normalize(), replaces=was)
    return row


def _compared(content: bytes, *, at: datetime, reporter: Reporter) -> Imported:
    """Read the whole file without writing, so that a refusal comes before anything is stored."""
    found = Imported()
    reporter.phase(PHASES[0], total=count_days(content) or None)
    for days in _some(content):
        stored = _stored(days)
        for day in days:
            _check_day(day.on, at=at)
            found.known += sum(_is_known(day, currency, stored) for currency in day.rates)
            found.created += sum((day.on, currency) not in stored for currency in day.rates)
            found.unknown += day.unknown
            found.days += 1
            found.first = min(found.first or day.on, day.on)
            found.last = max(found.last or day.on, day.on)
        reporter.advance(len(days))
    return found


def _is_known(day: Day, currency: str, stored: dict[tuple[date, str], Decimal]) -> bool:
    before = stored.get((day.on, currency))
    if before is not None and before != day.rates[currency]:
        raise RateDiffers(
            params={
                "given": f"{day.rates[currency].normalize():f}",
                "stored": f"{before.normalize():f}",
                "currency": currency,
                "day": day.on.isoformat(),
            }
        )
    return before is not None


def _store(content: bytes, *, by: User | None, at: datetime, reporter: Reporter) -> None:
    reporter.phase(PHASES[1], total=count_days(content) or None)
    for days in _some(content):
        stored = _stored(days)
        FxRate.objects.bulk_create(
            [
                FxRate(
                    base=PIVOT,
                    quote=currency,
                    rate=rate,
                    rate_on=day.on,
                    source=SOURCE,
                    entered_at=at,
                    entered_by=by,
                )
                for day in days
                for currency, rate in day.rates.items()
                if (day.on, currency) not in stored
            ],
            batch_size=2000,
        )
        reporter.advance(len(days))


def _some(content: bytes) -> Iterator[tuple[Day, ...]]:
    """Yield the days of a file some at a time."""
    days = days_of(content)
    while some := tuple(islice(days, _DAYS_AT_ONCE)):
        yield some


def _stored(days: tuple[Day, ...]) -> dict[tuple[date, str], Decimal]:
    rows = FxRate.objects.filter(base=PIVOT, source=SOURCE, rate_on__in=[day.on for day in days])
    return {(on, quote): rate for on, quote, rate in rows.values_list("rate_on", "quote", "rate")}


def _check_day(on: date, *, at: datetime) -> None:
    if on > at.astimezone(UTC).date():
        raise FutureDay(params={"day": on.isoformat()})


def _check_pair(base: str, quote: str) -> None:
    try:
        exponent(base)
        exponent(quote)
    except UnknownCurrency as error:
        raise BadPair from error
    if base == quote:
        raise BadPair


def _checked_rate(text: str) -> Decimal:
    if not _RATE.fullmatch(text.strip()) or not Decimal(text.strip()):
        raise BadRateText
    return Decimal(text.strip())
