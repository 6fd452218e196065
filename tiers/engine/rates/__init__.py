"""How much a rule pays on a base, one kind of rate per file. Each answers with its addends; the base of a refund is negative."""

from collections.abc import Callable

from prm.lib.money import Money
from tiers.engine.facts import Part, RateKind, RuleFacts
from tiers.engine.rates import combined, flat, percent

Rate = Callable[[RuleFacts, Money, bool], tuple[Part, ...]]

RATES: dict[RateKind, Rate] = {
    "percent": percent.parts,
    "flat": flat.parts,
    "percent_plus_flat": combined.parts,
}
