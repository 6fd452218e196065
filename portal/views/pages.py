"""What pages are handed: frozen values in the reader's words, with nothing left to ask or compute. A template that shows one of
these touches no database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from partners.checklists import StepState
from payouts.explained.facts import Row as Figure
from payouts.explained.story import Step
from portal.charts import EarningsChart
from portal.lines import CommissionRow
from portal.notices import Notice
from portal.status import StatusWord
from portal.tier_meters import TierMeter
from prm.lib.money import Money
from prm.lib.periods import Month


@dataclass(frozen=True)
class PathStage:
    """One stage of the money path."""

    key: str
    label: str
    amount: Money
    lines: tuple[str, ...]
    href: str
    current: bool = False


@dataclass(frozen=True)
class PathSum:
    """What lies beside the stages, and what it comes to with them."""

    amount: Money
    href: str
    text: str


@dataclass(frozen=True)
class Check:
    """One condition of a payment, and the way to meet it."""

    text: str
    ok: bool
    href: str = ""
    action: str = ""


@dataclass(frozen=True)
class Fact:
    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class PaymentCard:
    """The next payment: how much, when, where to, and what it depends on."""

    amount: Money
    amount_href: str
    sentence: str
    checks: tuple[Check, ...]
    facts: tuple[Fact, ...] = ()
    statement_href: str = ""
    statement_text: str = ""


@dataclass(frozen=True)
class TierCard:
    """Where a partner stands and how far the next tier is; there is nothing to measure on the highest one."""

    title: str
    lead: str = ""
    meters: tuple[TierMeter, ...] = ()
    text: str = ""
    benefits: tuple[str, ...] = ()


@dataclass(frozen=True)
class LinkRow:
    """A link with its figures of the last 30 days."""

    public_id: str
    label: str
    url: str
    shown: str
    destination: str
    campaign: str
    is_on: bool
    status: StatusWord
    clicks: int
    sales: int
    earned: Money
    note: str
    href: str
    earned_href: str
    qr_href: str
    switch_href: str


@dataclass(frozen=True)
class CodeRow:
    """A code with what it gives and its figures of the last 30 days."""

    code: str
    is_on: bool
    status: StatusWord
    discount: str
    uses: str
    validity: str
    sales: int
    earned: Money
    earned_href: str


@dataclass(frozen=True)
class LinksPage:
    """One page of a membership's links."""

    rows: tuple[LinkRow, ...]
    pages: Pages
    q: str = ""


@dataclass(frozen=True)
class HomePage:
    greeting: str
    lede: str
    stages: tuple[PathStage, ...]
    paused: str
    beside: PathSum | None
    chart: EarningsChart | None
    payment: PaymentCard | None
    tier: TierCard | None
    links: tuple[LinkRow, ...]
    codes: tuple[str, ...]
    rows: tuple[CommissionRow, ...]
    notices: tuple[Notice, ...]
    is_new: bool
    steps: tuple[StepState, ...] = ()
    steps_done: int = 0


@dataclass(frozen=True)
class Chip:
    label: str
    href: str
    current: bool
    count: int | None = None


@dataclass(frozen=True)
class Pages:
    """Where in a list a page stands."""

    first: int
    last: int
    total: int
    previous_url: str = ""
    next_url: str = ""


@dataclass(frozen=True)
class EarningsPage:
    rows: tuple[CommissionRow, ...]
    chips: tuple[Chip, ...]
    pages: Pages
    total: Money
    total_label: str
    csv_href: str
    clear_href: str
    is_filtered: bool
    is_new: bool


@dataclass(frozen=True)
class StatementRow:
    """A statement in the list."""

    month: Month
    number: str
    href: str
    earned: Money
    taken_back: Money
    tax: Money
    paid: Money
    closing: Money
    status: StatusWord
    note: str = ""


@dataclass(frozen=True)
class Download:
    """A file of a statement; without `href` it is being made or cannot be made here, and `note` says so."""

    label: str
    href: str
    is_main: bool = False


@dataclass(frozen=True)
class StatementLineRow:
    """A line as printed on a statement, with the running total; `base` is missing where nothing was rated."""

    day: date
    order: str
    customer: str
    note: str
    base: Money | None
    rate: str
    amount: Money
    running: Money
    href: str


@dataclass(frozen=True)
class BalanceRow:
    """A row of a statement that is no line: what it opened with."""

    label: str
    amount: Money
    running: Money


@dataclass(frozen=True)
class Related:
    """Another document that belongs to a statement; without `href` it is only named."""

    label: str
    href: str
    note: str


@dataclass(frozen=True)
class StatementPage:
    title: str
    number: str
    amount_label: str
    amount: Money
    status: StatusWord
    facts: tuple[Fact, ...]
    steps: tuple[Step, ...]
    bridge: tuple[Figure, ...]
    total_label: str
    closing: Money
    opened: BalanceRow | None
    lines: tuple[StatementLineRow, ...]
    line_count: int
    pages: Pages | None
    downloads: tuple[Download, ...]
    check_url: str
    has_lines: bool
    notices: tuple[Notice, ...] = field(default=())
    related: tuple[Related, ...] = field(default=())


@dataclass(frozen=True)
class MethodCard:
    """The account money goes to, masked."""

    title: str
    facts: tuple[Fact, ...]
    status: StatusWord
    note: str


@dataclass(frozen=True)
class MemberRow:
    """A person of the team."""

    name: str
    email: str
    role: str
    role_help: str
    joined: date
    last_seen: date | None
    is_you: bool
    is_last_owner: bool
    change_href: str
    remove_href: str


@dataclass(frozen=True)
class InvitationRow:
    """An invitation nobody has used yet."""

    name: str
    email: str
    role: str
    invited: date
    expires: date
    is_expired: bool
    renew_href: str
    withdraw_href: str
