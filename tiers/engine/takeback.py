"""What a refund, a chargeback or a won chargeback does to a sale that is named: each line back at its own ratio, each window to what it is
owed now, caps with room again. Outside the claw-back window nothing moves."""

from __future__ import annotations

from datetime import datetime, timedelta

from prm.lib.money import Money
from tiers.engine.case import part_of
from tiers.engine.eventful import Place
from tiers.engine.facts import GIVES_BACK, LEAD, SALES, Event, Line, Metric, Original, PlanFacts
from tiers.engine.memory import Memory, Slot
from tiers.engine.reversal import Step, reverse
from tiers.engine.terms import Terms
from tiers.engine.windowed import Cause, Tally, settle


def lines_of(
    terms: Terms, event: Event, memory: Memory | None, *, keeps_metrics: bool = False
) -> tuple[Line, ...]:
    """Return the reversals of a named sale's lines and the true-ups of their windows, and remember them.

    Nothing came in for a sale of zero, so nothing goes back.
    """
    original = event.original
    if original is None or original.sale.minor == 0 or is_outside_clawback(terms.plan, event):
        return ()
    back = counted_back(event, original)
    lines = list(
        reverse(
            original.lines,
            sale=original.sale,
            refunded_before=original.refunded_before,
            refund=back,
            event_key=event.key,
            event_kind=event.kind,
            occurred_at=event.occurred_at,
        )
    )
    if memory is not None:
        lines += _remember(terms, event, memory, lines)
        if keeps_metrics:
            count_back(event, original, memory)
    return tuple(lines)


def is_outside_clawback(plan: PlanFacts, event: Event) -> bool:
    """Whether a refund comes too long after its sale to take anything back."""
    if plan.clawback_days is None or event.original is None or event.kind == GIVES_BACK:
        return False
    sold_at = sold(event.original)
    return sold_at is not None and event.occurred_at > sold_at + timedelta(days=plan.clawback_days)


def counted_back(event: Event, original: Original) -> Money:
    """Return what a refund moves: its amount, for a won chargeback no more than chargebacks had taken."""
    if event.kind != GIVES_BACK or original.charged_back is None:
        return event.amount
    return min(event.amount, original.charged_back)


def sold(original: Original) -> datetime | None:
    """Return when the sale happened, from its lines when nobody says."""
    if original.occurred_at is not None or not original.lines:
        return original.occurred_at
    return datetime.fromisoformat(original.lines[0].line.because["event"]["occurred_at"])


def _remember(terms: Terms, event: Event, memory: Memory, lines: list[Line]) -> list[Line]:
    """Take what the lines moved off the counts, and return what trues their windows up."""
    tallies: dict[Slot, tuple[Tally, Cause]] = {}
    for line in lines:
        rule = terms.rules.get(line.rule_key)
        if rule is None or line.version_id != terms.plan.version_id:
            if line.window:
                raise ValueError("A refund of what counts in a window needs the version that rated its sale.")
            continue
        if not rule.is_windowed:
            # Where the sale's line counted, there its return makes room.
            Place.of(rule, memory, _sold(event), line.customer).book(memory, line.amount.minor)
            continue
        slot = Slot(line.rule_key, line.version_id, line.window, line.customer)
        if slot not in tallies:
            tally = Tally.open(terms.plan, rule, memory, slot, _sold(event))
            tallies[slot] = tally, _cause(event, line, terms)
        _take_off(tallies[slot][0], memory, line)
    settled = (settle(tally, memory, cause) for tally, cause in tallies.values())
    return [line for line in settled if line is not None]


def _take_off(tally: Tally, memory: Memory, line: Line) -> None:
    before = tally.count.volume
    tally.count.volume += line.volume
    tally.book(memory, line.amount.minor)
    line.because["window"] = tally.shown(before)


def _sold(event: Event) -> datetime:
    """Return when the sale of a refund happened, the refund's own instant when nobody knows."""
    instant = sold(event.original) if event.original is not None else None
    return event.occurred_at if instant is None else instant


def _cause(event: Event, line: Line, terms: Terms) -> Cause:
    return Cause(
        event.kind,
        event.key,
        event.kind,
        event.occurred_at,
        event.amount.currency,
        terms.references[line.rule_key],
        dict(line.because["tier"]),
    )


def count_back(event: Event, original: Original, memory: Memory) -> None:
    """Take a refund off the metrics of its own month: money in proportion, pieces when all of them went back."""
    step = Step.of(original.sale, original.refunded_before, counted_back(event, original), event.kind)
    month = memory.month(event.occurred_at)
    base = original.base if original.base is not None else part_of(original.sale, event)
    memory.count("revenue", month, step.share(base.minor))
    pieces: dict[Metric, int] = {
        "sales": int(event.refunds_kind in SALES),
        "new_customers": int(event.refunds_kind in SALES and _was_first(event, original)),
        "leads": int(event.refunds_kind == LEAD),
        "units": original.quantity if event.refunds_kind in SALES else 0,
    }
    for metric, count in pieces.items():
        mine = part_of(Money(count, event.amount.currency), event).minor
        memory.count(metric, month, step.pieces(mine))


def _was_first(event: Event, original: Original) -> bool:
    since, sold_at = event.customer_since, sold(original)
    return bool(event.customer) and since is not None and sold_at is not None and since >= sold_at
