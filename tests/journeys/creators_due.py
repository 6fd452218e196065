"""What the year of the creators must come to, worked out from the data file alone with exact numbers: nothing here asks the product how it
counts, rounds or converts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache

from demo import dataset
from prm.lib.periods import Month
from tests.journeys import creators
from tests.journeys.creators import CORRECTED, IN_EUROS, MONTHS, PLAIN, RATES, RETURNED, ROWS, TAXED, WITHHELD

TERMS = ("opening", "earned", "reversed", "adjusted", "vat", "withheld", "paid", "closing")
NOTHING = Decimal("0.00")


@dataclass
class Due:
    """A month of a partner; `sent` is what its run tells the bank, None when the balance is carried over."""

    terms: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    kept: Decimal = NOTHING
    sent: Decimal | None = None

    @property
    def closing(self) -> Decimal:
        return sum((amount for name, amount in self.terms.items() if name != "closing"), NOTHING)


@cache
def due() -> dict[tuple[str, Month], Due]:
    """Work the year out from the file: what becomes ready when, and what follows from it."""
    found = {(code, month): Due() for code in ROWS for month in MONTHS}
    for row in dataset.orders():
        if row["partner_code"] in ROWS:
            amount = dataset.earned("influencer", row)
            bought = (dataset.instant(row["occurred_at"]) + creators.SHIFT).astimezone(dataset.LONDON)
            ready = bought.date() + timedelta(days=14)
            terms = found[row["partner_code"], Month(ready.year, ready.month)].terms
            terms["earned" if amount > 0 else "reversed"] += amount
    found[WITHHELD, Month(2025, 3)].terms["adjusted"] = creators.BONUS
    found[PLAIN, Month(2025, 3)].terms["adjusted"] = creators.ANSWERED
    for code in ROWS:
        _add_vat(code, found)
        _carry_and_pay(code, found)
    return found


def _add_vat(code: str, found: dict[tuple[str, Month], Due]) -> None:
    """A fifth of what May and later bring; in June also of April, which was corrected then."""
    if code != TAXED:
        return
    for month in MONTHS:
        if month >= Month(2025, 5):
            found[code, month].terms["vat"] += cents(net_of(found[code, month]) / 5)
    found[code, Month(2025, 6)].terms["vat"] += cents(net_of(found[code, CORRECTED]) / 5)


def _carry_and_pay(code: str, found: dict[tuple[str, Month], Due]) -> None:
    """Each month begins with the last balance and pays it, when it is enough, in its second week."""
    last: Due | None = None
    for month in MONTHS:
        now = found[code, month]
        if last is not None:
            now.terms["opening"] = last.closing
        if last is not None and last.sent is not None:
            now.terms["withheld"] = -last.kept
            now.terms["paid"] = last.kept - last.closing
            if (code, month.previous()) == (IN_EUROS, RETURNED):
                now.terms["paid"] += last.closing
        if now.closing >= creators.MINIMUM:
            if code == WITHHELD and month >= Month(2025, 2):
                now.kept = cents(Fraction(now.closing) * 15 / 100)
            net = now.closing - now.kept
            now.sent = cents(Fraction(net) / Fraction(RATES[month])) if code == IN_EUROS else net
        last = now


def net_of(month: Due) -> Fraction:
    return Fraction(month.terms["earned"] + month.terms["reversed"] + month.terms["adjusted"])


def cents(exact: Fraction) -> Decimal:
    """Round an amount above zero to cents, half of one up."""
    return Decimal((200 * exact + 1) // 2) / 100


def total(name: str, *codes: str) -> Decimal:
    return sum(
        (each.terms[name] for (code, _month), each in due().items() if code in (codes or ROWS)), NOTHING
    )


def major(minor: int) -> Decimal:
    return Decimal(minor) / 100
