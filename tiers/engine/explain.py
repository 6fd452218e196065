"""The explanation stored with every line: codes and figures, never sentences, so that each screen can say them in its language.
A line can be restored from its explanation alone, years later.

All amounts are whole minor units of `currency`, rates are fractions of one in plain digits. The keys:

    order        the event's key              event          {kind, occurred_at}
    gross        before deductions            deductions     [{label_code, amount, rule_ref}]
    base         what the rate applied to     currency
    rate         "0.08", or null              fixed          flat amount inside `amount`, or null
    rule         {key, name, kind, version, version_id, in_force_from, flat_on_refund}
    tier         {key, name}                  checked_not_applied  [{rule: {key, name}, why: {code, wanted, found}, private}]
    rounding     {mode, exact}                amount
    parts        [{label_code, amount_minor, params}], adding up to `amount`
    reverses     key of the line taken back, or null
    what         the kind of line             counts   {window, customer, volume}: what the line adds to which count, or null
    cap          {limit, scope, applied, over}, or null: scope is event, customer, window or budget; `applied` is what came of it
    floor        {limit, scope, added}, or null
    steps        [{from, to, rate, flat, volume, exact}] of a table, or null
    window       {kind, key, metric, before, after}, or null: what the window held; null besides models of a whole window
    share        {weights, at, whole, base}, or null: whose turn among the weights; amount (null for a window) and base of all
    recurring    {month, of, payment, payments}, or null: the first month is 1
    metric       {name, window, value} that a prospective rate was looked up by, or null
    lines        [{product, category, quantity, amount}], only for an order with lines: those this is about; `gross` is their sum
    cause        {code, order} of a true-up, or null: step_reached, version_changed, budget_freed, or the kind of event that took or gave back

For a window model `rounding.exact` is what the change comes to exactly. The line is the window's rounded total after it less the one
before, so that the lines add up to the rounded total; it can differ from the exact change by less than one unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from prm.lib.money import Money
from tiers.engine.conditions import WhyNot
from tiers.engine.facts import (
    REFUND,
    Because,
    Deduction,
    Event,
    Line,
    LineKind,
    OrderLine,
    OriginalLine,
    Part,
    PlanFacts,
    RuleFacts,
    Standing,
)
from tiers.engine.rates import FLAT_LABELS
from tiers.engine.rates.percent import rate_text

ROUNDING = "half_away_from_zero"
_WIDE = Context(prec=100)  # the caller's decimal context must not round an exact figure
_SHORT = Context(prec=28)
_ALWAYS_FIXED = frozenset({"flat", "percent_plus_flat", "per_unit"})

Rejected = tuple[tuple[RuleFacts, WhyNot], ...]


def rule_reference(plan: PlanFacts, rule: RuleFacts) -> dict[str, Any]:
    """Return the rule as explanations name it."""
    return {
        "key": rule.key,
        "name": rule.name,
        "kind": rule.kind,
        "version": plan.version_number,
        "version_id": plan.version_id,
        "in_force_from": plan.effective_at.isoformat(),
        "flat_on_refund": rule.flat_on_refund,
    }


def because_earned(
    event: Event,
    standing: Standing,
    rule: RuleFacts,
    reference: Mapping[str, Any],
    base: Money,
    parts: tuple[Part, ...],
    rejected: Rejected,
    *,
    deducted: tuple[Deduction, ...] = (),
    what: LineKind = "earned",
) -> Because:
    """Explain a line that a rule gives on an event, by the addends of its rate."""
    first = parts[0]
    exact = first.params.get("exact_minor")
    if len(parts) == 1:
        amount = first.amount_minor
        text = str(amount) if exact is None else exact
    else:
        amount = sum([part.amount_minor for part in parts])
        # The addends besides the percentage are whole, so its fraction is the fraction of the sum.
        text = str(amount) if exact is None else _plus(str(exact), amount - first.amount_minor)
    is_refund = event.is_refund
    of_lines = {"lines": [_line_row(line) for line in event.lines]} if event.lines else {}
    return {
        **of_lines,
        "order": event.key,
        "event": {"kind": event.kind, "occurred_at": event.occurred_at.isoformat()},
        "gross": -event.amount.minor if is_refund else event.amount.minor,
        "deductions": _deductions(deducted, -1 if is_refund else 1) if deducted else [],
        "base": base.minor,
        "currency": base.currency,
        "rate": first.params.get("rate"),
        "fixed": None if rule.kind == "percent" else _flat_inside(rule, parts),
        "rule": dict(reference),
        "tier": standing.tier,
        "checked_not_applied": not_applied(rejected) if rejected else [],
        "rounding": {"mode": ROUNDING, "exact": text},
        "amount": amount,
        "parts": [part_row(part) for part in parts],
        "reverses": None,
        "what": what,
        "counts": None,
        "cap": None,
        "floor": None,
        "steps": None,
        "window": None,
        "share": None,
        "recurring": None,
        "metric": None,
        "cause": None,
    }


def because_reversed(
    original: OriginalLine,
    *,
    event_key: str,
    event_kind: str = REFUND,
    occurred_at: datetime | None,
    gross: Money,
    base: Money,
    fixed: Money | None,
    parts: tuple[Part, ...],
    exact: str,
    volume: int = 0,
) -> Because:
    """Explain a line that takes back part of an original one, or gives it back, naming the rule and the tier of that one."""
    line = original.line
    return {
        "order": event_key,
        "event": {"kind": event_kind, "occurred_at": occurred_at.isoformat() if occurred_at else None},
        "gross": gross.minor,
        "deductions": [],
        "base": base.minor,
        "currency": base.currency,
        "rate": None if line.rate is None else rate_text(line.rate),
        "fixed": None if fixed is None else fixed.minor,
        "rule": dict(line.because["rule"]),
        "tier": dict(line.because["tier"]),
        "checked_not_applied": [],
        "rounding": {"mode": ROUNDING, "exact": exact},
        "amount": sum(part.amount_minor for part in parts),
        "parts": [part_row(part) for part in parts],
        "reverses": original.key,
        "what": "reversal",
        "counts": counts_of(line.window, line.customer, volume),
        "cap": None,
        "floor": None,
        "steps": None,
        "window": None,
        "share": None,
        "recurring": None,
        "metric": None,
        "cause": None,
    }


def because_besides(
    *,
    order: str,
    kind: str,
    occurred_at: datetime | None,
    reference: Mapping[str, Any],
    tier: Mapping[str, str],
    amount: Money,
    exact: str,
    part: Part,
    what: LineKind,
    counts: dict[str, Any] | None,
) -> Because:
    """Explain a line that no event earns by itself: a true-up, a fixed amount, a floor, an advance or its recovery."""
    return {
        "order": order,
        "event": {"kind": kind, "occurred_at": occurred_at.isoformat() if occurred_at else None},
        "gross": 0,
        "deductions": [],
        "base": 0,
        "currency": amount.currency,
        "rate": None,
        "fixed": None,
        "rule": dict(reference),
        "tier": dict(tier),
        "checked_not_applied": [],
        "rounding": {"mode": ROUNDING, "exact": exact},
        "amount": amount.minor,
        "parts": [part_row(part)],
        "reverses": None,
        "what": what,
        "counts": counts,
        "cap": None,
        "floor": None,
        "steps": None,
        "window": None,
        "share": None,
        "recurring": None,
        "metric": None,
        "cause": None,
    }


def _line_row(line: OrderLine) -> dict[str, Any]:
    return {
        "product": line.product,
        "category": line.category,
        "quantity": line.quantity,
        "amount": line.amount.minor,
    }


def restore(because: Mapping[str, Any]) -> Line:
    """Return the line a stored explanation belongs to, also one stored before lines could count."""
    rule, currency = because["rule"], because["currency"]
    counts = because.get("counts") or {}
    return Line(
        rule_key=rule["key"],
        rule_name=rule["name"],
        version_id=rule["version_id"],
        kind=rule["kind"],
        base=Money(because["base"], currency),
        rate=None if because["rate"] is None else Decimal(because["rate"]),
        flat=None if because["fixed"] is None else Money(because["fixed"], currency),
        amount=Money(because["amount"], currency),
        because=dict(because),
        flat_on_refund=rule["flat_on_refund"],
        reverses=because["reverses"] or "",
        what=because.get("what", "earned"),
        window=counts.get("window", ""),
        customer=counts.get("customer", ""),
        volume=counts.get("volume", 0),
    )


def not_applied(rejected: Rejected) -> list[dict[str, Any]]:
    """Return the rules that were tried and did not apply, with the reason of each.

    Those that name a partner or a deal are marked, whatever kept them from applying.
    """
    return [_tried(rule, why) for rule, why in rejected]


def _tried(rule: RuleFacts, why: WhyNot) -> dict[str, Any]:
    tried: dict[str, Any] = {
        "rule": {"key": rule.key, "name": rule.name},
        "why": {"code": why.code, "wanted": list(why.wanted), "found": why.found},
    }
    if rule.is_private:
        tried["private"] = True
    return tried


def counts_of(window: str, customer: str = "", volume: int = 0) -> dict[str, Any] | None:
    """Return what a line adds to which count, nothing for a line that counts nowhere."""
    return {"window": window, "customer": customer, "volume": volume} if window else None


def part_row(part: Part) -> dict[str, Any]:
    """Return an addend ready for JSON."""
    return {"label_code": part.label_code, "amount_minor": part.amount_minor, "params": dict(part.params)}


def exact_text(exact: Fraction) -> str:
    """Return an exact figure: a decimal when a short one is exact, else a fraction: -100/3."""
    if exact.denominator == 1:
        return str(exact.numerator)
    short = _SHORT.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    return format(short, "f") if Fraction(short) == exact else str(exact)


def _deductions(deducted: tuple[Deduction, ...], sign: int) -> list[dict[str, Any]]:
    return [
        {
            "label_code": taken.label_code,
            "amount": -sign * abs(taken.amount.minor),
            "rule_ref": taken.rule_ref,
        }
        for taken in deducted
    ]


def _flat_inside(rule: RuleFacts, parts: tuple[Part, ...]) -> int | None:
    flats = [part.amount_minor for part in parts if part.label_code in FLAT_LABELS]
    return sum(flats) if flats or rule.kind in _ALWAYS_FIXED else None


def _plus(exact: str, whole: int) -> str:
    return exact if whole == 0 else format(_WIDE.add(Decimal(exact), whole), "f")
