"""The words of what tiers ask: metrics, windows, operators and figures, as partners read them. A figure is rounded down, so that nothing
looks reached that is not, and what is missing is rounded up."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later
from django.utils.translation import ngettext

from prm.lib import l10n
from prm.lib.money import Money
from tiers.qualify import METRICS, Question, Unit, Window
from tiers.qualify import scheme as parts

METRIC_NAMES: dict[str, Promise] = {
    "net_revenue": _later("Net revenue"),
    "sales": _later("Sales"),
    "average_order": _later("Average order"),
    "new_customers": _later("New customers"),
    "customer_retention": _later("Customers who bought again"),
    "qualified_leads": _later("Qualified leads"),
    "deals_won": _later("Deals won"),
    "points": _later("Points"),
    "plan_attainment": _later("Business plan reached"),
    "certified_ratio": _later("Share of staff certified"),
    "certified_count": _later("Certified people"),
    "trainings_completed": _later("Trainings completed"),
    "activities": _later("Activities together"),
    "joint_customers": _later("Joint customers"),
    "installed_base": _later("Installed base"),
    "manual_score": _later("Our assessment"),
}
PARAM_NAMES: dict[str, Promise] = {
    "goal": _later("Goal of the plan"),
    "certification": _later("Certification"),
    "role": _later("Role"),
    "country": _later("Country"),
    "course": _later("Course"),
    "kind": _later("Kind of activity"),
    "credit_role": _later("Role in the sale"),
}
WINDOW_NAMES: dict[str, Promise] = {
    parts.TRAILING: _later("The months before the review"),
    parts.MONTH: _later("The last whole month"),
    parts.QUARTER: _later("The last whole quarter"),
    parts.HALF_YEAR: _later("The last whole half-year"),
    parts.YEAR: _later("The last whole calendar year"),
    parts.EVER: _later("From the beginning"),
    parts.NOW: _later("As it stands"),
}
OPERATOR_NAMES: dict[str, Promise] = {parts.AT_LEAST: _later("at least"), parts.AT_MOST: _later("at most")}
# How much of a share or a score is shown: tenths of a percent, hundredths of a point.
_PLACES = {Unit.PERCENT: 1, Unit.POINTS: 2, Unit.COUNT: 2}


def metric_name(metric: str) -> str:
    """Return how a metric is called."""
    return str(METRIC_NAMES.get(metric, metric))


def window_text(window: Window) -> str:
    """Return a window inside a sentence: in the last 12 months. Empty for what is counted as it stands."""
    if window.kind == parts.TRAILING:
        text = ngettext("in the last month", "in the last %(count)s months", window.months)
        return text % {"count": window.months}
    return {
        parts.MONTH: _("in the last whole month"),
        parts.QUARTER: _("in the last whole quarter"),
        parts.HALF_YEAR: _("in the last whole half-year"),
        parts.YEAR: _("in the last whole calendar year"),
        parts.EVER: _("since the beginning"),
    }.get(window.kind, "")


def figure_text(
    question: Question, value: Fraction | None, currency: str, locale: str, *, is_gap: bool = False
) -> str:
    """Return a figure in its unit: £1,250.00, 74.5%, 12. One that nobody can know says so; a gap is rounded up."""
    if value is None:
        return _("not known yet")
    unit = METRICS[question.metric].unit
    if unit is Unit.MONEY:
        return l10n.money_text(Money(int(rounded(value, 0, up=is_gap)), currency), locale)
    number = rounded(value, _PLACES[unit], up=is_gap)
    return (
        l10n.percent_text(number / 100, locale) if unit is Unit.PERCENT else l10n.number_text(number, locale)
    )


def rounded(value: Fraction, places: int, *, up: bool = False) -> Decimal:
    """Return a number with so many decimals at most, rounded down or up, without zeros at its end."""
    scaled = value * 10**places
    whole = -(-scaled.numerator // scaled.denominator) if up else scaled.numerator // scaled.denominator
    found = Decimal(whole).scaleb(-places)
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found.normalize()


# Each metric in a sentence. `figure` is what is asked for, `window` over which time; a count says its own noun.
_Counted = Callable[[int], str]
COUNTED: dict[str, _Counted] = {
    "sales": lambda count: ngettext("%(figure)s sale", "%(figure)s sales", count),
    "new_customers": lambda count: ngettext("%(figure)s new customer", "%(figure)s new customers", count),
    "qualified_leads": lambda count: ngettext(
        "%(figure)s qualified lead", "%(figure)s qualified leads", count
    ),
    "deals_won": lambda count: ngettext("%(figure)s deal won", "%(figure)s deals won", count),
    "points": lambda count: ngettext("%(figure)s point", "%(figure)s points", count),
    "certified_count": lambda count: ngettext(
        "%(figure)s person certified", "%(figure)s people certified", count
    ),
    "trainings_completed": lambda count: ngettext(
        "%(figure)s training completed", "%(figure)s trainings completed", count
    ),
    "activities": lambda count: ngettext(
        "%(figure)s confirmed activity", "%(figure)s confirmed activities", count
    ),
    "joint_customers": lambda count: ngettext(
        "%(figure)s joint customer", "%(figure)s joint customers", count
    ),
    "installed_base": lambda count: ngettext(
        "%(figure)s installation in use", "%(figure)s installations in use", count
    ),
}
# What is asked of an amount or a share needs a sentence of its own for either direction.
SENTENCES: dict[tuple[str, str], Promise] = {
    ("net_revenue", parts.AT_LEAST): _later("Net revenue of at least %(figure)s %(window)s"),
    ("net_revenue", parts.AT_MOST): _later("Net revenue of at most %(figure)s %(window)s"),
    ("average_order", parts.AT_LEAST): _later("An average order of at least %(figure)s %(window)s"),
    ("average_order", parts.AT_MOST): _later("An average order of at most %(figure)s %(window)s"),
    ("customer_retention", parts.AT_LEAST): _later(
        "At least %(figure)s of your earlier customers bought again %(window)s"
    ),
    ("customer_retention", parts.AT_MOST): _later(
        "At most %(figure)s of your earlier customers bought again %(window)s"
    ),
    ("plan_attainment", parts.AT_LEAST): _later("At least %(figure)s of your business plan reached"),
    ("plan_attainment", parts.AT_MOST): _later("At most %(figure)s of your business plan reached"),
    ("certified_ratio", parts.AT_LEAST): _later("At least %(figure)s of your staff certified"),
    ("certified_ratio", parts.AT_MOST): _later("At most %(figure)s of your staff certified"),
    ("manual_score", parts.AT_LEAST): _later("An assessment by us of at least %(figure)s"),
    ("manual_score", parts.AT_MOST): _later("An assessment by us of at most %(figure)s"),
}
