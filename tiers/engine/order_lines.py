"""An order of several products, rule by rule: which of its lines a rule is about, and the part of the order those make up. The parts of an
order always add up to it, and what belongs to no product, such as shipping, is a part of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from prm.lib.money import Money
from tiers.engine.facts import COST, SHIPPING, Deduction, Event, OrderLine


def with_rest(event: Event) -> Event:
    """Return an order whose lines make up all of it: what they leave of its amount becomes a line without a product."""
    rest = event.amount.minor - sum(line.amount.minor for line in event.lines)
    if not event.lines or not rest:
        return event
    return replace(event, lines=(*event.lines, OrderLine(Money(rest, event.amount.currency), quantity=0)))


def parts_of(event: Event) -> tuple[Event, ...]:
    """Return an order's lines as events of their own, each with its part of the deductions; together they are the order."""
    if not event.lines:
        return (event,)
    taken = _spread(event)
    return tuple(
        replace(
            event,
            amount=line.amount,
            product=line.product,
            category=line.category,
            quantity=line.quantity,
            deductions=tuple(each[place] for each in taken if each[place].amount),
            lines=(line,),
        )
        for place, line in enumerate(event.lines)
    )


def together(parts: Sequence[Event]) -> Event:
    """Return parts of one order as one event: what they come to, and the product all of them share, if there is one."""
    first = parts[0]
    if len(parts) == 1:
        return first
    sums: dict[str, Deduction] = {}
    for deduction in (each for part in parts for each in part.deductions):
        known = sums.get(deduction.label_code)
        amount = deduction.amount if known is None else known.amount + deduction.amount
        sums[deduction.label_code] = replace(deduction, amount=amount)
    return replace(
        first,
        amount=Money.total((part.amount for part in parts), first.amount.currency),
        product=_shared(part.product for part in parts),
        category=_shared(part.category for part in parts),
        quantity=sum(part.quantity for part in parts),
        deductions=tuple(sums.values()),
        lines=tuple(line for part in parts for line in part.lines),
    )


def without(event: Event, is_excluded: Callable[[Event], bool]) -> Event | None:
    """Return what is left of an order without the lines that are excluded, nothing when none is left."""
    parts = parts_of(with_rest(event))
    kept = [part for part in parts if not is_excluded(part)]
    if len(kept) == len(parts):
        return event
    # Of an order of which no product counts, the shipping alone does not count either.
    return (
        together(kept) if any(line.product or line.category for part in kept for line in part.lines) else None
    )


def _spread(event: Event) -> list[list[Deduction]]:
    """Return the parts of each deduction, a part per line. Shipping comes off what belongs to no product first; everything else goes by
    what the lines still have, so that no line has more taken off it than it came to. Only a cost may exceed a line."""
    left = [line.amount.minor for line in event.lines]
    found = []
    for deduction in sorted(event.deductions, key=lambda each: each.label_code != SHIPPING):
        amount, is_cost = deduction.amount, deduction.label_code == COST
        own = [0] * len(left)
        if deduction.label_code == SHIPPING and not (event.lines[-1].product or event.lines[-1].category):
            own[-1] = min(abs(amount.minor), left[-1])
        room = [has - taken for has, taken in zip(left, own, strict=True)]
        for place, part in enumerate(_by(Money(abs(amount.minor) - sum(own), amount.currency), room)):
            own[place] += part
        if not is_cost:
            left = [has - taken for has, taken in zip(left, own, strict=True)]
        found.append([replace(deduction, amount=Money(part, amount.currency)) for part in own])
    return found


def _by(amount: Money, sizes: list[int]) -> list[int]:
    """Return an amount split by sizes, equally among lines that came to nothing."""
    if not amount:
        return [0] * len(sizes)
    return [part.minor for part in amount.allocate(sizes if any(sizes) else [1] * len(sizes))]


def _shared(values: Iterable[str]) -> str:
    found = set(values)
    return found.pop() if len(found) == 1 else ""
