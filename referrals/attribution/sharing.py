"""Share credit among the contacts that count, by the program's model. Shares are millionths that sum to exactly one; no float comes near,
so that every machine gives the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import isqrt

from referrals.attribution.settings import Model

ONE = 1_000_000
WHOLE = Decimal(1)
_BITS = 128
_MICROSECOND = timedelta(microseconds=1)
_ENDS, _MIDDLE = Fraction(2, 5), Fraction(1, 5)


def _roots() -> tuple[int, ...]:
    """Return the powers of two with the exponents -1/2, -1/4, -1/8 and so on, in units of 2^-128, rounded down."""
    roots, last = [], 1 << (_BITS - 1)
    for _place in range(64):
        last = isqrt(last << _BITS)
        roots.append(last)
    return tuple(roots)


_ROOTS = _roots()


def shares(model: Model, ages: Sequence[timedelta], *, half_life: timedelta) -> list[Decimal]:
    """Return the share of each contact, given how long before the event each was, the oldest first.

    Largest remainder over millionths; of equal remainders the older contact's is rounded up.
    """
    if len(ages) == 1:
        return [WHOLE]
    weights = _weights(model, ages, half_life)
    whole = sum(weights, Fraction(0))
    exact = [ONE * weight / whole for weight in weights]
    parts = [share.numerator // share.denominator for share in exact]
    by_remainder = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in by_remainder[: ONE - sum(parts)]:
        parts[place] += 1
    return [WHOLE if part == ONE else Decimal(part).scaleb(-6) for part in parts]


def _weights(model: Model, ages: Sequence[timedelta], half_life: timedelta) -> list[Fraction]:
    count = len(ages)
    nothing = [Fraction(0)] * (count - 1)
    match model:
        case "first_touch":
            return [Fraction(1), *nothing]
        case "linear":
            return [Fraction(1)] * count
        case "position":
            if count == 2:
                return [Fraction(1), Fraction(1)]
            return [_ENDS, *[_MIDDLE / (count - 2)] * (count - 2), _ENDS]
        case "time_decay":
            # Only how much older one is than another matters.
            return [halved(age - ages[-1], half_life) for age in ages]
        case _:
            return [*nothing, Fraction(1)]


def halved(age: timedelta, half_life: timedelta) -> Fraction:
    """Return 2^(-age / half-life): exact for whole half-lives, else true to more digits than a share has."""
    life = half_life // _MICROSECOND
    whole, rest = divmod(age // _MICROSECOND, life)
    weight = 1 << _BITS
    for root in _ROOTS:
        if not rest:
            break
        rest *= 2
        if rest >= life:
            rest -= life
            weight = weight * root >> _BITS
    return Fraction(weight, 1 << (_BITS + whole))
