"""A sale as those who take it back find it: what it earned everybody, and what of it went back before. Refunds outside the claw-back
window are as if they had never been."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from payouts.accrual.happenings import Happening
from prm.lib.money import Money
from tiers.engine.facts import CHARGEBACK, GIVES_BACK, TAKES_BACK, Line, Original, OriginalLine

# The kinds of line a refund can take something back of; what a window was trued up by follows from what it then holds.
REVERSIBLE = ("earned", "bonus", "override", "true_up")


class Booked(NamedTuple):
    """A line under the name reversals give it: where it stands, once it does, and when it is ready to pay."""

    line: Line
    row: Any  # a Draft on its way into the books, or the primary key of a line that is there
    payable_at: datetime


@dataclass(slots=True)
class Sale:
    """A sale with the credit one membership has in it. `lines` are by who earned them: the membership and its recruiters."""

    credit_id: int
    key: str
    kind: str
    occurred_at: datetime
    amount: Money
    quantity: int
    products: tuple[tuple[str, str], ...] = (("", ""),)
    base: Money | None = None
    _refunded: int = 0
    _charged: int = 0
    _won: int = 0
    lines: dict[int, dict[str, Booked]] = field(default_factory=dict)

    @classmethod
    def of(cls, credit: Happening) -> Sale:
        return cls(
            credit_id=credit.pk,
            key=credit.key,
            kind=credit.kind,
            occurred_at=credit.occurred_at,
            amount=Money(credit.amount_minor, credit.currency),
            quantity=credit.quantity,
            products=credit.products,
        )

    def book(self, member_id: int, name: str, booked: Booked) -> None:
        """Remember a line that the sale, or a correction of it, earned a membership."""
        self.lines.setdefault(member_id, {})[name] = booked

    def booked(self, member_id: int, name: str) -> Booked:
        return self.lines[member_id][name]

    def originals(self, member_id: int) -> dict[int | str, tuple[OriginalLine, ...]]:
        """Return what a membership earned on the sale, by the version of the plan that rated it; a line with its corrections is
        one, so that its parts go back as those of the line that should always have been."""
        found: dict[int | str, dict[str, OriginalLine]] = {}
        for name, booked in self.lines.get(member_id, {}).items():
            line, rules = booked.line, found.setdefault(booked.line.version_id, {})
            first = rules.get(line.rule_key)
            if first is not None and line.what == "true_up" and not line.window:
                rules[line.rule_key] = replace(first, line=_together(first.line, line))
            else:
                rules[line.rule_key if first is None else name] = OriginalLine(name, line)
        return {version: tuple(rules.values()) for version, rules in found.items()}

    def original(self, lines: Iterable[OriginalLine]) -> Original:
        """Return the sale as the engine takes it, as it is before the next refund."""
        currency = self.amount.currency
        return Original(
            key=self.key,
            sale=self.amount,
            refunded_before=Money(self.refunded, currency),
            lines=tuple(lines),
            occurred_at=self.occurred_at,
            base=self.base,
            quantity=self.quantity,
            charged_back=Money(self._lost, currency),
        )

    @property
    def refunded(self) -> int:
        """How much of the sale has gone back: what was refunded, and what was charged back and not won, never more than all.

        It depends on what was counted and not on the order: for a moment, while a chargeback that was won is told
        after a refund that came later or before its own gain, the parts may add up to more than they will in the end.
        """
        return min(self._refunded + self._lost, self.amount.minor)

    @property
    def _lost(self) -> int:
        return max(self._charged - self._won, 0)

    def move(self, kind: str, minor: int, at: datetime, *, clawback_days: int | None) -> int:
        """Count a refund, a chargeback or one that was won, and return by how much it changes what has gone back."""
        before = self.refunded
        if kind == GIVES_BACK:
            self._won += minor
        elif kind in TAKES_BACK and not self._is_late(at, clawback_days):
            self._charged += minor if kind == CHARGEBACK else 0
            self._refunded += 0 if kind == CHARGEBACK else minor
        return abs(self.refunded - before)

    def _is_late(self, at: datetime, clawback_days: int | None) -> bool:
        return clawback_days is not None and at > self.occurred_at + timedelta(days=clawback_days)


def _together(line: Line, correction: Line) -> Line:
    """Return a line as it is with a correction."""
    return replace(line, amount=line.amount + correction.amount, volume=line.volume + correction.volume)
