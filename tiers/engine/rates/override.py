"""What a recruiter earns when a recruited partner sells, level by level: a share of the recruit's base or of the recruit's line. The
recruit's own earnings are never touched."""

from prm.lib.money import MixedCurrencies, Money
from tiers.engine.facts import Part, RuleFacts
from tiers.engine.rates import percent
from tiers.engine.rates.context import Context


def parts(rule: RuleFacts, base: Money, context: Context) -> tuple[Part, ...]:
    """Return the level's share; nothing for the partner itself and beyond the last level.

    Raises: MixedCurrencies.
    """
    of = base if rule.override_of == "sales" else context.recruit_amount
    if of is None or not 1 <= context.depth <= len(rule.levels):
        return ()
    if of.currency != base.currency:
        raise MixedCurrencies(base.currency, of.currency)
    rate = rule.levels[context.depth - 1]
    figures: dict[str, int | str] = {"level": context.depth, "of": rule.override_of}
    return (percent.part("override", rate, of.minor, **figures),)
