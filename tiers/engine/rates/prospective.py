"""The rate of the step the partner has reached, from the next event on. What was earned before stays at the rate of its day, so a
step reached never changes the past."""

from prm.lib.money import Money
from tiers.engine.facts import Part, RuleFacts
from tiers.engine.rates import flat, percent
from tiers.engine.rates.context import Context


def parts(rule: RuleFacts, base: Money, context: Context) -> tuple[Part, ...]:
    """Return the rate of the step that the metric has reached, and the step's flat amount; nothing below the first step."""
    reached = [step for step in rule.steps if step.start <= max(context.metric_value, 0)]
    if not reached:
        return ()
    step, above = reached[-1], rule.steps[len(reached) :]
    figures: dict[str, int | str] = {
        "metric": rule.metric,
        "metric_value": context.metric_value,
        "from": step.start,
        "to": above[0].start if above else "",
    }
    rated = percent.part("prospective", step.rate, base.minor, **figures)
    if not step.flat:
        return (rated,)
    each = Money(step.flat, base.currency)
    fixed = flat.not_taken_back(rule, each) if context.is_refund else Part("flat", each.minor, {})
    return (rated, fixed)
