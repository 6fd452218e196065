"""Find the exchange rate of a day and convert with it: the newest that is not after the day and at most a week old. A rate is a
fraction until an amount is born of it, so nothing is rounded twice; what was used is kept as a row that can be named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from payouts.models import FxRate, PaymentMethod
from prm.lib.errors import Refused
from prm.lib.money import MixedCurrencies, Money, exponent, round_half_away

if TYPE_CHECKING:
    from tiers.models import Program

PIVOT = "EUR"  # what the European Central Bank quotes against
OLDEST = timedelta(days=7)  # Easter and Christmas leave four days without a rate
ENTERED, CROSS = "entered", "cross"
_PLACES = Decimal(1).scaleb(-10)


class NoRate(Refused):
    message = _(
        "There is no exchange rate from %(base)s to %(quote)s for %(day)s that is at most %(days)s days old. Import the"
        " rates of the European Central Bank, or enter one under Exchange rates."
    )
    field = "fx_rate"


@dataclass(frozen=True)
class Rate:
    """One unit of `base` is worth `exact` units of `quote`; `row` is the stored rate it is, None while it is computed."""

    base: str
    quote: str
    exact: Fraction
    on: date
    source: str
    row: FxRate | None = None

    @property
    def decimal(self) -> Decimal:
        """Return the rate with the ten decimals that are stored and shown."""
        with localcontext() as context:
            context.prec = 60
            value = Decimal(self.exact.numerator) / Decimal(self.exact.denominator)
            return value.quantize(_PLACES, rounding=ROUND_HALF_UP)

    def facts(self) -> dict[str, Any]:
        """Return the rate as a document freezes it; `from_facts` reads it back exactly."""
        return {
            "base": self.base,
            "quote": self.quote,
            "rate": str(self.decimal),
            "exact": f"{self.exact.numerator}/{self.exact.denominator}",
            "on": self.on.isoformat(),
            "source": self.source,
            "id": self.row.pk if self.row is not None else None,
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Rate:
        """Return the rate a document froze."""
        return cls(
            base=facts["base"],
            quote=facts["quote"],
            exact=Fraction(facts["exact"]),
            on=date.fromisoformat(facts["on"]),
            source=facts["source"],
            row=FxRate.objects.get(pk=facts["id"]) if facts["id"] is not None else None,
        )


def rate_for(base: str, quote: str, *, on: date) -> Rate:
    """Return the rate of the newest day up to `on`; on that day what a person entered comes before what was imported, and
    what was quoted before what is computed through the euro.

    Raises: NoRate, UnknownCurrency.
    """
    return Rates([base, quote], on=on).rate(base, quote)


def convert(money: Money, rate: Rate) -> Money:
    """Return `money` in the other currency, rounded once to its decimals.

    Raises: MixedCurrencies.
    """
    if money.currency != rate.base:
        raise MixedCurrencies(rate.base, money.currency)
    scale = Fraction(10) ** (exponent(rate.quote) - exponent(rate.base))
    return Money(round_half_away(money.minor * rate.exact * scale), rate.quote)


def kept(rate: Rate, *, at: datetime) -> FxRate:
    """Return the row of a rate that is used; a computed one is written the first time, with the source "cross".

    A rate entered later for the same day makes another cross rate; it gets a number, and the first stays what it was.
    """
    if rate.row is not None:
        return rate.row
    if rate.base == rate.quote:
        raise ValueError("No rate is kept for a currency and itself.")
    with transaction.atomic():
        for number in range(1, 1000):
            source = CROSS if number == 1 else f"{CROSS} {number}"
            row, _is_new = FxRate.objects.get_or_create(
                base=rate.base,
                quote=rate.quote,
                rate_on=rate.on,
                source=source,
                defaults={"rate": rate.decimal, "entered_at": at},
            )
            if row.rate == rate.decimal:
                return row
    raise AssertionError("A thousand rates were entered for one day.")


class Rates:
    """The rates of some currencies as they stand for one day, read at once; ask `rate` as often as needed."""

    def __init__(self, currencies: Iterable[str], *, on: date) -> None:
        self.on = on
        codes = {*currencies, PIVOT}
        for code in codes:
            exponent(code)
        found = FxRate.objects.filter(
            base__in=codes, quote__in=codes, rate_on__lte=on, rate_on__gte=on - OLDEST
        ).exclude(source__startswith=CROSS)
        self._days: dict[date, dict[tuple[str, str], FxRate]] = {}
        # What comes later stands: imported first, then entered, of those the last.
        for row in sorted(found, key=lambda row: (is_entered(row), row.entered_at, row.pk)):
            self._days.setdefault(row.rate_on, {})[row.base, row.quote] = row

    def rate(self, base: str, quote: str) -> Rate:
        """Return the rate from `base` to `quote`.

        Raises: NoRate.
        """
        if base == quote:
            return Rate(base, quote, Fraction(1), self.on, "")
        for day in sorted(self._days, reverse=True):
            found = self._quoted(day, base, quote) or self._crossed(day, base, quote)
            if found is not None:
                return found
        params = {"base": base, "quote": quote, "day": self.on.isoformat(), "days": OLDEST.days}
        raise NoRate(params=params)

    def _quoted(self, day: date, base: str, quote: str) -> Rate | None:
        """Return the pair as it was quoted that day, or turned round; an entered one comes first."""
        rows = self._days[day]
        there, back = rows.get((base, quote)), rows.get((quote, base))
        if there is not None and (back is None or is_entered(there) or not is_entered(back)):
            return Rate(base, quote, Fraction(there.rate), day, there.source, there)
        return Rate(base, quote, 1 / Fraction(back.rate), day, CROSS) if back is not None else None

    def _crossed(self, day: date, base: str, quote: str) -> Rate | None:
        if PIVOT in (base, quote):
            return None
        first, second = self._quoted(day, base, PIVOT), self._quoted(day, PIVOT, quote)
        if first is None or second is None:
            return None
        return Rate(base, quote, first.exact * second.exact, day, CROSS)


def is_entered(row: FxRate) -> bool:
    """Tell whether a person entered the rate."""
    return row.source.startswith(ENTERED)


def needed_pairs(program: Program | None = None) -> list[tuple[str, str]]:
    """Return the pairs that payments need: balances of `program` (all programs when None) whose account receives another currency."""
    methods = PaymentMethod.objects.current().exclude(payout_currency=F("currency"))
    if program is not None:
        methods = methods.filter(currency=program.currency, partner__memberships__program=program)
    else:
        methods = methods.filter(partner__memberships__program__currency=F("currency"))
    return sorted(set(methods.values_list("currency", "payout_currency")))


def offered(currency: str, *, on: date) -> list[str]:
    """Return the currencies a balance in `currency` can be paid in with the rates of the week before `on`; itself comes first."""
    week = FxRate.objects.filter(rate_on__lte=on, rate_on__gte=on - OLDEST).exclude(source__startswith=CROSS)
    known = {code for pair in week.values_list("base", "quote").distinct() for code in pair}
    rates = Rates(known | {currency}, on=on)
    return [currency, *sorted(code for code in known - {currency} if _has(rates, currency, code))]


def missing_for(program: Program, *, on: date) -> list[tuple[str, str]]:
    """Return the pairs that `program` needs and that have no rate for the day."""
    pairs = needed_pairs(program)
    if not pairs:
        return []
    rates = Rates({code for pair in pairs for code in pair}, on=on)
    return [pair for pair in pairs if not _has(rates, *pair)]


def _has(rates: Rates, base: str, quote: str) -> bool:
    try:
        rates.rate(base, quote)
    except NoRate:
        return False
    return True
