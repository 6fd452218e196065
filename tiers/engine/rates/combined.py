"""A percentage plus a flat amount. Only the percentage is rounded, so the sum is the exact sum rounded once."""

from prm.lib.money import Money
from tiers.engine.facts import Part, RuleFacts
from tiers.engine.rates import flat, percent


def parts(rule: RuleFacts, base: Money, is_refund: bool) -> tuple[Part, ...]:
    """Return the addends of both kinds, the percentage first."""
    return percent.parts(rule, base, is_refund) + flat.parts(rule, base, is_refund)
