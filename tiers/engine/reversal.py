"""Take back what a refunded sale earned, line by line, at the ratio frozen when the lines were booked. However a sale is refunded
in parts, the reversals of a line add up to exactly what may be taken back of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context, Decimal
from fractions import Fraction

from prm.lib.money import Money, cumulative_reversal
from tiers.engine.explain import because_reversed
from tiers.engine.facts import Line, OriginalLine, Part

_SHORT = Context(prec=28)


def reverse(
    original_lines: Iterable[OriginalLine],
    *,
    sale: Money,
    refunded_before: Money,
    refund: Money,
    event_key: str = "",
    occurred_at: datetime | None = None,
) -> tuple[Line, ...]:
    """Return a negating line for each original line of which this refund takes something back.

    A flat part that the partner keeps is left out of what is taken back; one "pro rata" goes back with the rest.
    Raises ValueError when the refunds exceed the sale.
    """
    if refunded_before + refund > sale:
        raise ValueError("Refunds must not exceed the sale.")
    step = _Step(sale, refunded_before, refund)
    lines = (_reversal(original, step, event_key, occurred_at) for original in original_lines)
    return tuple(line for line in lines if line.amount.minor != 0)


@dataclass(frozen=True, slots=True)
class _Step:
    """One refund in the row of refunds of a sale."""

    sale: Money
    before: Money
    refund: Money

    def share(self, amount: Money) -> Money:
        taken = cumulative_reversal(amount.minor, self.sale.minor, self.before.minor, self.refund.minor)
        return Money(taken, amount.currency)


def _reversal(original: OriginalLine, step: _Step, event_key: str, occurred_at: datetime | None) -> Line:
    line = original.line
    kept = line.flat if line.flat_on_refund == "kept" else None
    reversible = line.amount if kept is None else line.amount - kept
    amount, base = -step.share(reversible), -step.share(line.base)
    fixed = None if line.flat is None else _flat_back(line.flat, step, is_kept=kept is not None)
    because = because_reversed(
        original,
        event_key=event_key,
        occurred_at=occurred_at,
        gross=-step.refund,
        base=base,
        fixed=fixed,
        parts=_parts(reversible, amount, kept, step),
        exact=_exact_text(reversible, step),
    )
    return replace(line, base=base, flat=fixed, amount=amount, because=because, reverses=original.key)


def _flat_back(flat: Money, step: _Step, *, is_kept: bool) -> Money:
    return Money(0, flat.currency) if is_kept else -step.share(flat)


def _parts(reversible: Money, amount: Money, kept: Money | None, step: _Step) -> tuple[Part, ...]:
    params = {
        "line_minor": reversible.minor,
        "sale_minor": step.sale.minor,
        "refunded_before_minor": step.before.minor,
        "refund_minor": step.refund.minor,
    }
    taken = Part("reversal", amount.minor, params)
    return (taken,) if kept is None else (taken, Part("flat_kept", 0, {"flat_minor": kept.minor}))


def _exact_text(reversible: Money, step: _Step) -> str:
    """Return this refund's own share before rounding: a decimal when a short one is exact, else a fraction: -100/3."""
    exact = Fraction(-reversible.minor * step.refund.minor, step.sale.minor)
    short = _SHORT.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    return format(short, "f") if Fraction(short) == exact else str(exact)
