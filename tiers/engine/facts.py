"""What the engine is told and what it answers, as frozen values. Amounts are Money, rates are fractions of one as Decimal; nothing
here reads a clock or a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal, get_args

from prm.lib.money import Money
from tiers.engine.rule_parts import Group as Group
from tiers.engine.rule_parts import Limits as Limits
from tiers.engine.rule_parts import Recurring as Recurring
from tiers.engine.rule_parts import Step as Step
from tiers.engine.rule_parts import Test as Test
from tiers.engine.rule_parts import Window as Window
from tiers.engine.rule_parts import WindowKind as WindowKind
from tiers.engine.rule_parts import check_limits, tests_of

# Each event by itself: its lines depend on the event, the standing and what is known before it.
EventModel = Literal[
    "percent",
    "flat",
    "percent_plus_flat",
    "per_unit",
    "prospective",
    "recurring",
    "participation",
    "override",
]
# A whole window at once: what is owed is a function of what the window holds; a line is the change an event makes to it.
WindowModel = Literal[
    "graduated", "volume", "stairstep", "package", "accelerator", "milestone", "lifetime_value"
]
# The end of a month, whatever happened in it.
MonthModel = Literal["retainer", "draw"]
RateKind = EventModel | WindowModel | MonthModel
FlatOnRefund = Literal["kept", "pro_rata", "until_full", "at_first"]
Combine = Literal["first_match", "stack"]
Metric = Literal["revenue", "sales", "new_customers", "leads", "units"]
LineKind = Literal[
    "earned",  # what an event earns
    "refund",  # what a refund that names no sale takes
    "reversal",  # what a refund takes back of one line, at that line's own ratio
    "true_up",  # what brings a window, or a corrected event, to what it should be
    "bonus",  # a milestone or a lifetime value reached
    "override",  # what a recruiter earns on a recruit's line
    "retainer",  # a fixed amount for a month
    "floor",  # what was missing to the guaranteed amount of a window
    "draw",  # an advance
    "recovery",  # an advance paid back out of earnings
]
# Lines of a month as a whole; all others add to what their rule has booked in its windows and under its caps.
MONTH_LINES: frozenset[str] = frozenset({"retainer", "floor", "draw", "recovery"})
Because = dict[str, Any]  # JSON-ready; the shape is written down in explain.py

REFUND = "refund"
SALE = "sale"
CHARGEBACK = "chargeback"
CHARGEBACK_WON = "chargeback_won"
TAKES_BACK = frozenset({REFUND, CHARGEBACK})
GIVES_BACK = CHARGEBACK_WON
# What a deduction can be; a plan says which of them lower its base.
DEDUCTIONS = ("tax", "shipping", "discount", "cost")
SHIPPING = "shipping"
COST = "cost"  # what makes a margin; it alone can exceed the amount
SALES = frozenset({SALE, "renewal"})  # what counts as a sale
LEAD = "qualified_lead"
_NOWHERE: frozenset[str] = frozenset()
_MONTH, _ALWAYS = Window(), Group()
_KINDS: frozenset[str] = frozenset((*get_args(EventModel), *get_args(WindowModel), *get_args(MonthModel)))
WINDOW_MODELS: frozenset[str] = frozenset(get_args(WindowModel))
# What a window earns as a whole: a refund changes what the window holds and takes no line back by itself.
BONUS_LIKE: frozenset[str] = frozenset({"stairstep", "package", "milestone", "lifetime_value"})
# Paid besides whichever rule wins; the others compete when the first match wins.
BESIDE: frozenset[str] = frozenset({"milestone", "participation", "override"})
_OF_A_PRODUCT = 2  # the rank of a rule for a product; those above it name a deal or a partner
_NEED_STEPS = WINDOW_MODELS - {"package"} | {"prospective"}
MONTH_MODELS: frozenset[str] = frozenset(get_args(MonthModel))


@dataclass(frozen=True, slots=True)
class Deduction:
    """A part of the gross amount that earns nothing, such as tax or shipping."""

    label_code: str
    amount: Money
    rule_ref: str = ""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One product of an order at its gross price."""

    amount: Money
    product: str = ""
    category: str = ""
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `amount` is never negative: a refund is an event of kind "refund" with what went back.

    A refund with a known sale carries it in `original`; without one, `refunds_kind` says what kind of event was
    taken back. `customer_since` is the customer's first sale in the program, None before it or when nobody knows the
    customer. `shares` are the weights of everybody who has credit in the event, in a fixed order, and `share_at` is
    whose turn it is; the only one has all of it. `recruit_amount` is what a recruit earned, for who recruited it; the
    amount is then what the recruit earned it on. `lines` are the products of an order; a rule is asked about each of them, and earns
    on those it is about (`order_lines.py`).
    """

    key: str
    kind: str
    occurred_at: datetime
    amount: Money
    country: str = ""
    deductions: tuple[Deduction, ...] = ()
    original: Original | None = None
    refunds_kind: str = SALE
    customer: str = ""
    customer_since: datetime | None = None
    product: str = ""
    category: str = ""
    quantity: int = 1
    code: str = ""
    link: str = ""
    sub_id: str = ""
    deal: str = ""
    role: str = "sourced"
    attributes: Mapping[str, str | int | bool] = field(default_factory=dict, hash=False)
    shares: tuple[Decimal, ...] = ()
    share_at: int = 0
    recruit_amount: Money | None = None
    lines: tuple[OrderLine, ...] = ()

    def __post_init__(self) -> None:
        if self.amount.minor < 0:
            raise ValueError("An event's amount is not negative; a refund is an event of kind “refund”.")
        if self.occurred_at.tzinfo is None:
            raise ValueError("The instant of an event needs a time zone.")
        if self.deductions and self._less(lambda taken: taken.label_code != COST).minor < 0:
            raise ValueError("Deductions must not exceed the amount.")
        if self.original is not None and (
            (not self.is_refund and self.kind != GIVES_BACK) or self.deductions
        ):
            raise ValueError("Only a refund, without deductions of its own, can name an original.")
        if self.quantity < 0:
            raise ValueError("A quantity is not negative.")
        if sum(line.amount.minor for line in self.lines) > self.amount.minor:
            raise ValueError("The lines of an order must not exceed its amount.")
        if self.shares and not 0 <= self.share_at < len(self.shares):
            raise ValueError("A share needs its place among the shares.")

    @property
    def is_refund(self) -> bool:
        return self.kind in TAKES_BACK

    @property
    def is_new_customer(self) -> bool:
        """Whether this is the known customer's first sale."""
        return bool(self.customer) and (
            self.customer_since is None or self.customer_since >= self.occurred_at
        )

    @property
    def commissionable(self) -> Money:
        """The amount less all its deductions."""
        return self._less(lambda taken: True)

    def deducted(self, deducts: frozenset[str]) -> tuple[Deduction, ...]:
        """Return the deductions a plan takes off: those it names, and those of a kind no plan knows."""
        if not self.deductions:
            return ()
        return tuple(
            taken
            for taken in self.deductions
            if taken.label_code in deducts or taken.label_code not in DEDUCTIONS
        )

    def base(self, deducts: frozenset[str]) -> Money:
        """Return what a plan pays on; a cost above the amount leaves nothing, and takes nothing."""
        taken = self.deducted(deducts)
        base = self._less(lambda each: each in taken) if taken else self.amount
        return base if base.minor >= 0 else Money(0, base.currency)

    def _less(self, counts: Callable[[Deduction], bool]) -> Money:
        left = self.amount
        for taken in self.deductions:
            if counts(taken):
                left -= abs(taken.amount)
        return left


@dataclass(frozen=True, slots=True)
class Standing:
    """How the partner stood in the program when the event happened. `depth` counts the steps from the partner who made the
    sale up to this one: 0 for the partner itself, 1 for who recruited it. `is_kept` tells that the tier is one the partner has left,
    and that it counts for this customer, who came before."""

    tier_key: str
    tier_name: str = ""
    membership: str = ""
    partner_country: str = ""
    partnership_type: str = ""
    tags: frozenset[str] = _NOWHERE
    joined_at: datetime | None = None
    depth: int = 0
    is_kept: bool = False

    @property
    def tier(self) -> dict[str, Any]:
        """Return the tier as explanations tell it."""
        told = {"key": self.tier_key, "name": self.tier_name}
        return {**told, "kept": True} if self.is_kept else told


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """One rule: a rate under conditions. An empty condition means any.

    `steps` are the table of the models that have one; `metric` and `window` are what it is looked up by. Models of a
    whole window count what the rule itself covers; a prospective rate looks at everything the partner brought.
    """

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
    steps: tuple[Step, ...] = ()
    metric: Metric = "revenue"
    window: Window = _MONTH
    crossing_has_new_rate: bool = (
        False  # prospective: the event that crosses a step already earns the new rate
    )
    target: int = 0  # accelerator: what 100 % is, in minor units or as a count
    package: int = 0  # package: the size of a block, in minor units or as a count
    stacking: bool = False  # milestone: every threshold reached pays, not only the highest
    recurring: Recurring | None = None
    levels: tuple[Decimal, ...] = ()  # override: the rate of each level, the recruiter first
    override_of: Literal["sales", "commission"] = "commission"
    limits: Limits | None = None
    conditions: Group = _ALWAYS
    unusual: bool = False  # somebody has confirmed a rate below 0 or above 100 %
    is_private: bool = field(init=False, default=False, compare=False)  # asks for a partner or a deal by name

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_private", self.specificity < _OF_A_PRODUCT)
        if self.kind not in _KINDS:
            raise ValueError(f"{self.kind!r} is not a kind of rate.")
        for rate in (self.rate, *self.levels, *(step.rate for step in self.steps)):
            self._check_rate(rate)
        if self.kind in ("flat", "percent_plus_flat", "per_unit") and (
            self.flat is None or (self.flat.minor < 0 and not self.unusual)
        ):
            raise ValueError("A flat part needs an amount that is not negative.")
        if self.flat_on_refund not in get_args(FlatOnRefund):
            raise ValueError(f"{self.flat_on_refund!r} does not say what happens to the flat part.")
        if self.kind in _NEED_STEPS and not self.steps:
            raise ValueError(f"A rule of kind {self.kind} needs a table of steps.")
        if self.kind == "package" and (self.package <= 0 or self.flat is None):
            raise ValueError("A package needs a size and a flat amount.")
        if self.kind == "accelerator" and self.target <= 0:
            raise ValueError("An accelerator needs a target.")
        if any(later.start <= earlier.start for earlier, later in pairwise(self.steps)):
            raise ValueError("Each step starts above the one before it.")
        if self.is_windowed and self.window.kind == "trailing":
            raise ValueError(
                "What is owed for a window needs one that stays; a trailing window moves with each month."
            )
        if self.limits is not None:
            check_limits(self.limits, self.kind, self.window if self.is_windowed else None)

    def _check_rate(self, rate: Decimal) -> None:
        if type(rate) is not Decimal:
            raise TypeError(f"The rate of a rule is a Decimal, not {rate!r}.")
        if not rate.is_finite() or not (self.unusual or 0 <= rate <= 1):
            raise ValueError(f"The rate of a rule is a fraction of one, from 0 to 1, not {rate}.")

    @property
    def specificity(self) -> int:
        """Return the rank of what the rule is about: a deal 0, a partner 1, a product 2, a tier 3, everybody 4."""
        named = {test.attribute for test in tests_of(self.conditions)}
        for rank, attributes in enumerate(({"deal"}, {"partner"}, {"product", "category"})):
            if named & attributes:
                return rank
        return 3 if self.tiers or "tier" in named else 4

    @property
    def is_windowed(self) -> bool:
        """Whether what is owed is a function of a whole window."""
        return self.kind in WINDOW_MODELS


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A published version of a plan, with its rules in the order they are tried: the most specific first, then by position.

    `member_key` is the membership it was agreed with; empty: it is for everybody.
    `deducts` says which deductions lower the base (none: gross), `clawback_days` for how long after a sale its
    commission can be taken back (None: always), in days of 24 hours.
    """

    plan_key: str
    version_number: int
    version_id: int | str
    effective_at: datetime
    combine: Combine
    rules: tuple[RuleFacts, ...]
    deducts: frozenset[str] = frozenset(DEDUCTIONS)
    excluded_products: frozenset[str] = _NOWHERE
    excluded_categories: frozenset[str] = _NOWHERE
    clawback_days: int | None = None
    time_zone: str = "UTC"
    member_key: str = ""

    def __post_init__(self) -> None:
        if self.combine not in ("first_match", "stack"):
            raise ValueError(f"{self.combine!r} is not a way to combine rules.")
        in_order = tuple(sorted(self.rules, key=lambda rule: (rule.specificity, rule.position, rule.key)))
        object.__setattr__(self, "rules", in_order)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of commission: rounded and explained. `flat` is the flat amount inside `amount`.

    `window` names the window a line counts in, of a window model or of a cap, `customer` the customer of one that
    counts per customer. Such a line may be zero: it keeps the count. `volume` is what the line adds to the count.
    """

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
    what: LineKind = "earned"
    window: str = ""
    customer: str = ""
    volume: int = 0


@dataclass(frozen=True, slots=True)
class OriginalLine:
    """A line as it was booked, under the name (`key`) a reversal refers to it by."""

    key: str
    line: Line


@dataclass(frozen=True, slots=True)
class Original:
    """The sale a refund takes back: its amount, what of it went back before, the lines it earned and when it happened.

    `base` is this partner's part of what the plan paid on, the amount itself when nobody says. Refunds outside the
    claw-back window are not part of `refunded_before`; `charged_back` is what of it a chargeback took that can still
    be won back, None for all of it.
    """

    key: str
    sale: Money
    refunded_before: Money
    lines: tuple[OriginalLine, ...]
    occurred_at: datetime | None = None
    base: Money | None = None
    quantity: int = 1
    charged_back: Money | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One addend of a line: a code for its label, its amount and the figures the label mentions."""

    label_code: str
    amount_minor: int
    params: Mapping[str, int | str]
