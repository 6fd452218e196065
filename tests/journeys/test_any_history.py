"""Whatever happens in whatever order: sales, late and repeated ones, refunds in parts, chargebacks lost and won, partners who move up,
plans that change, months that close, payments that arrive or come back, adjustments, debts written off, pauses and corrected statements.
After each step the books are what a small model in fractions says, and they agree with themselves."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from partners import placement
from partners.models import Membership, Placement
from payouts import accrual, adjustments, pauses, pay_runs, periods, reconcile, reconciliation, statements
from payouts.adjustment_checks import balance_of
from payouts.choices import AdjustmentKind, CommissionState, PaymentState, PeriodState
from payouts.models import Account, Adjustment, Commission, Pause, Payment, Period, Statement
from prm.lib.errors import Refused
from prm.lib.money import Money
from prm.lib.periods import Month
from referrals.facts import Status
from tests.factories.payouts import exported, give_accounts
from tests.house import House, open_house
from tests.people import ada, felix, fiona, mats
from tiers import publishing
from tiers.models import PlanVersion, Rule, Tier

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
BEGIN = datetime(2026, 1, 6, 9, tzinfo=UTC)
PENCE = st.integers(1, 300_000)
CODES = ("ANA", "BEN")
# What the second tier's month earns: from so many pence on, so many percent of the part above.
TABLE = ((0, 5), (100_000, 10), (250_000, 12))


def rounded(exact: Fraction) -> int:
    """Round half away from zero."""
    return int(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)


def table(volume: int, percents: tuple[int, ...]) -> Fraction:
    """Return what a month of `volume` pence earns, each part at its own step's rate."""
    total = Fraction(0)
    for place, (start, _percent) in enumerate(TABLE):
        end = TABLE[place + 1][0] if place + 1 < len(TABLE) else None
        if volume > start:
            part = (volume if end is None else min(volume, end)) - start
            total += Fraction(part * percents[place], 100)
    return total


@dataclass
class Sale:
    name: str
    code: str
    pence: int
    at: datetime
    tier: str
    version: int
    back: int = 0  # refunded and charged back, less what was won back
    charged_back: dict[str, int] = field(default_factory=dict)


@dataclass
class Model:
    """What ought to be, from the events alone; `flat_rates` and `tables` are the percents of each version of the plan."""

    sales: list[Sale] = field(default_factory=list)
    flat_rates: dict[int, Fraction] = field(default_factory=dict)
    tables: dict[int, tuple[int, ...]] = field(default_factory=dict)
    added: dict[str, int] = field(default_factory=dict)  # by people, less what they took

    def owed(self, code: str) -> int:
        """Return what all of a partner's lines must add up to, in pence."""
        own = [sale for sale in self.sales if sale.code == code]
        single = sum(self._line(sale) for sale in own if sale.tier == "registered")
        months: dict[tuple[int, str], int] = defaultdict(int)
        for sale in own:
            if sale.tier == "gold":
                months[sale.version, f"{sale.at:%Y-%m}"] += sale.pence - sale.back
        return single + sum(
            rounded(table(volume, self.tables[version])) for (version, _month), volume in months.items()
        )

    def _line(self, sale: Sale) -> int:
        line = rounded(sale.pence * self.flat_rates[sale.version])
        return line - rounded(Fraction(line * sale.back, sale.pence))


class History(RuleBasedStateMachine):
    """One program in UTC with two partners, and everything that can happen to them."""

    looks = 0

    @initialize()
    def opens(self) -> None:
        self.block = transaction.atomic()
        self.block.__enter__()
        self.now = BEGIN
        self.model = Model()
        self.number = 0
        self.seen: dict[str, Any] = {}
        self.house: House = open_house(zone="UTC", hold_days=3, minimum_minor=0)
        self.house.program.second_person_above_minor = 100_00
        self.house.program.save()
        self.gold = Tier.objects.create(program=self.house.program, key="gold", name="Gold", rank=2)
        self.members: dict[str, Membership] = {code: self.house.member(code, at=FIRST) for code in CODES}
        give_accounts(self.members.values(), at=FIRST)
        self.placed = {code: [(FIRST, "registered")] for code in CODES}
        self.versions: list[tuple[datetime, int]] = []
        self._publish(Decimal("7.5"), (5, 10, 12), effective_at=FIRST + timedelta(hours=1))

    def teardown(self) -> None:
        if hasattr(self, "block"):
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    @rule(code=st.sampled_from(CODES), pence=PENCE, hours=st.integers(1, 200))
    def sells(self, code: str, pence: int, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self._record_sale(code, pence, self.now)

    @rule(code=st.sampled_from(CODES), pence=PENCE, days=st.integers(1, 80))
    def a_sale_is_told_late(self, code: str, pence: int, days: int) -> None:
        self._record_sale(code, pence, max(self.now - timedelta(days=days), BEGIN))

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def is_told_again(self, data: st.DataObject) -> None:
        event = self.seen[data.draw(st.sampled_from(sorted(self.seen)))]
        outcome = self._tell(event)
        assert outcome.status == Status.REPLAYED

    @precondition(lambda self: self.model.sales)
    @rule(data=st.data(), kind=st.sampled_from(("refund", "chargeback")), hours=st.integers(1, 300))
    def comes_back(self, data: st.DataObject, kind: str, hours: int) -> None:
        sale = data.draw(st.sampled_from(self.model.sales))
        left = sale.pence - sale.back
        if not left:
            return
        pence = data.draw(st.one_of(st.just(left), st.integers(1, left)))
        self.now += timedelta(hours=hours)
        name = self._name(kind)
        self._send(name, pence, "", self.now, kind=kind, of=sale.name)
        sale.back += pence
        if kind == "chargeback":
            sale.charged_back[name] = pence

    @precondition(lambda self: any(sale.charged_back for sale in self.model.sales))
    @rule(data=st.data(), hours=st.integers(1, 300))
    def a_chargeback_is_won(self, data: st.DataObject, hours: int) -> None:
        sale = data.draw(st.sampled_from([sale for sale in self.model.sales if sale.charged_back]))
        name = data.draw(st.sampled_from(sorted(sale.charged_back)))
        pence = sale.charged_back.pop(name)
        self.now += timedelta(hours=hours)
        self._send(self._name("won"), pence, "", self.now, kind="chargeback_won", of=name)
        sale.back -= pence

    @rule(code=st.sampled_from(CODES), hours=st.integers(1, 100))
    def moves_to_the_other_tier(self, code: str, hours: int) -> None:
        self.now += timedelta(hours=hours)
        tier = self.house.tier if self.placed[code][-1][1] == "gold" else self.gold
        placement.place(self.members[code], tier=tier, by=mats(), at=self.now, because="test")
        self.placed[code].append((self.now, tier.key))

    @precondition(lambda self: len(self.versions) < 4)
    @rule(percent=st.sampled_from(("0.5", "6.25", "9")), raised=st.integers(0, 3))
    def the_plan_changes_next_month(self, percent: str, raised: int) -> None:
        effective_at = Month.of(self.now, UTC).ends_at(UTC)
        if effective_at not in [since for since, _number in self.versions]:
            rates = (5 + raised, 10 + raised, 12 + raised)
            self._publish(Decimal(percent), rates, effective_at=effective_at)

    @rule()
    def commission_is_computed(self) -> None:
        done = accrual.sweep(at=self.now)
        assert (done.failed, done.waiting) == (0, 0)
        self._look()

    @rule(days=st.integers(20, 40))
    def a_month_is_closed(self, days: int) -> None:
        self.now += timedelta(days=days)
        accrual.sweep(at=self.now)
        shut = Period.objects.filter(program=self.house.program, state=PeriodState.CLOSED).count()
        month = Month(2026, 1).plus(shut)
        if month.ends_at(UTC) <= self.now:
            periods.close(self.house.program, month, by=fiona(), at=self.now)
        self._look()

    @rule(comes_back=st.sampled_from(("nothing", "before it arrived", "afterwards")))
    def finance_pays(self, comes_back: str) -> None:
        try:
            run = exported(self.house.program.legal_entity, at=self.now)
        except Refused:
            return  # nothing is ready
        first = run.payments.order_by("pk")[0]
        if comes_back == "before it arrived":
            pay_runs.fail(first, reason="Account closed", code="AC04", by=fiona(), at=self.now)
        pay_runs.settle(run, by=fiona(), at=self.now, reference="BANK-1")
        if comes_back == "afterwards":
            first.refresh_from_db()
            pay_runs.fail(first, reason="Sent back", code="AC04", by=felix(), at=self.now)
        self._look()

    @rule(
        code=st.sampled_from(CODES),
        kind=st.sampled_from((AdjustmentKind.BONUS, AdjustmentKind.ADJUSTMENT)),
        pence=st.integers(1, 250_00),
        takes=st.booleans(),
    )
    def somebody_adds_or_takes(self, code: str, kind: AdjustmentKind, pence: int, takes: bool) -> None:
        minor = -pence if takes and kind == AdjustmentKind.ADJUSTMENT else pence
        made = self._adjust(code, kind, minor)
        assert made.needs_second_person == (pence > 100_00)
        if made.needs_second_person:
            adjustments.approve(made, by=felix(), at=self.now)
        self.model.added[code] = self.model.added.get(code, 0) + minor
        self._look()

    @rule(code=st.sampled_from(CODES), part=st.fractions(0, 1))
    def a_debt_is_written_off(self, code: str, part: Fraction) -> None:
        debt = -balance_of(self.members[code]).minor
        if debt <= 0:
            return
        minor = max(int(debt * part), 1)
        try:
            adjustments.approve(self._adjust(code, AdjustmentKind.WRITE_OFF, minor), by=felix(), at=self.now)
        except Refused:
            return  # a payment is on its way
        self.model.added[code] = self.model.added.get(code, 0) + minor
        self._look()

    @rule(data=st.data(), code=st.sampled_from(CODES))
    def something_is_paused(self, data: st.DataObject, code: str) -> None:
        review_on = (self.now + timedelta(days=400)).date()
        why = {"cause": "risk", "reason": "We look at it.", "review_on": review_on}
        held = Commission.objects.filter(membership=self.members[code], state=CommissionState.ON_HOLD)
        lines = list(held.exclude(amount_minor=0).order_by("pk"))
        if lines and data.draw(st.booleans()):
            pauses.pause_line(data.draw(st.sampled_from(lines)), **why, by=fiona(), at=self.now)
        elif not Pause.objects.open().of_payments().filter(membership=self.members[code]).exists():
            pauses.pause_payments(self.members[code], **why, by=fiona(), at=self.now)

    @rule()
    def what_was_paused_goes_on(self) -> None:
        for pause in Pause.objects.open().order_by("pk"):
            pauses.resume(pause, outcome="All is well.", by=fiona(), at=self.now)

    @rule(data=st.data())
    def a_statement_is_corrected(self, data: st.DataObject) -> None:
        issued = list(Statement.objects.in_force().order_by("pk"))
        if issued:
            wrong = data.draw(st.sampled_from(issued))
            new = statements.correct(wrong, reason="A wrong name.", by=fiona(), at=self.now)
            assert (new.opening_minor, new.closing_minor) == (wrong.opening_minor, wrong.closing_minor)
        self._look()

    @rule()
    def everything_is_reckoned_anew(self) -> None:
        accrual.sweep(at=self.now)
        before = Commission.objects.count()
        for membership in self.members.values():
            reconcile.reconcile(membership, since=None, at=self.now)
        assert Commission.objects.count() == before
        self._look()

    def _adjust(self, code: str, kind: AdjustmentKind, minor: int) -> Adjustment:
        return adjustments.propose(
            self.members[code],
            kind=kind,
            amount=Money(minor, "GBP"),
            reason="goodwill",
            note="As agreed.",
            by=fiona(),
            at=self.now,
        )

    def _record_sale(self, code: str, pence: int, at: datetime) -> None:
        name = self._name("sale")
        self._send(name, pence, code, at)
        tier = next(key for since, key in reversed(self.placed[code]) if since <= at)
        version = max((since, number) for since, number in self.versions if since <= at)[1]
        self.model.sales.append(Sale(name, code, pence, at, tier, version))

    def _send(
        self, name: str, pence: int, code: str, at: datetime, *, kind: str = "sale", of: str = ""
    ) -> None:
        amount = f"{pence // 100}.{pence % 100:02d}"
        event = self.house.event(name, amount, code, at, kind=kind, of=of)
        assert self._tell(event).status == Status.CREATED
        self.seen[name] = event

    def _tell(self, event: Any) -> Any:
        from referrals import conversions

        return conversions.record(event, at=self.now)

    def _name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}-{self.number}"

    def _publish(self, percent: Decimal, rates: tuple[int, ...], *, effective_at: datetime) -> None:
        draft: PlanVersion = publishing.draft_from(self.house.program.plan, by=ada(), at=self.now)
        draft.rules.all().delete()
        Rule.objects.create(
            version=draft, key="single", name="Single", position=1, rate=percent, tier_keys=["registered"]
        )
        steps = [
            {"from": start, "rate": str(rate), "flat": 0}
            for (start, _percent), rate in zip(TABLE, rates, strict=True)
        ]
        Rule.objects.create(
            version=draft,
            key="month",
            name="Month",
            position=2,
            kind="graduated",
            tier_keys=["gold"],
            params={"metric": "revenue", "window": {"kind": "month", "months": 1}, "steps": steps},
        )
        publishing.publish(draft, effective_at=effective_at, by=ada(), at=FIRST)
        self.versions.append((effective_at, draft.pk))
        self.model.flat_rates[draft.pk] = Fraction(percent) / 100
        self.model.tables[draft.pk] = rates

    def _look(self) -> None:
        """Compare the books with the model and with themselves."""
        accrual.sweep(at=self.now)
        for code, member in self.members.items():
            lines = Commission.objects.filter(membership=member).aggregate(minor=Sum("amount_minor"))
            assert (lines["minor"] or 0) == self.model.owed(code)
            accounts = Account.objects.filter(membership=member).with_balance()
            owed = sum(accounts.values_list("balance_minor", flat=True))
            paid = Payment.objects.filter(membership=member, state=PaymentState.SETTLED)
            due = self.model.owed(code) + self.model.added.get(code, 0)
            assert owed + sum(paid.values_list("amount_minor", flat=True)) == due
            stood = list(Placement.objects.filter(membership=member).order_by("starts_at"))
            ends = [each.ends_at for each in stood]
            assert ends == [*(each.starts_at for each in stood[1:]), None]  # one tier at each instant
        assert reconciliation.check() == []
        History.looks += 1


@pytest.mark.django_db
def test_the_books_are_what_the_model_says_whatever_happens() -> None:
    before = History.looks
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert History.looks > before, "no step was ever looked at"
