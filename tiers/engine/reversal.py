"""Take back what a refunded sale earned, line by line, at the ratio frozen when the lines were booked, and give back what a won
chargeback had taken. However a sale is refunded in parts, what is taken of a line adds up to exactly what may be taken of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from prm.lib.money import Money, cumulative_reversal
from tiers.engine.explain import because_reversed, exact_text
from tiers.engine.facts import BONUS_LIKE, GIVES_BACK, REFUND, WINDOW_MODELS, Line, OriginalLine, Part


def reverse(
    original_lines: Iterable[OriginalLine],
    *,
    sale: Money,
    refunded_before: Money,
    refund: Money,
    event_key: str = "",
    event_kind: str = REFUND,
    occurred_at: datetime | None = None,
) -> tuple[Line, ...]:
    """Return a negating line for each original line of which this refund takes something back.

    A flat part goes back as its rule says: never, in proportion, at the first refund or with the last. A chargeback
    that is won gives `refund` back. A line of a window also takes back what it counted; one that earns as a whole
    (`BONUS_LIKE`) takes back nothing else. Raises ValueError when the refunds exceed the sale.
    """
    step = Step.of(sale, refunded_before, refund, event_kind)
    originals = [original for original in original_lines if is_reversible(original.line)]
    lines = (_reversal(original, step, event_key, event_kind, occurred_at) for original in originals)
    return tuple(line for line in lines if line.amount.minor != 0 or line.volume != 0)


def is_reversible(line: Line) -> bool:
    """Return whether a refund takes back part of this line; a window's true-ups follow from what it then holds."""
    if line.what == "true_up":
        return line.kind not in WINDOW_MODELS
    return line.what in ("earned", "override", "bonus")


@dataclass(frozen=True, slots=True)
class Step:
    """One refund in the row of refunds of a sale: from `low` refunded to `high`, or back from `high` to `low` (`sign` 1)."""

    sale: Money
    low: Money
    high: Money
    sign: int

    @classmethod
    def of(cls, sale: Money, before: Money, amount: Money, event_kind: str = REFUND) -> Step:
        """Return the step a refund takes; nobody wins back more than was taken."""
        if event_kind == GIVES_BACK:
            return cls(sale, max(before - amount, Money(0, sale.currency)), before, 1)
        if before + amount > sale:
            raise ValueError("Refunds must not exceed the sale.")
        return cls(sale, before, before + amount, -1)

    @property
    def change(self) -> Money:
        """What goes back to the customer, negative, or comes again."""
        return Money(self.sign * (self.high.minor - self.low.minor), self.sale.currency)

    @property
    def after(self) -> Money:
        """What has been refunded after it."""
        return self.high if self.sign < 0 else self.low

    def share(self, minor: int) -> int:
        """Return how an amount of money changes, in proportion and so that all steps add up to it."""
        low, high = self.low.minor, self.high.minor
        return self.sign * cumulative_reversal(minor, self.sale.minor, low, high - low)

    def pieces(self, count: int) -> int:
        """Return how a count of pieces changes: a piece is gone when all of it has been refunded."""
        sale, size = self.sale.minor, abs(count)
        gone = size * self.high.minor // sale - size * self.low.minor // sale
        return self.sign * (gone if count >= 0 else -gone)

    def flat(self, policy: str, minor: int) -> int:
        """Return how a flat part changes that goes back all at once, or never."""
        if policy == "at_first":
            moves = self.low.minor == 0 < self.high.minor
        else:
            moves = policy == "until_full" and self.low < self.high == self.sale
        return self.sign * minor if moves else 0


def _reversal(
    original: OriginalLine, step: Step, event_key: str, event_kind: str, occurred_at: datetime | None
) -> Line:
    line, currency = original.line, original.line.amount.currency
    base = Money(step.share(line.base.minor), currency)
    parts, exact = _parts(line, step)
    volume = _volume(line, step)
    fixed = None if line.flat is None else Money(_flat_back(line, line.flat.minor, step), currency)
    because = because_reversed(
        original,
        event_key=event_key,
        event_kind=event_kind,
        occurred_at=occurred_at,
        gross=step.change,
        base=base,
        fixed=fixed,
        parts=parts,
        exact=exact_text(exact),
        volume=volume,
    )
    return replace(
        line,
        base=base,
        flat=fixed,
        amount=Money(because["amount"], currency),
        because=because,
        reverses=original.key,
        what="reversal",
        volume=volume,
    )


def _flat_back(line: Line, flat: int, step: Step) -> int:
    return step.share(flat) if line.flat_on_refund == "pro_rata" else step.flat(line.flat_on_refund, flat)


def _parts(line: Line, step: Step) -> tuple[tuple[Part, ...], Fraction]:
    """Return the addends of what a step takes of a line, and the exact figure before rounding."""
    if line.kind in BONUS_LIKE:
        return (Part("counted_back", 0, {"line_minor": line.amount.minor}),), Fraction(0)
    flat = line.flat if line.flat_on_refund != "pro_rata" else None
    reversible = line.amount.minor - (0 if flat is None else flat.minor)
    exact = Fraction(reversible * step.change.minor, step.sale.minor)
    taken = Part("reversal", step.share(reversible), _params(reversible, step))
    if flat is None:
        return (taken,), exact
    moved = step.flat(line.flat_on_refund, flat.minor)
    code = "flat_back" if moved else "flat_kept"
    return (taken, Part(code, moved, {"flat_minor": flat.minor})), exact + moved


def _params(reversible: int, step: Step) -> dict[str, int | str]:
    before = step.low if step.sign < 0 else step.high
    return {
        "line_minor": reversible,
        "sale_minor": step.sale.minor,
        "refunded_before_minor": before.minor,
        "refund_minor": -step.change.minor,
    }


def _volume(line: Line, step: Step) -> int:
    """Return what a line's window counts less, in money or in whole pieces."""
    if not line.volume:
        return 0
    window = line.because.get("window")
    is_money = window is None or window["metric"] == "revenue"
    return step.share(line.volume) if is_money else step.pieces(line.volume)
