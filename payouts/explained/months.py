"""Turn what a month brings by itself into rows: a fixed amount, what was missing to a guaranteed one, an advance and its recovery."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from payouts.explained import texts
from payouts.explained.facts import Facts, Row

Part = Mapping[str, Any]


def month_rows(facts: Facts, part: Part) -> Iterator[Row]:
    """Yield the rows of a line no event earns; they add up to it."""
    yield from _ROWS[part["label_code"]](facts, part)


def is_of_a_month(facts: Facts, part: Part) -> bool:
    """Tell whether an addend is all of what a month brings; the minimum of one order has the same name."""
    return part["label_code"] in _ROWS and part["label_code"] == facts.what


def _retainer(facts: Facts, part: Part) -> Iterator[Row]:
    label = _("Fixed amount for %(window)s") % {"window": _window(facts)}
    yield Row(label, facts.money(part["amount_minor"]), counts=True)


def _floor(facts: Facts, part: Part) -> Iterator[Row]:
    params = part["params"]
    yield Row(_guaranteed(facts), facts.money(params["limit_minor"]), counts=True)
    yield Row(_("Less what was booked"), facts.money(-params["booked_minor"]), counts=True)


def _draw(facts: Facts, part: Part) -> Iterator[Row]:
    params = part["params"]
    owed = params["outstanding_minor"] + part["amount_minor"]
    note = _("Advances to be paid back later: %(amount)s.") % {"amount": facts.text(owed)}
    yield Row(_guaranteed(facts), facts.money(params["guaranteed_minor"]), note, counts=True)
    yield Row(_("Less what you earned"), facts.money(-params["earned_minor"]), counts=True)


def _recovery(facts: Facts, part: Part) -> Iterator[Row]:
    params = part["params"]
    yield Row(_("Earned in %(window)s") % {"window": _window(facts)}, facts.money(params["earned_minor"]))
    yield Row(_guaranteed(facts), facts.money(params["guaranteed_minor"]))
    yield Row(_("Advances still open"), facts.money(params["outstanding_minor"]))
    note = _("From what you earned above the guaranteed amount, and no more than is open.")
    yield Row(_("Paid back"), facts.money(part["amount_minor"]), note, counts=True)


def _guaranteed(facts: Facts) -> str:
    return _("Guaranteed for %(window)s") % {"window": _window(facts)}


def _window(facts: Facts) -> str:
    return facts.period or texts.window(str(facts.because.get("order") or ""))


_ROWS: Mapping[str, Callable[[Facts, Part], Iterator[Row]]] = {
    "retainer": _retainer,
    "floor": _floor,
    "draw": _draw,
    "recovery": _recovery,
}
