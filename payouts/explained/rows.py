"""Turn the explanation stored with a line into the rows of its calculation. The rows that count add up to the amount."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, tzinfo
from typing import Any

from django.utils.translation import gettext as _

from payouts.choices import CommissionKind
from payouts.explained import reasons, texts
from payouts.explained.facts import Facts, Row
from payouts.explained.parts import part_rows
from payouts.explained.steps import window_steps
from tiers.choices import EventKind

# Their story is what was booked before; no order is worked out again.
_WITHOUT_A_BASE = frozenset(
    {
        CommissionKind.TRUE_UP,
        CommissionKind.RETAINER,
        CommissionKind.FLOOR,
        CommissionKind.DRAW,
        CommissionKind.RECOVERY,
    }
)


def rows_of(
    because: Mapping[str, Any], zone: tzinfo, *, recruit: str = "", for_staff: bool = False
) -> tuple[Row, ...]:
    """Return the rows of a calculation; `recruit` is who made the sale of an override, when that is known.

    Only `for_staff` are tags of a partner told.
    """
    facts = Facts(because, zone, recruit)
    found = [*_base(facts), *_kept_tier(facts), *_counted(facts), *part_rows(facts), *_exchange(facts)]
    return (*found, *_others(facts, for_staff=for_staff))


def _base(facts: Facts) -> Iterator[Row]:
    """Yield what the rate applies to: the order's total, what is taken off it, this partner's part of it."""
    because, sharing = facts.because, facts.because.get("share") or {}
    if facts.what in _WITHOUT_A_BASE:
        return
    if facts.rule_kind == "override":
        yield _of_the_recruit(facts)
        return
    lines = because.get("lines") or ()
    yield Row(_of_products() if lines else _total(facts.event_kind), facts.money(because["gross"]))
    for line in lines:
        yield Row(_line(line), note=facts.text(line["amount"]))
    for taken in because["deductions"]:
        yield Row(_deduction(taken["label_code"]), facts.money(taken["amount"]))
    whole = sharing.get("base", because["base"])
    if whole != because["gross"]:
        yield Row(_("Commissionable amount"), facts.money(whole))
    if sharing and sharing["whole"] is None:
        yield Row(_("Your %(share)s of it") % {"share": facts.share}, facts.money(because["base"]))


def _kept_tier(facts: Facts) -> Iterator[Row]:
    """Yield the tier that counts where it is not the one the partner stands in."""
    tier = facts.because.get("tier") or {}
    if tier.get("kept"):
        note = _("%(tier)s, the former one: it still counts for customers from before the change.")
        yield Row(_("Tier"), note=note % {"tier": tier["name"]})


def _of_the_recruit(facts: Facts) -> Row:
    """Return what an override is a share of; of the sale itself no more than that is the recruiter's to know."""
    params = [part["params"] for part in facts.because["parts"] if part["label_code"] == "override"]
    who = facts.recruit or _("a partner you recruited")
    base = facts.money(facts.because["base"])
    if params and params[0].get("of") == "sales":
        return Row(_("Sale of %(partner)s") % {"partner": who}, base)
    return Row(_("Commission of %(partner)s") % {"partner": who}, base)


def _total(kind: str) -> str:
    labels = {
        EventKind.REFUND: _("Refund"),
        EventKind.CHARGEBACK: _("Charged back"),
        EventKind.CHARGEBACK_WON: _("Won back"),
    }
    return labels.get(EventKind(kind), _("Order total")) if kind in EventKind.values else _("Order total")


def _of_products() -> str:
    return _("Products this is for")


def _line(line: Mapping[str, Any]) -> str:
    """Return a line of an order in words; what belongs to no product is what the order comes to besides them."""
    name = line["product"] or line["category"]
    if not name:
        return _("Besides the products")
    return _("%(count)s × %(product)s") % {"count": line["quantity"], "product": name}


def _deduction(code: str) -> str:
    labels = {
        "tax": _("Less tax"),
        "vat": _("Less VAT"),
        "shipping": _("Less shipping"),
        "discount": _("Less discount"),
        "cost": _("Less cost of goods"),
    }
    return labels.get(code, _("Less %(what)s") % {"what": code.replace("_", " ")})


def _counted(facts: Facts) -> Iterator[Row]:
    """Yield what the window of a table held before and holds now, and for a true-up the steps of all of it."""
    window = facts.window
    if not window:
        return
    before, after = facts.volume(window["before"]), facts.volume(window["after"])
    label = _("Counted in %(window)s") % {"window": texts.window(window["key"])}
    if facts.rule_kind == "lifetime_value":
        label = _("Counted for this customer")
    if window["before"] == window["after"]:
        yield Row(label, note=_("%(after)s in all.") % {"after": after})
    else:
        note = _("%(before)s before, %(after)s with this.") % {"before": before, "after": after}
        yield Row(label, note=note)
    if facts.what == CommissionKind.TRUE_UP:
        yield from window_steps(facts)


def _exchange(facts: Facts) -> Iterator[Row]:
    """Yield the rate of exchange, where one was used."""
    used = facts.because.get("fx")
    if used:
        params = {
            "rate": texts.number(used["rate"]) if not isinstance(used["rate"], str) else used["rate"],
            "date": texts.day(date.fromisoformat(used["date"])),
            "source": used["source"],
        }
        yield Row(_("Rate of exchange"), note=_("%(rate)s on %(date)s, %(source)s.") % params)


def _others(facts: Facts, *, for_staff: bool) -> Iterator[Row]:
    """Yield why other rules gave nothing, without those made for somebody else."""
    tried = [each for each in facts.because["checked_not_applied"] if reasons.is_for_readers(each)]
    if tried:
        told = (reasons.not_applied(each, for_staff=for_staff) for each in tried)
        yield Row(_("Other rules checked"), note=" ".join(told))
