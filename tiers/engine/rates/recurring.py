"""A percentage of what a customer pays, for some months or some payments from the first one, or for life. Months are counted from the
first payment by the calendar, so that a year of monthly payments is twelve of them whatever day it began."""

from decimal import Decimal

from prm.lib.money import Money
from tiers.engine.facts import Part, Recurring, RuleFacts
from tiers.engine.rates import flat, percent
from tiers.engine.rates.context import Context

_FOR_LIFE = Recurring()


def parts(rule: RuleFacts, base: Money, context: Context) -> tuple[Part, ...]:
    """Return the rate of the customer's month, and the flat amount of the rule if it has one; nothing when it is over."""
    lasts = rule.recurring or _FOR_LIFE
    if _is_over(lasts, context):
        return ()
    rate = _rate_of_month(lasts, context.month) if lasts.schedule else rule.rate
    figures: dict[str, int | str] = {
        "month": context.month + 1,
        "months": "" if lasts.months is None else lasts.months,
        "payment": context.payment,
        "payments": "" if lasts.payments is None else lasts.payments,
    }
    rated = percent.part("recurring", rate, base.minor, **figures)
    return (rated,) if rule.flat is None else (rated, *flat.parts(rule, base, context.is_refund))


def _is_over(lasts: Recurring, context: Context) -> bool:
    too_late = lasts.months is not None and context.month >= lasts.months
    return too_late or (lasts.payments is not None and context.payment > lasts.payments)


def _rate_of_month(lasts: Recurring, month: int) -> Decimal:
    return lasts.schedule[min(month, len(lasts.schedule) - 1)]
