"""What the engine is told and what it answers, as frozen values. Amounts are Money, rates are fractions of one as Decimal; nothing
here reads a clock or a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from prm.lib.money import Money

RateKind = Literal["percent", "flat", "percent_plus_flat"]
FlatOnRefund = Literal["kept", "pro_rata"]
Combine = Literal["first_match", "stack"]
Because = dict[str, Any]  # JSON-ready; the shape is written down in explain.py

REFUND = "refund"
SALE = "sale"
_NOWHERE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Deduction:
    """A part of the gross amount that earns nothing, such as tax or shipping."""

    label_code: str
    amount: Money
    rule_ref: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `amount` is never negative: a refund is an event of kind "refund" with what went back.

    A refund with a known sale carries it in `original`; without one, `refunds_kind` says what kind of event was
    taken back.
    """

    key: str
    kind: str
    occurred_at: datetime
    amount: Money
    country: str = ""
    deductions: tuple[Deduction, ...] = ()
    original: Original | None = None
    refunds_kind: str = SALE

    def __post_init__(self) -> None:
        if self.amount.minor < 0:
            raise ValueError("An event's amount is not negative; a refund is an event of kind “refund”.")
        if self.occurred_at.tzinfo is None:
            raise ValueError("The instant of an event needs a time zone.")
        if self.deductions and self.commissionable.minor < 0:
            raise ValueError("Deductions must not exceed the amount.")
        if self.original is not None and (self.kind != REFUND or self.deductions):
            raise ValueError("Only a refund, without deductions of its own, can name an original.")

    @property
    def is_refund(self) -> bool:
        return self.kind == REFUND

    @property
    def commissionable(self) -> Money:
        """The amount less its deductions."""
        base = self.amount
        for deduction in self.deductions:
            base -= abs(deduction.amount)
        return base


@dataclass(frozen=True, slots=True)
class Standing:
    """How the partner stood in the program when the event happened."""

    tier_key: str
    tier_name: str = ""


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """One rule: a rate under conditions. An empty condition means any."""

    key: str
    name: str
    position: int
    kind: RateKind
    rate: Decimal = Decimal(0)
    flat: Money | None = None
    event_kinds: frozenset[str] = _NOWHERE
    tiers: frozenset[str] = _NOWHERE
    countries: frozenset[str] = _NOWHERE
    flat_on_refund: FlatOnRefund = "pro_rata"

    def __post_init__(self) -> None:
        if self.kind not in ("percent", "flat", "percent_plus_flat"):
            raise ValueError(f"{self.kind!r} is not a kind of rate.")
        if type(self.rate) is not Decimal:
            raise TypeError(f"The rate of a rule is a Decimal, not {self.rate!r}.")
        if not (self.rate.is_finite() and 0 <= self.rate <= 1):
            raise ValueError(f"The rate of a rule is a fraction of one, from 0 to 1, not {self.rate}.")
        if self.kind != "percent" and (self.flat is None or self.flat.minor < 0):
            raise ValueError("A flat part needs an amount that is not negative.")
        if self.flat_on_refund not in ("kept", "pro_rata"):
            raise ValueError(f"{self.flat_on_refund!r} does not say what happens to the flat part.")


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A published version of a plan, with its rules in the order of their positions."""

    plan_key: str
    version_number: int
    version_id: int | str
    effective_at: datetime
    combine: Combine
    rules: tuple[RuleFacts, ...]

    def __post_init__(self) -> None:
        if self.combine not in ("first_match", "stack"):
            raise ValueError(f"{self.combine!r} is not a way to combine rules.")
        in_order = tuple(sorted(self.rules, key=lambda rule: (rule.position, rule.key)))
        object.__setattr__(self, "rules", in_order)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of commission: rounded, explained, never zero. `flat` is the flat amount inside `amount`."""

    rule_key: str
    rule_name: str
    version_id: int | str
    kind: RateKind
    base: Money
    rate: Decimal | None
    flat: Money | None
    amount: Money
    because: Because = field(hash=False)
    flat_on_refund: FlatOnRefund = "pro_rata"
    reverses: str = ""


@dataclass(frozen=True, slots=True)
class OriginalLine:
    """A line as it was booked, under the name (`key`) a reversal refers to it by."""

    key: str
    line: Line


@dataclass(frozen=True, slots=True)
class Original:
    """The sale a refund takes back: its amount, what of it went back before, and the lines it earned."""

    key: str
    sale: Money
    refunded_before: Money
    lines: tuple[OriginalLine, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One addend of a line: a code for its label, its amount and the figures the label mentions."""

    label_code: str
    amount_minor: int
    params: Mapping[str, int | str]
