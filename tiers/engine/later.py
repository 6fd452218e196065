"""What counts in a window under one version of a plan is what the later versions go on from. When that changes after they have booked, they
are trued up at once, so that a window's lines add up whatever order its events arrive in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tiers.engine.compute import Rater
from tiers.engine.facts import Event, Line, Standing
from tiers.engine.memory import Memory, Slot
from tiers.engine.takeback import sold
from tiers.engine.windowed import Cause, Tally, settle

CODE = "version_changed"


def settle_later(
    event: Event,
    standing: Standing,
    lines: Iterable[Line],
    memory: Memory,
    rater_of: Callable[[int | str], Rater | None],
) -> Iterator[Line]:
    """Yield what brings later versions to what they owe after `lines` of an event changed what they go on from."""
    changed = dict.fromkeys(_slot(line) for line in lines if line.window)
    for slot in dict.fromkeys(other for each in changed for other in memory.later(each)):
        rater = rater_of(slot.version)
        rule = None if rater is None else rater.rule(slot.rule)
        if rater is None or rule is None or not rule.is_windowed:
            continue
        instant = (sold(event.original) if event.original is not None else None) or event.occurred_at
        cause = Cause(
            CODE,
            event.key,
            event.kind,
            event.occurred_at,
            event.amount.currency,
            rater.reference(slot.rule),
            standing.tier,
        )
        line = settle(Tally.open(rater.plan, rule, memory, slot, instant), memory, cause)
        if line is not None:
            yield line


def _slot(line: Line) -> Slot:
    return Slot(line.rule_key, line.version_id, line.window, line.customer)
