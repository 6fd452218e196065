"""A flat amount for each event, whatever its size. A refund that names no sale takes nothing flat back, because nobody can tell
which event had earned it."""

from prm.lib.money import MixedCurrencies, Money
from tiers.engine.facts import Part, RuleFacts


def parts(rule: RuleFacts, base: Money, is_refund: bool) -> tuple[Part, ...]:
    """Return the rule's flat amount, or on a refund a zero with the reason."""
    flat = of(rule, base)
    if is_refund:
        return (not_taken_back(rule, flat),)
    return (Part("flat", flat.minor, {}),)


def of(rule: RuleFacts, base: Money) -> Money:
    """Return the rule's flat amount, which is in the currency of the base.

    Raises: ValueError, MixedCurrencies.
    """
    flat = rule.flat
    if flat is None:
        raise ValueError(f"Rule {rule.key} has no flat amount.")
    if flat.currency != base.currency:
        raise MixedCurrencies(base.currency, flat.currency)
    return flat


def not_taken_back(rule: RuleFacts, flat: Money) -> Part:
    """Return the zero that says why a refund without a named sale leaves a flat amount alone."""
    code = "flat_kept" if rule.flat_on_refund == "kept" else "flat_needs_original"
    return Part(code, 0, {"flat_minor": flat.minor})
