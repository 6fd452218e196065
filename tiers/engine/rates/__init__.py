"""How much a rule pays, one kind of rate per file. A rate on an event answers with its addends, the base of a refund being negative;
a rate on a window answers with what a volume is owed, exactly."""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from prm.lib.money import Money
from tiers.engine.facts import Part, RateKind, RuleFacts
from tiers.engine.rates import (
    accelerator,
    combined,
    flat,
    graduated,
    lifetime_value,
    milestone,
    override,
    package,
    participation,
    per_unit,
    percent,
    prospective,
    recurring,
    stairstep,
    volume,
)
from tiers.engine.rates.context import Context
from tiers.engine.rates.tables import Row

Rate = Callable[[RuleFacts, Money, bool], tuple[Part, ...]]

RATES: dict[RateKind, Rate] = {
    "percent": percent.parts,
    "flat": flat.parts,
    "percent_plus_flat": combined.parts,
}

ContextRate = Callable[[RuleFacts, Money, Context], tuple[Part, ...]]

# These need to know more than the base. No parts at all: the rule does not pay for this event.
CONTEXT_RATES: dict[str, ContextRate] = {
    "per_unit": per_unit.parts,
    "prospective": prospective.parts,
    "recurring": recurring.parts,
    "participation": participation.parts,
    "override": override.parts,
}

# The labels of parts that are flat amounts, for what a line says is flat in it.
FLAT_LABELS = frozenset({"flat", "per_unit"})


class WindowRate(NamedTuple):
    """What a window is owed, as a function of what it counts on top of an offset.

    `total(rule, offset, volume)` is what `volume` is owed. `carried(rule, offset, before, after)` is what an event's line
    is counted from: what `before` is owed, for a volume rate at the step that `after` reaches. `slices(rule, offset,
    before, after)` explains the change in rows ready for JSON.
    """

    total: Callable[[RuleFacts, int, int], Fraction]
    carried: Callable[[RuleFacts, int, int, int], Fraction]
    slices: Callable[[RuleFacts, int, int, int], tuple[Row, ...]]


def _telescoping(
    total: Callable[[RuleFacts, int, int], Fraction],
    slices: Callable[[RuleFacts, int, int, int], tuple[Row, ...]],
) -> WindowRate:
    """Return a rate whose events are paid the change of the total, so that nothing is left to true up."""
    return WindowRate(total, lambda rule, offset, before, after: total(rule, offset, before), slices)


WINDOWED: dict[str, WindowRate] = {
    "graduated": _telescoping(graduated.total, graduated.slices),
    "volume": WindowRate(volume.total, volume.carried, volume.slices),
    "stairstep": _telescoping(stairstep.total, stairstep.slices),
    "package": _telescoping(package.total, package.slices),
    "accelerator": _telescoping(accelerator.total, accelerator.slices),
    "milestone": _telescoping(milestone.total, milestone.slices),
    "lifetime_value": _telescoping(lifetime_value.total, lifetime_value.slices),
}
