"""Try an order against a plan: what would it earn, and why. It is the same call of the engine that books real money, and books none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from prm.lib.countries import code_of
from prm.lib.money import Money
from prm.lib.periods import Month
from tiers import rulebook
from tiers.engine import Event, Standing, explain
from tiers.engine.facts import Because, Deduction, Metric, PlanFacts, RuleFacts
from tiers.engine.memory import CustomerSoFar, Memory, Slot
from tiers.engine.needs import slot_window
from tiers.engine.windowed import Tally
from tiers.models import PlanVersion, Program, Tier

A_CUSTOMER = "trial"


@dataclass(frozen=True)
class Circumstances:
    """What can be said of an order besides its kind, amount, date and country.

    A customer is `is_new`, or has bought before: at `customer_since`, else the day before; when neither is said nobody
    knows the customer. `before` is what the rules have counted already in the window of the order, and the partner
    brought in its month: minor units of revenue, pieces of the other metrics. `payments` is how many times the
    customer has paid before.
    """

    product: str = ""
    category: str = ""
    quantity: int = 1
    is_new: bool | None = None
    customer_since: datetime | None = None
    payments: int | None = None
    code: str = ""
    link: str = ""
    sub_id: str = ""
    deal: str = ""
    role: str = "sourced"
    deductions: Mapping[str, Money] = field(default_factory=dict)
    attributes: Mapping[str, str | int | bool] = field(default_factory=dict)
    membership: str = ""
    partner_country: str = ""
    partnership_type: str = ""
    tags: frozenset[str] = frozenset()
    joined_at: datetime | None = None
    before: Mapping[Metric, int] = field(default_factory=dict)


ORDINARY = Circumstances()


def facts_for(version: PlanVersion, *, at: datetime) -> PlanFacts:
    """Return a version as the engine reads it; a draft is tried as if it were in force at `at`."""
    return rulebook.facts(version, effective_at=at)


def facts_in_force(program: Program, *, at: datetime, **who: Any) -> PlanFacts | None:
    """Return what is in force for the program at `at`, None before the first version; `who` as `Rulebook.plan_for` takes it."""
    return rulebook.Rulebook.load([program.pk]).plan_for(program.pk, at, **who)


def try_order(
    plan: PlanFacts,
    *,
    tier: Tier | None,
    kind: str,
    amount: Money,
    at: datetime,
    country: str = "",
    so: Circumstances = ORDINARY,
    memory: Memory | None = None,
) -> Because:
    """Explain what an event would earn a partner standing in `tier`, even when that is nothing.

    A `memory` of the books, to throw away, stands in for what `so` says was before.
    """
    event = _event(kind, amount, at, country, so)
    standing = Standing(
        tier_key=tier.key if tier else "",
        tier_name=tier.name if tier else "",
        membership=so.membership,
        partner_country=code_of(so.partner_country),
        partnership_type=so.partnership_type,
        tags=so.tags,
        joined_at=so.joined_at,
    )
    return explain(event, standing, plan, _memory(plan, event, so) if memory is None else memory)


def _event(kind: str, amount: Money, at: datetime, country: str, so: Circumstances) -> Event:
    knows_customer = so.is_new is not None or so.customer_since is not None
    return Event(
        key="trial",
        kind=kind,
        occurred_at=at,
        amount=amount,
        country=code_of(country),
        deductions=tuple(Deduction(code, taken) for code, taken in so.deductions.items()),
        customer=A_CUSTOMER if knows_customer else "",
        customer_since=_since(at, so),
        product=so.product,
        category=so.category,
        quantity=so.quantity,
        code=so.code,
        link=so.link,
        sub_id=so.sub_id,
        deal=so.deal,
        role=so.role,
        attributes=so.attributes,
    )


def _since(at: datetime, so: Circumstances) -> datetime | None:
    """Return the customer's first sale, None for one who has not bought or whom nobody knows."""
    if so.customer_since is not None or so.is_new is not False:
        return so.customer_since
    return at - timedelta(days=1)


def _memory(plan: PlanFacts, event: Event, so: Circumstances) -> Memory:
    """Return what the engine would remember when all that was counted before had been rated by this plan."""
    zone, joined = ZoneInfo(plan.time_zone), so.joined_at
    memory = Memory(zone, None if joined is None else Month.of(joined, zone))
    for metric, count in so.before.items():
        memory.count(metric, memory.month(event.occurred_at), count)
    for rule in plan.rules:
        _remember(plan, rule, event, so, memory)
    return memory


def _remember(plan: PlanFacts, rule: RuleFacts, event: Event, so: Circumstances, memory: Memory) -> None:
    if rule.kind == "recurring" and event.customer_since is not None:
        payments = 1 if so.payments is None else so.payments
        memory.customers[rule.key, event.customer] = CustomerSoFar(event.customer_since, payments)
    volume = so.before.get(rule.metric, 0)
    if not (rule.is_windowed and volume):
        return
    window = memory.window(slot_window(rule), event.occurred_at)
    slot = Slot(rule.key, plan.version_id, window, event.customer if rule.kind == "lifetime_value" else "")
    tally = Tally.open(plan, rule, memory, slot, event.occurred_at)
    tally.count.volume = volume
    tally.book(memory, tally.whole(tally.owed(volume)))
