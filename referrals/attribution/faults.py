"""What speaks against one contact by itself, before it is compared with others. The first fault is the one that is told, with the figures
a partner needs to check it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from referrals.attribution.candidates import MOVES, Candidate, Happening
from referrals.attribution.settings import WINDOWED, Qualifies
from referrals.attribution.why import Why

Figures = Mapping[str, str | int]
Fault = tuple[Why, Figures]
NO_FIGURES: Figures = {}
# Events that have an order's amount; a sign-up worth nothing is not below the least one.
_ORDERS = frozenset({"sale", "renewal"})


def fault_of(candidate: Candidate, event: Happening) -> Fault | None:
    """Return why `candidate` cannot earn from `event`, whoever else there is; None when it can.

    A contact of a windowed kind earns from its own instant on and for less than its window after it: an event in the same
    instant counts, an event exactly one window later does not.
    """
    if candidate.is_off:
        return (Why.CODE_OFF if candidate.kind == "code" else Why.WITHDRAWN), NO_FIGURES
    if candidate.settings.rank(candidate.kind) is None:
        return Why.KIND_NOT_COUNTED, NO_FIGURES
    return _of_time(candidate, event) or _of_the_event(candidate, event)


def instant(moment: datetime) -> str:
    """Return a moment as it is stored in figures: ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat()


def _of_time(candidate: Candidate, event: Happening) -> Fault | None:
    occurred_at, earner = event.occurred_at, candidate.earner
    joined_at = earner.starts_at
    if joined_at is not None and (candidate.at < joined_at or occurred_at < joined_at):
        return Why.BEFORE_JOINING, {"joined_at": instant(joined_at)}
    if candidate.kind == "code" and (fault := _of_code(candidate, event)):
        return fault
    if candidate.at > occurred_at:
        return Why.AFTER_THE_EVENT, NO_FIGURES
    if candidate.kind in WINDOWED:
        window = candidate.settings.window(candidate.kind)
        if candidate.at <= occurred_at - window:
            return Why.OUTSIDE_WINDOW, {"window_hours": window.days * 24 + window.seconds // 3600}
    if candidate.ends_at is not None and occurred_at >= candidate.ends_at:
        why = {"deal": Why.DEAL_OVER, "code": Why.CODE_OVER}.get(candidate.kind, Why.OWNER_OVER)
        return why, {"ended_at": instant(candidate.ends_at)}
    return None if earner.earns(occurred_at) else (Why.NOT_EARNING, NO_FIGURES)


def _of_code(code: Candidate, event: Happening) -> Fault | None:
    if code.starts_at is not None and event.occurred_at < code.starts_at:
        return Why.CODE_NOT_YET, {"starts_at": instant(code.starts_at)}
    # What takes a sale back is no use of a code.
    if code.is_used_up and event.kind not in MOVES:
        return Why.CODE_USED_UP, {"limit": code.use_limit or 0}
    return None


def _of_the_event(candidate: Candidate, event: Happening) -> Fault | None:
    asks = candidate.settings.qualifies
    missing = _missing(asks, event)
    if missing is not None:
        return Why.NOT_QUALIFIED, missing
    is_new_asked = asks.customers == "new" and candidate.kind != "customer" and event.kind not in MOVES
    if is_new_asked and event.bought_before_at is not None:
        return Why.EXISTING_CUSTOMER, {"bought_at": instant(event.bought_before_at)}
    return None


def _missing(asks: Qualifies, event: Happening) -> Figures | None:
    """Return what an event lacks to count as a referral. What takes a sale back need not be one: only the goods matter."""
    if event.kind not in MOVES:
        if asks.kinds and event.kind not in asks.kinds:
            return {"asked": "kinds", "found": event.kind}
        if event.kind in _ORDERS and event.amount_minor < asks.least_minor:
            return {"asked": "least", "least_minor": asks.least_minor}
    if asks.countries and event.country not in asks.countries:
        return {"asked": "countries", "found": event.country}
    if asks.products and not set(asks.products) & set(event.products):
        return {"asked": "products", "found": ", ".join(event.products)}
    if asks.categories and not set(asks.categories) & set(event.categories):
        return {"asked": "categories", "found": ", ".join(event.categories)}
    for name, value in asks.attributes:
        if _text(event.attributes.get(name)) != value:
            return {"asked": "attributes", "name": name}
    return None


def _text(value: str | int | bool | None) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)
