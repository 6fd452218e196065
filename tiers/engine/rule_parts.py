"""What a rule is made of besides its rate: steps, windows, limits, conditions. A limit that cannot be kept exactly is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

WindowKind = Literal["month", "quarter", "year", "trailing", "lifetime", "joining"]


@dataclass(frozen=True, slots=True)
class Step:
    """One row of a rule's table, from `start` up to the next row: minor units for revenue, a count for other metrics, whole
    percents of the target for an accelerator. `rate` is a fraction of one, `flat` whole minor units."""

    start: int
    rate: Decimal = Decimal(0)
    flat: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time a counter counts over, in whole months of the program's zone.

    `trailing` is the month of the event and the `months` - 1 before it; `joining` runs in blocks of `months` from
    the month the partner joined.
    """

    kind: WindowKind = "month"
    months: int = 1

    def __post_init__(self) -> None:
        if self.kind not in get_args(WindowKind):
            raise ValueError(f"{self.kind!r} is not a window.")
        if self.months < 1:
            raise ValueError("A window has at least one month.")


@dataclass(frozen=True, slots=True)
class Recurring:
    """How long a customer's payments earn: for `months` from the first sale, or for `payments` of them, or for life when
    neither is set. `schedule` gives the rate of each month from the first, the last one going on."""

    months: int | None = None
    payments: int | None = None
    schedule: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Floors and caps of a rule in minor units, None for none. A window's cap and floor are per partner; the budget is
    what all partners of the program together can earn under the rule in its window."""

    event_min: int | None = None
    event_max: int | None = None
    customer_max: int | None = None
    window_min: int | None = None
    window_max: int | None = None
    window: Window = Window()
    budget_max: int | None = None
    budget_window: Window = Window("lifetime")


@dataclass(frozen=True, slots=True)
class Test:
    """One condition: an attribute, an operator and what it is compared with. Attributes and operators are listed in
    conditions.py; `attribute` is "attribute:NAME" for what the event itself carries."""

    attribute: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by all or any; a group may hold groups of tests, and those hold no groups."""

    join: Literal["all", "any"] = "all"
    tests: tuple[Test | Group, ...] = ()


def check_limits(limits: Limits, kind: str, counted_in: Window | None) -> None:
    """Refuse what cannot be kept: only a window that stays can be capped, and a rate on a window only as a whole.

    `counted_in` is the window of a rate on a whole window, nothing for a rate on events.
    """
    if "trailing" in (limits.window.kind, limits.budget_window.kind):
        raise ValueError("A cap needs a window that stays; a trailing window moves with each month.")
    if limits.window_min is not None and limits.window.kind == "lifetime":
        raise ValueError("A floor needs a window that ends.")
    if limits.budget_window.kind == "joining":
        raise ValueError("A budget is for all partners; its window cannot start when one of them joined.")
    if counted_in is not None:
        _check_whole(limits, kind, counted_in)


def _check_whole(limits: Limits, kind: str, counted_in: Window) -> None:
    if limits.event_min is not None or limits.event_max is not None:
        raise ValueError("A rate on a whole window has no limit for each event.")
    has_window = (limits.window_max, limits.window_min) != (None, None)
    if kind == "lifetime_value":
        if has_window:
            raise ValueError("A lifetime value is limited for each customer, not for a window.")
    elif limits.customer_max is not None:
        raise ValueError("A rate on a whole window has no limit for each customer.")
    elif has_window and limits.window != counted_in:
        raise ValueError("Cap and floor of a rate on a window count in the same window.")


def tests_of(group: Group) -> Iterator[Test]:
    """Yield the conditions of a group and of the groups in it."""
    for each in group.tests:
        if isinstance(each, Group):
            yield from tests_of(each)
        else:
            yield each
