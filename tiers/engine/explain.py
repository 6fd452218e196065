"""The explanation stored with every line: codes and figures, never sentences, so that each screen can say them in its language.
A line can be restored from its explanation alone, years later.

All amounts are whole minor units of `currency`, rates are fractions of one in plain digits. The keys:

    order        the event's key              event          {kind, occurred_at}
    gross        before deductions            deductions     [{label_code, amount, rule_ref}]
    base         what the rate applied to     currency
    rate         "0.08", or null              fixed          flat amount inside `amount`, or null
    rule         {key, name, kind, version, version_id, in_force_from, flat_on_refund}
    tier         {key, name}                  checked_not_applied  [{rule: {key, name}, why: {code, wanted, found}}]
    rounding     {mode, exact}                amount
    parts        [{label_code, amount_minor, params}], adding up to `amount`
    reverses     key of the line taken back, or null
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from prm.lib.money import Money
from tiers.engine.conditions import WhyNot
from tiers.engine.facts import (
    REFUND,
    Because,
    Event,
    Line,
    OriginalLine,
    Part,
    PlanFacts,
    RuleFacts,
    Standing,
)
from tiers.engine.rates.percent import rate_text

ROUNDING = "half_away_from_zero"
_WIDE = Context(prec=100)  # the caller's decimal context must not round an exact figure

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
) -> Because:
    """Explain a line that a rule gives on an event."""
    amount = sum(part.amount_minor for part in parts)
    has_percent = rule.kind != "flat"
    # The addends besides the percentage are whole, so its fraction is the fraction of the sum.
    exact = (
        _plus(str(parts[0].params["exact_minor"]), amount - parts[0].amount_minor)
        if has_percent
        else str(amount)
    )
    return {
        "order": event.key,
        "event": {"kind": event.kind, "occurred_at": event.occurred_at.isoformat()},
        "gross": -event.amount.minor if event.is_refund else event.amount.minor,
        "deductions": _deductions(event) if event.deductions else [],
        "base": base.minor,
        "currency": base.currency,
        "rate": parts[0].params["rate"] if has_percent else None,
        "fixed": None if rule.kind == "percent" else _flat_inside(parts),
        "rule": dict(reference),
        "tier": {"key": standing.tier_key, "name": standing.tier_name},
        "checked_not_applied": not_applied(rejected),
        "rounding": {"mode": ROUNDING, "exact": exact},
        "amount": amount,
        "parts": [_part(part) for part in parts],
        "reverses": None,
    }


def because_reversed(
    original: OriginalLine,
    *,
    event_key: str,
    occurred_at: datetime | None,
    gross: Money,
    base: Money,
    fixed: Money | None,
    parts: tuple[Part, ...],
    exact: str,
) -> Because:
    """Explain a line that takes back part of an original one, naming the rule and the tier of that one."""
    line = original.line
    return {
        "order": event_key,
        "event": {"kind": REFUND, "occurred_at": occurred_at.isoformat() if occurred_at else None},
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
        "parts": [_part(part) for part in parts],
        "reverses": original.key,
    }


def restore(because: Mapping[str, Any]) -> Line:
    """Return the line a stored explanation belongs to."""
    rule, currency = because["rule"], because["currency"]
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
    )


def not_applied(rejected: Rejected) -> list[dict[str, Any]]:
    """Return the rules that were tried and did not apply, with the reason of each."""
    return [
        {
            "rule": {"key": rule.key, "name": rule.name},
            "why": {"code": why.code, "wanted": list(why.wanted), "found": why.found},
        }
        for rule, why in rejected
    ]


def _deductions(event: Event) -> list[dict[str, Any]]:
    sign = -1 if event.is_refund else 1
    return [
        {
            "label_code": taken.label_code,
            "amount": -sign * abs(taken.amount.minor),
            "rule_ref": taken.rule_ref,
        }
        for taken in event.deductions
    ]


def _flat_inside(parts: tuple[Part, ...]) -> int:
    return sum(part.amount_minor for part in parts if part.label_code == "flat")


def _part(part: Part) -> dict[str, Any]:
    return {"label_code": part.label_code, "amount_minor": part.amount_minor, "params": dict(part.params)}


def _plus(exact: str, whole: int) -> str:
    return exact if whole == 0 else format(_WIDE.add(Decimal(exact), whole), "f")
