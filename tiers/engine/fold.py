"""Rate a row of events one after the other, and say what each total should then be. A live accrual, a dry run and a recomputation are
this one fold; what it desires is compared with what is booked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from prm.lib.money import Money
from tiers.engine.case import part_of
from tiers.engine.compute import Rater
from tiers.engine.facts import (
    CHARGEBACK,
    GIVES_BACK,
    MONTH_LINES,
    Event,
    Line,
    Original,
    OriginalLine,
    Standing,
)
from tiers.engine.later import settle_later
from tiers.engine.memory import Memory
from tiers.engine.takeback import counted_back, is_outside_clawback

Item = tuple[Event, Standing, Rater]
Rated = tuple[str, tuple[Line, ...]]
# ("event", event, rule), ("window", rule, version, window, customer) or ("month", kind of line, rule, version, month or window)
Total = tuple[str | int, ...]


@dataclass(slots=True)
class _Sale:
    """A sale as its refunds will find it: what it earned, what of it went back, what a chargeback can still give back."""

    rater: Rater
    original: Original


class Fold:
    """Rates events with one memory, in the order they are given; refunds find their sales' lines by themselves."""

    def __init__(self, memory: Memory, sales_to_come: Collection[str] = ()) -> None:
        """`sales_to_come` names sales that will be given: a refund that is given before its sale waits for it."""
        self._memory = memory
        self._sales: dict[str, _Sale] = {}
        self._raters: dict[int | str, Rater] = {}
        self._to_come = frozenset(sales_to_come)
        self._waiting: dict[str, list[Item]] = {}

    def add(self, event: Event, standing: Standing, rater: Rater) -> Iterator[Rated]:
        """Yield the lines of an event, and after a sale those of the refunds that waited for it; nothing for one that waits."""
        if event.original is not None:
            key = event.original.key
            if key in self._to_come and key not in self._sales:
                self._waiting.setdefault(key, []).append((event, standing, rater))
                return
            yield event.key, self._take_back(event, event.original, standing, rater)
            return
        self._raters[rater.plan.version_id] = rater
        lines = rater(event, standing, self._memory)
        self._sales[event.key] = _Sale(rater, _original(event, lines, rater))
        yield event.key, (*lines, *self._later(event, standing, lines))
        for waiting in self._waiting.pop(event.key, ()):
            yield from self.add(*waiting)

    def _take_back(self, event: Event, given: Original, standing: Standing, rater: Rater) -> tuple[Line, ...]:
        """Rate a refund by the version that rated its sale; an older sale is what the event says it is."""
        sale = self._sales.setdefault(given.key, _Sale(rater, given))
        known = replace(event, original=sale.original)
        lines = sale.rater(known, standing, self._memory)
        if not is_outside_clawback(sale.rater.plan, known):
            sale.original = _after(known, sale.original)
        return (*lines, *self._later(known, standing, lines))

    def _later(self, event: Event, standing: Standing, lines: tuple[Line, ...]) -> Iterator[Line]:
        return settle_later(event, standing, lines, self._memory, self._raters.get)


def fold(items: Iterable[Item], memory: Memory) -> list[Rated]:
    """Return the lines of each event, in the order events are rated: a refund given before its sale comes after it."""
    row = list(items)
    if any(rater.needs.metrics for _, _, rater in row):
        memory.keeps_metrics = True
    folding = Fold(memory, [event.key for event, _, _ in row if event.original is None])
    return [rated for item in row for rated in folding.add(*item)]


def desired(rated: Iterable[Rated]) -> dict[Total, int]:
    """Return what the lines of a fold add up to, by what has to agree with the books."""
    totals: dict[Total, int] = {}
    for key, lines in rated:
        for line in lines:
            total = total_of(key, line)
            totals[total] = totals.get(total, 0) + line.amount.minor
    return totals


def total_of(event_key: str, line: Line) -> Total:
    """Return which total a line belongs to: its window's, or that of its event and rule."""
    if line.what in MONTH_LINES:
        return "month", line.what, line.rule_key, line.version_id, line.window
    if line.window:
        return "window", line.rule_key, line.version_id, line.window, line.customer
    return "event", event_key, line.rule_key


def for_recruiter(event: Event, lines: Iterable[Line]) -> Event | None:
    """Return an event as who recruited its partner sees it: what the partner earned on, and what it earned; nothing if nothing.

    A named refund is no such event: it takes the recruiter's own lines back.
    """
    own = [line for line in lines if line.what not in MONTH_LINES]
    base = _base_of(own)
    if base is None or event.original is not None:
        return None
    earned = Money.total((line.amount for line in own), base.currency)
    return replace(
        event, amount=abs(base), deductions=(), shares=(), share_at=0, recruit_amount=earned, lines=()
    )


def _base_of(lines: Iterable[Line]) -> Money | None:
    """Return what a partner earned on: the base of its first line, of an order the bases of all that are about other products."""
    found: Money | None = None
    told: set[str] = set()
    for line in lines:
        about = {str(each) for each in line.because.get("lines", ())}
        if line.base and (found is None or (about and not about & told)):
            found = line.base if found is None else found + line.base
            told |= about
    return found


def _original(event: Event, lines: tuple[Line, ...], rater: Rater) -> Original:
    named = (OriginalLine(f"{event.key}:{number}", line) for number, line in enumerate(lines, start=1))
    return Original(
        key=event.key,
        sale=event.amount,
        refunded_before=Money(0, event.amount.currency),
        lines=tuple(named),
        occurred_at=event.occurred_at,
        base=part_of(event.base(rater.plan.deducts), event),
        quantity=event.quantity,
        charged_back=Money(0, event.amount.currency),
    )


def _after(event: Event, original: Original) -> Original:
    """Return a sale as the next refund finds it."""
    moved, charged = counted_back(event, original), original.charged_back
    if event.kind == GIVES_BACK:
        left = max(original.refunded_before - moved, Money(0, moved.currency))
        return replace(
            original, refunded_before=left, charged_back=None if charged is None else charged - moved
        )
    if event.kind == CHARGEBACK and charged is not None:
        charged += moved
    return replace(original, refunded_before=original.refunded_before + moved, charged_back=charged)
