"""A flat amount for each piece of an event. A refund that names no sale takes nothing back, because nobody can tell which pieces
had earned it."""

from prm.lib.money import Money
from tiers.engine.facts import Part, RuleFacts
from tiers.engine.rates import flat
from tiers.engine.rates.context import Context


def parts(rule: RuleFacts, base: Money, context: Context) -> tuple[Part, ...]:
    """Return the flat amount times the quantity, or on a refund a zero with the reason."""
    each = flat.of(rule, base)
    if context.is_refund:
        return (flat.not_taken_back(rule, each),)
    params = {"flat_minor": each.minor, "quantity": context.quantity}
    return (Part("per_unit", each.minor * context.quantity, params),)
