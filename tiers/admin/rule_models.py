"""What the rule editor says about each rate model and which fields it shows for it. A field that a model does not have is never read
from the form, so nothing is stored that the engine would not use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from tiers.choices import RateKind
from tiers.order_form import COUNTED

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

METRICS: tuple[tuple[str, StrOrPromise], ...] = (
    ("revenue", _("Net revenue")),
    ("sales", _("Number of sales")),
    ("new_customers", _("New customers")),
    ("leads", _("Qualified leads")),
    ("units", _("Pieces sold")),
)
WINDOWS: tuple[tuple[str, StrOrPromise], ...] = (
    ("month", _("Each calendar month")),
    ("quarter", _("Each calendar quarter")),
    ("year", _("Each calendar year")),
    ("joining", _("Blocks of months since the partner joined")),
    ("lifetime", _("All of the partner's time")),
)
BUDGET_WINDOWS: tuple[tuple[str, StrOrPromise], ...] = (
    ("lifetime", _("One budget for good")),
    ("month", _("A new one each calendar month")),
    ("quarter", _("A new one each calendar quarter")),
    ("year", _("A new one each calendar year")),
)
TRAILING = ("trailing", _("The last months, the month of the event included"))

_EVENT_LIMITS = ("event_min", "event_max", "customer_max", "limit_window", "limit_months", "window_max")
_BUDGET = ("budget_max", "budget_window")
_FLOOR = ("window_min",)
_EACH = (*_EVENT_LIMITS, *_FLOOR, *_BUDGET)
_WHOLE = ("limit_window", "limit_months", "window_max", *_FLOOR, *_BUDGET)
_WINDOW = ("metric", "window", "window_months")
_EVENTS = ("event_kinds", "countries")


@dataclass(frozen=True)
class Model:
    """A rate model as the editor offers it: `says` in one line, `fields` beside those every rule has, `columns` of its table."""

    says: StrOrPromise
    fields: tuple[str, ...]
    columns: tuple[str, ...] = ()
    flat: StrOrPromise = ""  # what the flat amount is for, where the model has one

    @property
    def has_steps(self) -> bool:
        return bool(self.columns)


MODELS: dict[str, Model] = {
    RateKind.PERCENT: Model(_("A share of every order: 10 % of £100 is £10."), ("rate", *_EVENTS, *_EACH)),
    RateKind.FLAT: Model(
        _("The same amount for every event, whatever its size."),
        ("flat", "flat_on_refund", *_EVENTS, *_EACH),
        flat=_("Amount for each event"),
    ),
    RateKind.PERCENT_PLUS_FLAT: Model(
        _("A share of every order and an amount on top."),
        ("rate", "flat", "flat_on_refund", *_EVENTS, *_EACH),
        flat=_("Amount on top"),
    ),
    RateKind.PER_UNIT: Model(
        _("An amount for every piece of an order."),
        ("flat", "flat_on_refund", *_EVENTS, *_EACH),
        flat=_("Amount for each piece"),
    ),
    RateKind.RECURRING: Model(
        _("A share of what a customer pays, for some months or payments or for life."),
        ("rate", "lasts", "lasts_for", "schedule", "flat", "flat_on_refund", *_EVENTS, *_EACH),
        flat=_("Amount on top of each payment"),
    ),
    RateKind.PROSPECTIVE: Model(
        _("The step the partner has reached sets the rate of the orders that follow."),
        (*_WINDOW, "crossing", "flat_on_refund", *_EVENTS, *_EACH),
        ("rate", "flat"),
    ),
    RateKind.PARTICIPATION: Model(
        _("A thank-you for helping with a sale that somebody else brought."),
        ("rate", "flat", "flat_on_refund", *_EVENTS, *_EACH),
        flat=_("Amount for each assist"),
    ),
    RateKind.OVERRIDE: Model(
        _("Whoever recruited a partner earns on what that partner sells or earns."),
        ("levels", "override_of", *_EVENTS, *_EACH),
    ),
    RateKind.GRADUATED: Model(
        _("Each part of the turnover earns its own step's rate, like income tax."),
        (*_WINDOW, *_EVENTS, *_WHOLE),
        ("rate", "flat"),
    ),
    RateKind.VOLUME: Model(
        _("The step reached sets the rate of the whole turnover, from its first pound."),
        (*_WINDOW, *_EVENTS, *_WHOLE),
        ("rate", "flat"),
    ),
    RateKind.STAIRSTEP: Model(
        _("One amount for the step reached, whatever lies above it."),
        (*_WINDOW, *_EVENTS, *_WHOLE),
        ("flat",),
    ),
    RateKind.PACKAGE: Model(
        _("An amount for every block that has been started, such as 50 for each 1,000."),
        (*_WINDOW, "package", "flat", *_EVENTS, *_WHOLE),
        flat=_("Amount for each started block"),
    ),
    RateKind.ACCELERATOR: Model(
        _("Rates that rise as a target is met: one below 100 %, another above."),
        (*_WINDOW, "target", *_EVENTS, *_WHOLE),
        ("rate", "flat"),
    ),
    RateKind.MILESTONE: Model(
        _("A bonus the first time a threshold is reached in a period."),
        (*_WINDOW, "stacking", *_EVENTS, *_WHOLE),
        ("flat",),
    ),
    RateKind.LIFETIME_VALUE: Model(
        _("Pays once all that a customer has bought passes a threshold."),
        ("metric", *_EVENTS, *_BUDGET),
        ("rate", "flat"),
    ),
    RateKind.RETAINER: Model(
        _("A fixed amount for each month, whatever happens in it."),
        ("flat",),
        flat=_("Amount for each month"),
    ),
    RateKind.DRAW: Model(
        _("A guaranteed month: what is missing is advanced and taken back from better months."),
        ("flat",),
        flat=_("Guaranteed amount for each month"),
    ),
}
FAMILIES: tuple[tuple[StrOrPromise, tuple[str, ...]], ...] = (
    (
        _("For each order by itself"),
        ("percent", "flat", "percent_plus_flat", "per_unit", "recurring", "prospective"),
    ),
    (
        _("For all orders of a period together"),
        ("graduated", "volume", "stairstep", "package", "accelerator"),
    ),
    (_("Bonuses"), ("milestone", "lifetime_value", "participation", "override")),
    (_("For each month"), ("retainer", "draw")),
)
# The order of the groups of fields on the page.
RATE_FIELDS = (
    "rate",
    "levels",
    "override_of",
    "lasts",
    "lasts_for",
    "schedule",
    "metric",
    "window",
    "window_months",
    "target",
    "package",
    "flat",
    "stacking",
    "crossing",
    "flat_on_refund",
)
LIMIT_FIELDS = (
    "event_min",
    "event_max",
    "customer_max",
    "limit_window",
    "limit_months",
    "window_min",
    "window_max",
    "budget_max",
    "budget_window",
)


def short_label(kind: str) -> str:
    """Return the name of a model without what explains it."""
    return str(RateKind(kind).label).partition(":")[0]


def is_counted(kind: str, metric: str) -> bool:
    """Say whether a rule's steps start at pieces rather than at money."""
    return metric in COUNTED and kind in MODELS and "metric" in MODELS[kind].fields


def columns(kind: str, metric: str) -> tuple[str, ...]:
    """Return the columns of a model's table besides its first: pieces of a whole window earn amounts, never percents."""
    found = MODELS[kind].columns if kind in MODELS else ()
    if is_counted(kind, metric) and kind != RateKind.PROSPECTIVE:
        return tuple(each for each in found if each != "rate")
    return found


def windows(kind: str) -> tuple[tuple[str, StrOrPromise], ...]:
    """Return the periods a model can count over; only a look back may trail."""
    return (*WINDOWS, TRAILING) if kind == RateKind.PROSPECTIVE else WINDOWS
