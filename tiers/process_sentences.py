"""How reviews go, in sentences that partners read: when they come, how long there is to make up for a shortfall and to object, who decides.
They are generated from what the reviews follow, never typed."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later
from django.utils.translation import ngettext

from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import Month
from tiers.models import Program
from tiers.narrowing import Names
from tiers.qualify import Cycle, PointRate, Process, Scheme
from tiers.qualify import scheme as parts
from tiers.requirement_words import rounded

EVERY_NAMES: dict[str, Promise] = {
    parts.NEVER: _later("Never by itself"),
    parts.MONTHLY: _later("Every month"),
    parts.QUARTERLY: _later("Every quarter"),
    parts.HALF_YEARLY: _later("Every half-year"),
    parts.YEARLY: _later("Every year"),
    parts.ANNIVERSARY: _later("On each partner's anniversary"),
}
SOURCE_NAMES: dict[str, Promise] = {
    "revenue": _later("Net revenue"),
    "sale": _later("Sale"),
    "new_customer": _later("New customer"),
    "activity": _later("Confirmed activity"),
    "credential": _later("Credential earned"),
}


def process_sentences(scheme: Scheme, locale: str) -> dict[str, str]:
    """Return how reviews go, each thing a scheme settles in one sentence, by its name."""
    process = scheme.process
    return {
        "promotion": _promotion(scheme.calendar.promotion, locale),
        "demotion": _demotion(scheme.calendar.demotion, locale),
        **{name: tell(process) for name, tell in _TOLD.items()},
    }


def rate_sentence(rate: PointRate, program: Program, locale: str, *, names: Names | None = None) -> str:
    """Return what earns points: 5 points for each £100.00 of net revenue (Sourced): 2 × in France."""
    known = names or Names(program)
    told = _points(rate, program, locale)
    only = _(", ").join(
        known.name(param, key) for param, key in (("credit_role", rate.role), ("kind", rate.kind)) if key
    )
    if only:
        told = _("%(points)s (%(only)s)") % {"points": told, "only": only}
    if not rate.multipliers:
        return told
    times = [
        _("%(multiplier)s × in %(country)s")
        % {
            "multiplier": l10n.number_text(rounded(value, 4), locale),
            "country": known.name("market", country),
        }
        for country, value in rate.multipliers
    ]
    return _("%(points)s: %(multipliers)s") % {"points": told, "multipliers": l10n.list_text(times, locale)}


def _points(rate: PointRate, program: Program, locale: str) -> str:
    number = int(rate.points) if rate.points.denominator == 1 else 2
    values = {"points": l10n.number_text(rounded(rate.points, 4), locale), "count": rate.per}
    if rate.source == "revenue":
        values["amount"] = l10n.money_text(Money(rate.per, program.currency), locale)
        text = ngettext(
            "%(points)s point for each %(amount)s of net revenue",
            "%(points)s points for each %(amount)s of net revenue",
            number,
        )
        return text % values
    return _PER_PIECE[rate.source](number, rate.per) % values


_PER_PIECE: dict[str, Callable[[int, int], str]] = {
    "sale": lambda points, per: (
        ngettext("%(points)s point for each sale", "%(points)s points for each sale", points)
        if per == 1
        else ngettext("%(points)s point for %(count)s sales", "%(points)s points for %(count)s sales", points)
    ),
    "new_customer": lambda points, per: (
        ngettext("%(points)s point for each new customer", "%(points)s points for each new customer", points)
        if per == 1
        else ngettext(
            "%(points)s point for %(count)s new customers",
            "%(points)s points for %(count)s new customers",
            points,
        )
    ),
    "activity": lambda points, per: (
        ngettext(
            "%(points)s point for each confirmed activity",
            "%(points)s points for each confirmed activity",
            points,
        )
        if per == 1
        else ngettext(
            "%(points)s point for %(count)s confirmed activities",
            "%(points)s points for %(count)s confirmed activities",
            points,
        )
    ),
    "credential": lambda points, per: (
        ngettext("%(points)s point for each credential", "%(points)s points for each credential", points)
        if per == 1
        else ngettext(
            "%(points)s point for %(count)s credentials",
            "%(points)s points for %(count)s credentials",
            points,
        )
    ),
}


def _promotion(cycle: Cycle, locale: str) -> str:
    values = _when(cycle, locale)
    return {
        parts.NEVER: _("Rises are not reviewed by themselves; somebody asks for each review."),
        parts.MONTHLY: _("Rises are reviewed every month, on day %(day)s."),
        parts.QUARTERLY: _("Rises are reviewed every three months, on day %(day)s, from %(month)s on."),
        parts.HALF_YEARLY: _("Rises are reviewed every six months, on day %(day)s, from %(month)s on."),
        parts.YEARLY: _("Rises are reviewed once a year, on day %(day)s of %(month)s."),
    }[cycle.every] % values


def _demotion(cycle: Cycle, locale: str) -> str:
    values = _when(cycle, locale)
    return {
        parts.NEVER: _("Whether a tier is kept is not reviewed by itself."),
        parts.QUARTERLY: _(
            "Whether a tier is kept is reviewed every three months, on day %(day)s, from %(month)s on."
        ),
        parts.HALF_YEARLY: _(
            "Whether a tier is kept is reviewed every six months, on day %(day)s, from %(month)s on."
        ),
        parts.YEARLY: _("Whether a tier is kept is reviewed once a year, on day %(day)s of %(month)s."),
        parts.ANNIVERSARY: _("Whether a tier is kept is reviewed on the anniversary of joining."),
    }[cycle.every] % values


def _when(cycle: Cycle, locale: str) -> dict[str, object]:
    # Any year does: only the name of the month is shown.
    return {"day": cycle.day, "month": l10n.month_text(Month(2026, cycle.month), locale, "name")}


def _up(process: Process) -> str:
    if process.up == parts.AUTOMATIC:
        return _("Whoever reaches a higher tier moves up without anybody's decision.")
    return _("A person decides on each move up.")


def _down(process: Process) -> str:
    if process.down == parts.AUTOMATIC:
        return _("Who is still below when the grace period ends moves down without anybody's decision.")
    return _("A person decides on each move down.")


def _fall(process: Process) -> str:
    if process.fall == parts.ONE_STEP:
        return _("Nobody falls more than one tier in a review.")
    return _("A fall goes to the highest tier that is reached.")


def _grace(process: Process) -> str:
    if not process.grace_days:
        return _("There is no grace period before a move down.")
    text = ngettext(
        "After the notice there is %(count)s day to reach the tier again.",
        "After the notice there are %(count)s days to reach the tier again.",
        process.grace_days,
    )
    return text % {"count": process.grace_days}


def _appeal(process: Process) -> str:
    text = ngettext(
        "An appeal can be made for %(count)s day after the notice.",
        "An appeal can be made for %(count)s days after the notice.",
        process.appeal_days,
    )
    return text % {"count": process.appeal_days}


def _answer(process: Process) -> str:
    text = ngettext(
        "An appeal is answered within %(count)s working day.",
        "An appeal is answered within %(count)s working days.",
        process.answer_days,
    )
    return text % {"count": process.answer_days}


def _customers(process: Process) -> str:
    months = process.customers_keep_months
    if months is None:
        return _("After a move down, customers from before keep earning at the former tier's rates for good.")
    if not months:
        return _("After a move down, all customers earn at the new tier's rates.")
    text = ngettext(
        "After a move down, customers from before keep earning at the former tier's rates for %(count)s month.",
        "After a move down, customers from before keep earning at the former tier's rates for %(count)s months.",
        months,
    )
    return text % {"count": months}


def _protected(process: Process) -> str:
    if not process.protected_days:
        return _("Newcomers are reviewed like everybody else.")
    text = ngettext(
        "Nobody moves down in the first %(count)s day after joining.",
        "Nobody moves down in the first %(count)s days after joining.",
        process.protected_days,
    )
    return text % {"count": process.protected_days}


_TOLD: dict[str, Callable[[Process], str]] = {
    "up": _up,
    "down": _down,
    "fall": _fall,
    "grace_days": _grace,
    "appeal_days": _appeal,
    "answer_days": _answer,
    "customers_keep_months": _customers,
    "protected_days": _protected,
}
