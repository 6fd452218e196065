"""Money is a whole number of minor units in one currency. It is rounded half away from zero, once, where an amount is born;
currencies never mix; no float comes near."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from prm.lib.currencies import EXPONENTS, UnknownCurrency, exponent

__all__ = [
    "BadAmount",
    "MixedCurrencies",
    "Money",
    "UnknownCurrency",
    "cumulative_reversal",
    "divide_half_away",
    "exponent",
    "round_half_away",
    "zero",
]

Exact: TypeAlias = int | Decimal | Fraction

LARGEST_MINOR = 2**63 - 1  # what a bigint column holds
_AMOUNT = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")


class BadAmount(ValueError):
    """A text that is no amount in the currency; `code` says why, for callers that translate."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.code = code


class MixedCurrencies(ValueError):
    """Two amounts in different currencies met in one operation."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"Amounts in {left} and {right} cannot be combined.")


@dataclass(frozen=True, slots=True)
class Money:
    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:  # a bool or a float here is a bug, not an amount
            raise TypeError(f"An amount is a whole number of minor units, not {self.minor!r}.")
        if self.currency not in EXPONENTS:
            exponent(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read an amount such as "12.50" or "-3", in ASCII digits with a point, exactly.

        Raises: BadAmount, UnknownCurrency.
        """
        decimals = exponent(currency)
        found = _AMOUNT.fullmatch(text)
        if found is None:
            raise BadAmount(
                f"{_shown(text)} is not an amount: write digits with a decimal point.", code="not_an_amount"
            )
        sign, whole, part = found[1], found[2], found[3] or ""
        if len(part) > decimals:
            raise BadAmount(
                f"{_shown(text)} has {len(part)} decimals but {currency} has {decimals}.",
                code="too_many_decimals",
            )
        if len(whole) > 30:  # checked before int(): a megabyte of digits is no amount
            raise BadAmount(f"{_shown(text)} is too large.", code="too_large")
        minor = int(whole + part.ljust(decimals, "0"))
        if minor > LARGEST_MINOR:
            raise BadAmount(f"{_shown(text)} is too large.", code="too_large")
        return cls(-minor if sign == "-" else minor, currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: str) -> Money:
        """Return the sum of `amounts`, zero when there are none.

        Raises: MixedCurrencies.
        """
        minor = 0
        for amount in amounts:
            if amount.currency != currency:
                raise MixedCurrencies(currency, amount.currency)
            minor += amount.minor
        return cls(minor, currency)

    def decimal(self) -> Decimal:
        """Return the amount in major units, with exactly the currency's decimals."""
        return Decimal(f"{self.minor}e-{exponent(self.currency)}")

    def portion(self, rate: Decimal | Fraction) -> Money:
        """Return `rate` (a fraction of one: 8 % is 0.08) of this amount, computed exactly and rounded once."""
        if not isinstance(rate, Decimal | Fraction):
            raise TypeError(f"A rate is a Decimal or a Fraction, not {rate!r}.")
        numerator, denominator = rate.as_integer_ratio()
        return Money(divide_half_away(self.minor * numerator, denominator), self.currency)

    def allocate(self, weights: Sequence[Exact]) -> list[Money]:
        """Split this amount by `weights` so that the parts add up to it exactly.

        Largest remainder on the absolute value, the sign put back; equal remainders go to the earlier weight. Hence
        the split of a negated amount is the negated split.
        """
        ratios = [_ratio(weight) for weight in weights]
        whole = sum(ratios, Fraction(0))
        if not ratios or min(ratios) < 0 or whole == 0:
            raise ValueError("Weights must not be negative and one of them must be more than zero.")
        size = abs(self.minor)
        exact = [size * ratio / whole for ratio in ratios]
        parts = [share.numerator // share.denominator for share in exact]
        by_remainder = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
        for index in by_remainder[: size - sum(parts)]:
            parts[index] += 1
        return [Money(-part if self.minor < 0 else part, self.currency) for part in parts]

    def __str__(self) -> str:
        return f"{self.decimal()} {self.currency}"

    def __bool__(self) -> bool:
        return self.minor != 0

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.minor), self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def _same(self, other: Money) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"Money combines with Money, not with {type(other).__name__}.")
        if other.currency != self.currency:
            raise MixedCurrencies(self.currency, other.currency)
        return other.minor


def zero(currency: str) -> Money:
    """Return nothing, in `currency`."""
    return Money(0, currency)


def round_half_away(value: Exact) -> int:
    """Return the nearest whole number; a half goes away from zero, so -1.5 becomes -2."""
    exact = _ratio(value)
    return divide_half_away(exact.numerator, exact.denominator)


def cumulative_reversal(
    line_minor: int, sale_minor: int, refunded_before_minor: int, refund_minor: int
) -> int:
    """Return how much of a line one refund takes back, with the line's own sign.

    It is what should be reversed after this refund less what should have been reversed before it. However a sale is
    refunded, the parts therefore add up to the whole line when the whole sale has come back.
    """
    refunded = refunded_before_minor + refund_minor
    if sale_minor <= 0:
        raise ValueError("Only a sale of more than zero can be refunded.")
    if refunded_before_minor < 0 or refund_minor < 0 or refunded > sale_minor:
        raise ValueError("Refunds must not be negative nor exceed the sale.")
    return divide_half_away(line_minor * refunded, sale_minor) - divide_half_away(
        line_minor * refunded_before_minor, sale_minor
    )


def divide_half_away(numerator: int, denominator: int) -> int:
    """Divide whole numbers, a half going away from zero; `denominator` must be positive."""
    nearest = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -nearest if numerator < 0 else nearest


def _ratio(value: Exact) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | Fraction):
        raise TypeError(f"Money is computed from whole numbers, Decimals and Fractions, not {value!r}.")
    return Fraction(value)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
