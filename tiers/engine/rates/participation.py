"""A bonus for helping with somebody else's sale: a flat amount, a percentage of the base, or both. Which credits are assists is the
caller's to know."""

from prm.lib.money import Money
from tiers.engine.facts import Part, RuleFacts
from tiers.engine.rates import flat, percent
from tiers.engine.rates.context import Context


def parts(rule: RuleFacts, base: Money, context: Context) -> tuple[Part, ...]:
    """Return the percentage, unless there is only a flat amount, and the flat amount, if there is one."""
    if rule.flat is None:
        return (percent.part("participation", rule.rate, base.minor),)
    fixed = flat.parts(rule, base, context.is_refund)
    return (percent.part("participation", rule.rate, base.minor), *fixed) if rule.rate else fixed
