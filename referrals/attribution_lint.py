"""Look over how a program gives credit before it counts. An error is certainly wrong and keeps the rules from being published; a warning
says what may not be meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from referrals.attribution.settings import DAY, HOUR, WINDOWED, Settings
from referrals.attribution_sentences import CONTACT_NAMES
from referrals.facts import GIVES_BACK, TAKES_BACK
from referrals.models import TrackingSettings
from tiers.choices import EventKind
from tiers.models import Program

_MOST_MONTHS = 240
_SHARES = frozenset({"first_touch", "linear", "position", "time_decay"})
# Of these there is one at most per order, so nothing is ever shared among them.
_SINGLE = frozenset({"code", "customer"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth a look; `field` is the part of the rules it is about."""

    severity: Literal["error", "warning"]
    code: str
    field: str
    message: str


def findings_of(settings: Settings, program: Program) -> list[Finding]:
    """Return what is worth a look in the rules of a program, errors first."""
    tracking = TrackingSettings.objects.filter(program=program).first()
    counts_views = tracking is not None and tracking.counts_views
    found = [*_errors(settings), *_warnings(settings, counts_views=counts_views)]
    return sorted(found, key=lambda each: each.severity != "error")


def _errors(settings: Settings) -> Iterator[Finding]:
    for kind in WINDOWED:
        if kind in settings.kinds and kind not in settings.window_hours:
            text = _("%(contact)s counts, but nothing says for how long: give it a window.")
            yield Finding("error", "no_window", f"window_{kind}", text % {"contact": CONTACT_NAMES[kind]})
    kinds = settings.qualifies.kinds
    unknown = sorted(set(kinds) - set(EventKind.values))
    if unknown:
        text = _("No event is called %(names)s.")
        yield Finding("error", "unknown_event", "kinds", text % {"names": ", ".join(unknown)})
    if kinds and not set(kinds) - TAKES_BACK - {GIVES_BACK}:
        text = _(
            "Nothing qualifies: refunds and chargebacks follow their sales and bring nothing by themselves."
        )
        yield Finding("error", "nothing_qualifies", "kinds", text)
    months = settings.recurring_months
    if months is not None and not 1 <= months <= _MOST_MONTHS:
        text = _("Later purchases earn for 1 to 240 months, or without an end.")
        yield Finding("error", "bad_months", "recurring_months", text)
    if settings.qualifies.least_minor < 0:
        yield Finding("error", "bad_amount", "least", _("The least amount is zero or more."))


def _warnings(settings: Settings, *, counts_views: bool) -> Iterator[Finding]:
    if "view" in settings.kinds and not counts_views:
        text = _(
            "Views are to earn, but the program does not count views: switch them on in its tracking settings."
        )
        yield Finding("warning", "views_off", "rank_view", text)
    if settings.model == "time_decay":
        yield from _half_life(settings)
    if settings.model in _SHARES and not any(set(group) - _SINGLE for group in settings.precedence):
        text = _(
            "How credit is shared never matters: an order has one code and one partner who brought the customer."
        )
        yield Finding("warning", "model_without_effect", "model", text)
    for kind in ("code", "click"):
        if kind not in settings.kinds:
            text = _("%(contact)s earns nothing by these rules, though partners are given links and codes.")
            yield Finding(
                "warning", f"{kind}_not_counted", f"rank_{kind}", text % {"contact": CONTACT_NAMES[kind]}
            )
    if settings.kinds == {"customer"}:
        text = _(
            "Only who brought a customer counts: nobody would ever become the first, other than by a transfer."
        )
        yield Finding("warning", "owner_only", "rank_customer", text)
    elif settings.precedence[0] == ("customer",):
        text = _(
            "Who brought the customer comes before everything else: a later deal, code or click of anybody else earns"
            " nothing."
        )
        yield Finding("warning", "owner_first", "rank_customer", text)
    if settings.model == "participation" and settings.assists:
        text = _("Sharing by participation already credits everybody who helped.")
        yield Finding("warning", "assists_twice", "assists", text)


def _half_life(settings: Settings) -> Iterator[Finding]:
    """Say when the half-life makes older contacts weigh nearly as much as the newest."""
    windows = [settings.window(kind) for kind in WINDOWED if kind in settings.kinds]
    longest = max((window for window in windows if window < 400 * DAY), default=None)
    if longest is not None and settings.half_life_hours * HOUR > longest:
        text = _("The half-life is longer than every window: all contacts weigh nearly the same.")
        yield Finding("warning", "long_half_life", "half_life", text)
