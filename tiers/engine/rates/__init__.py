"""How much a rule pays, one kind of rate per file. A rate on an event answers with its addends, the base of a refund being negative;
a rate on a window answers with what a volume is owed, exactly."""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from prm.lib.money import Money
from tiers.engine.facts import Part, RateKind, RuleFacts
from tiers.engine.rates import combined, flat, graduated, percent, volume
from tiers.engine.rates.tables import Row

Rate = Callable[[RuleFacts, Money, bool], tuple[Part, ...]]

RATES: dict[RateKind, Rate] = {
    "percent": percent.parts,
    "flat": flat.parts,
    "percent_plus_flat": combined.parts,
}


class WindowRate(NamedTuple):
    """What a window is owed, as a function of what it counts on top of an offset.

    `total(rule, offset, volume)` is what `volume` is owed. `carried(rule, offset, before, after)` is what an event's line
    is counted from: what `before` is owed, for a volume rate at the step that `after` reaches. `slices(rule, offset,
    before, after)` explains the change in rows ready for JSON.
    """

    total: Callable[[RuleFacts, int, int], Fraction]
    carried: Callable[[RuleFacts, int, int, int], Fraction]
    slices: Callable[[RuleFacts, int, int, int], tuple[Row, ...]]


def _before(
    total: Callable[[RuleFacts, int, int], Fraction],
) -> Callable[[RuleFacts, int, int, int], Fraction]:
    return lambda rule, offset, before, after: total(rule, offset, before)


WINDOWED: dict[str, WindowRate] = {
    "graduated": WindowRate(graduated.total, _before(graduated.total), graduated.slices),
    "volume": WindowRate(volume.total, volume.carried, volume.slices),
}
