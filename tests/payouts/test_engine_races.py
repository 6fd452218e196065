"""Eight workers at the same memberships at once: caps, budgets, milestones and refunds end as one worker would have left them. Every
figure is worked out here, in fractions, from the events alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from payouts import accrual, reconcile, reconciliation
from payouts.models import Commission
from prm.lib.db import suspended_triggers
from prm.lib.money import Money
from prm.lib.periods import Month
from referrals import conversions
from referrals.attribution.correct import Share, correct
from referrals.facts import Event
from referrals.models import Conversion, Credit
from tests.house import House
from tests.payouts.test_reconcile import LATER, MARCH_2, MONTHLY, STEPS, house_with
from tests.people import ada
from tiers.models import Rule

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True)]

APRIL = Month(2026, 4)
THREADS = 8
SALES = 64
Work = Callable[[], Any]


# -- how it is done


def at_once(works: Sequence[Work]) -> list[Any]:
    """Run each work in a thread and a connection of its own, all beginning together; a hang fails in words."""
    start = Barrier(len(works))

    def one(work: Work) -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '15s'")
                cursor.execute("SET statement_timeout = '20s'")
            start.wait(timeout=20)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result(timeout=60) for each in [pool.submit(one, work) for work in works]]


def rating(ids: Sequence[int], *, at_a_time: int = 2) -> Work:
    """Return the work of a thread that rates these conversions, few at a time."""

    def work() -> accrual.Accrued:
        done = accrual.Accrued()
        for start in range(0, len(ids), at_a_time):
            done.add(accrual.accrue(ids[start : start + at_a_time], at=LATER))
        return done

    return work


def sweeping() -> accrual.Accrued:
    return accrual.sweep(at=LATER)


def rated_at_once(ids: Iterable[int], *, seed: int) -> None:
    """Rate conversions by eight threads on slices of them, in no order, while a ninth sweeps: each once."""
    shuffled = list(ids)
    random.Random(seed).shuffle(shuffled)
    slices = [shuffled[number::THREADS] for number in range(THREADS)]
    done = at_once([*(rating(part) for part in slices), sweeping])
    # What one thread skipped because another held it, and refunds that waited for their sale.
    done.append(sweeping())
    assert sum(each.rated for each in done) == Credit.objects.standing().count()
    assert (sum(each.failed for each in done), done[-1].waiting) == (0, 0)
    assert not Credit.objects.unrated().exists()


def told(house: House, sales: Iterable[tuple[str, int, datetime]], **facts: Any) -> list[Event]:
    """Return sales as events: by whom, how many pence, when."""
    event = house.event("", "1.00", "", MARCH_2)
    return [
        replace(
            event, external_id=f"s{number}", amount=Money(pence, "GBP"), code=code, occurred_at=when, **facts
        )
        for number, (code, pence, when) in enumerate(sales)
    ]


def recorded(events: Sequence[Event]) -> list[int]:
    """Record events without rating them; return the keys of their conversions."""
    outcomes = conversions.record_many(events, at=LATER)
    assert [each.refusal for each in outcomes if each.refusal is not None] == []
    return [each.conversion_id for each in outcomes if each.conversion_id is not None]


def back(of: Event, name: str, pence: int, *, kind: str = "refund", hours: int = 1) -> Event:
    """Return an event that takes something of a sale back, or gives it back."""
    return replace(
        of,
        external_id=name,
        kind=kind,
        amount=Money(pence, "GBP"),
        code="",
        occurred_at=of.occurred_at + timedelta(days=20, hours=hours),
        original_external_id=of.external_id,
    )


def assert_in_order(house: House) -> None:
    """Reconciling by eight threads at once posts nothing, and the books agree with themselves."""
    lines = Commission.objects.count()
    for member in house.members.values():
        assert reconcile.difference(member, at=LATER) == []
    members = list(house.members.values())
    works = [lambda each=each: reconcile.reconcile(each, at=LATER) for each in (members * THREADS)[:THREADS]]
    assert [each.posted for each in at_once(works)] == [0] * THREADS
    assert Commission.objects.count() == lines
    assert reconciliation.check() == []


def totals(by: str) -> dict[Any, int]:
    rows = Commission.objects.order_by().values_list(by).annotate(total=Sum("amount_minor"))
    return dict(rows)


# -- how it is reckoned


def rounded(exact: Fraction) -> int:
    """Round half away from zero."""
    return int(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)


def percent(rate: int, pence: int) -> int:
    return rounded(Fraction(pence * rate, 100))


def graduated(pence: int) -> Fraction:
    """5 % up to 1,000.00, 8 % of what lies above, 10 % of what lies above 5,000.00."""
    parts = [(min(pence, 100_000), 5), (min(pence, 500_000) - 100_000, 8), (pence - 500_000, 10)]
    return sum((Fraction(max(part, 0) * rate, 100) for part, rate in parts), Fraction(0))


def left_of(line: int, sale: int, gone: int) -> int:
    """What is left of a line when so much of its sale has gone back, in however many parts."""
    return line - rounded(Fraction(line * gone, sale))


def many_sales(codes: Sequence[str] = ("ANA",), *, months: int = 2) -> list[tuple[str, int, datetime]]:
    """64 sales of 10.01 to 142.64, in turns by partner, half of them in March and half in April."""
    return [
        (
            codes[number % len(codes)],
            1_001 + number * 211 - number % 3 * 10,
            MARCH_2 + timedelta(days=31 * (number // 2 % months), hours=number),
        )
        for number in range(SALES)
    ]


def by_month(sales: Iterable[tuple[str, int, datetime]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for _code, pence, when in sales:
        found.setdefault(f"{when:%Y-%m}", []).append(pence)
    return found


def limited(**limits: Any) -> dict[str, Any]:
    return {"key": "ten", "kind": "percent", "rate": 10, "params": {"limits": limits}}


def steps(kind: str, **params: Any) -> dict[str, Any]:
    known = {"metric": "revenue", "window": MONTHLY, "steps": STEPS}
    return {"key": "steps", "kind": kind, "params": {**known, **params}}


# -- caps


@pytest.mark.parametrize("cap", [1_000, 12_345, 100_000_00])
def test_what_a_partner_s_month_brings_is_never_more_than_its_cap_and_never_less(cap: int) -> None:
    house = house_with([limited(window_max=cap, window=MONTHLY)])
    sales = many_sales()
    rated_at_once(recorded(told(house, sales)), seed=cap)
    uncapped = {month: sum(percent(10, each) for each in all_) for month, all_ in by_month(sales).items()}
    assert totals("window") == {month: min(cap, owed) for month, owed in uncapped.items()}
    assert Commission.objects.filter(kind="earned").count() == SALES  # each credit its one line
    assert_in_order(house)


@pytest.mark.parametrize("cap", [8_000, 100_000_00])
def test_the_cap_of_a_graduated_month_holds_and_is_reached(cap: int) -> None:
    house = house_with([steps("graduated", limits={"window_max": cap})])
    sales = many_sales()
    rated_at_once(recorded(told(house, sales)), seed=cap)
    owed = {month: rounded(graduated(sum(all_))) for month, all_ in by_month(sales).items()}
    assert totals("window") == {month: min(cap, each) for month, each in owed.items()}
    assert Commission.objects.filter(kind="earned").count() == SALES
    assert_in_order(house)


@pytest.mark.parametrize("budget", [20_000, 100_000_00])
def test_a_budget_that_partners_share_is_spent_to_the_penny_and_not_beyond(budget: int) -> None:
    codes = [f"P{number}" for number in range(5)]
    house = house_with([limited(budget_max=budget, budget_window={"kind": "lifetime"})], *codes)
    sales = many_sales(codes)
    rated_at_once(recorded(told(house, sales)), seed=budget)
    uncapped = sum(percent(10, pence) for _code, pence, _when in sales)
    assert sum(totals("currency").values()) == min(budget, uncapped)
    assert Commission.objects.filter(kind="earned").count() == SALES
    assert_in_order(house)


def test_a_customer_brings_what_its_cap_says_and_no_other_customer_s_part() -> None:
    house = house_with([limited(customer_max=6_000)])
    sales = many_sales()
    names = ["c-1"] * 30 + ["c-2"] * 30 + ["c-3"] * 4
    events = [replace(each, customer_id=name) for each, name in zip(told(house, sales), names, strict=True)]
    rated_at_once(recorded(events), seed=1)
    uncapped: Counter[str] = Counter()
    for event in events:
        uncapped[event.customer_id] += percent(10, event.amount.minor)
    assert uncapped["c-3"] < 6_000 < min(uncapped["c-1"], uncapped["c-2"])
    assert totals("conversion__customer__external_id") == {
        name: min(6_000, owed) for name, owed in uncapped.items()
    }
    assert_in_order(house)


# -- milestones, and windows as a whole


@pytest.mark.parametrize(("stacking", "owed"), [(False, 20_000), (True, 25_000)])
def test_a_milestone_that_many_events_reach_together_is_paid_once(stacking: bool, owed: int) -> None:
    # 32 sales in each of two months reach 10 and 20, never 40: the higher one of 200.00, or both with 50.00.
    thresholds = [{"from": 10, "flat": 5_000}, {"from": 20, "flat": 20_000}, {"from": 40, "flat": 90_000}]
    house = house_with([steps("milestone", metric="sales", steps=thresholds, stacking=stacking)])
    rated_at_once(recorded(told(house, many_sales())), seed=2)
    assert totals("window") == {"2026-03": owed, "2026-04": owed}
    paid = Commission.objects.exclude(amount_minor=0).order_by("window", "pk")
    # The tenth sale rated brings 50.00, the twentieth the rest, whichever sales they are.
    assert list(paid.values_list("amount_minor", flat=True)) == [5_000, owed - 5_000] * 2
    assert_in_order(house)


def test_a_month_s_volume_is_trued_up_once_and_all_of_it_has_the_rate_reached() -> None:
    house = house_with([steps("volume", steps=[{"from": 0, "rate": "5"}, {"from": 60_000, "rate": "8"}])])
    sales = many_sales()
    rated_at_once(recorded(told(house, sales)), seed=3)
    assert totals("window") == {
        month: rounded(Fraction(sum(all_) * 8, 100)) for month, all_ in by_month(sales).items()
    }
    true_ups = Commission.objects.filter(kind="true_up").values_list("window", flat=True)
    assert sorted(true_ups) == ["2026-03", "2026-04"]
    assert_in_order(house)


def test_a_rate_that_looks_back_is_that_of_the_order_things_happened_in_whoever_rated_what_first() -> None:
    house = house_with([steps("prospective")])
    sales = many_sales(months=1)
    rated_at_once(recorded(told(house, sales)), seed=4)
    owed, before = 0, 0
    for _code, pence, _when in sorted(sales, key=lambda sale: sale[2]):
        rate = 5 if before < 100_000 else 8 if before < 500_000 else 10
        owed, before = owed + percent(rate, pence), before + pence
    assert totals("currency") == {"GBP": owed}
    assert_in_order(house)


# -- refunds


PLANS: Mapping[str, dict[str, Any]] = {
    "plain": {"key": "ten", "kind": "percent", "rate": 10},
    "capped": limited(window_max=100_000_00, window=MONTHLY),
    "graduated": steps("graduated"),
}


def owed_by(plan: str, sales: Iterable[Event], gone: Mapping[str, int]) -> int:
    """What sales are worth of which so much has gone back."""
    if plan == "graduated":
        return rounded(graduated(sum(each.amount.minor - gone.get(each.external_id, 0) for each in sales)))
    return sum(
        left_of(percent(10, each.amount.minor), each.amount.minor, gone.get(each.external_id, 0))
        for each in sales
    )


def cuts(pence: int, parts: int) -> Iterator[int]:
    """Cut an amount into parts that differ."""
    for number in range(parts):
        part = pence // (parts - number) - (7 if number < parts - 1 else 0)
        yield part
        pence -= part


@pytest.mark.parametrize("plan", PLANS)
def test_refunds_in_parts_that_come_with_their_sale_take_exactly_what_it_earned(plan: str) -> None:
    house = house_with([PLANS[plan]])
    sales = told(house, many_sales(months=1)[:6])
    ids = recorded(sales)
    # Every sale comes back in eight parts, each told and rated by a thread of its own; every third but for the last part.
    parts = {sale.external_id: list(cuts(sale.amount.minor, THREADS)) for sale in sales}
    for sale in sales[::3]:
        parts[sale.external_id][-1] = 0
    gone = {name: sum(all_) for name, all_ in parts.items()}

    def taking_back(thread: int) -> Work:
        def work() -> None:
            for turn in range(len(sales)):
                sale = sales[(turn + thread) % len(sales)]
                if pence := parts[sale.external_id][thread]:
                    refund = back(sale, f"{sale.external_id}-r{thread}", pence, hours=thread)
                    accrual.accrue(recorded([refund]), at=LATER)
                if turn == thread:
                    sweeping()

        return work

    at_once([*(taking_back(thread) for thread in range(THREADS)), rating(ids, at_a_time=1)])
    sweeping()
    assert not Credit.objects.unrated().exists()
    assert sum(totals("currency").values()) == owed_by(plan, sales, gone)
    if plan != "graduated":
        _expect_of_each_sale(sales, gone)
    assert_in_order(house)


def _expect_of_each_sale(sales: Iterable[Event], gone: Mapping[str, int]) -> None:
    sold, taken = totals("conversion__external_id"), totals("conversion__original__external_id")
    for sale in sales:
        line = percent(10, sale.amount.minor)
        assert sold[sale.external_id] == line
        left = left_of(line, sale.amount.minor, gone[sale.external_id])
        assert line + taken.get(sale.external_id, 0) == left
        assert gone[sale.external_id] < sale.amount.minor or left == 0


@pytest.mark.parametrize("plan", PLANS)
def test_chargebacks_and_those_won_back_in_any_hands_leave_what_the_books_of_one_would(plan: str) -> None:
    house = house_with([PLANS[plan]])
    sales = told(house, many_sales(months=1)[:16])
    moves: list[Event] = []
    gone: dict[str, int] = {}
    for number, sale in enumerate(sales):
        name, whole = sale.external_id, sale.amount.minor
        kept = whole // 3 if number % 2 else 0  # half of them are won back but for a third
        charged = back(sale, f"{name}-c", whole, kind="chargeback", hours=1)
        won = back(sale, f"{name}-w", whole - kept, kind="chargeback_won", hours=2)
        again = back(sale, f"{name}-r", (whole - kept) // 4, hours=3)
        moves += [charged, won, again]
        gone[name] = kept + (whole - kept) // 4
    rated_at_once(recorded([*sales, *moves]), seed=5)
    assert sum(totals("currency").values()) == owed_by(plan, sales, gone)
    if plan != "graduated":
        _expect_of_each_sale(sales, gone)
    assert_in_order(house)


# -- reconciling


@pytest.mark.parametrize("plan", [*PLANS, "ahead"])
def test_reconciling_a_membership_while_it_is_rated_posts_nothing_of_its_own(plan: str) -> None:
    house = house_with([PLANS.get(plan, steps("prospective"))])
    sales = told(house, many_sales(months=1)[::2])
    refunds = [
        back(sale, f"{sale.external_id}-r{part}", sale.amount.minor // 3, hours=part)
        for sale in sales[::2]
        for part in (1, 2)
    ]
    ids = recorded([*sales, *refunds])
    random.Random(6).shuffle(ids)
    member = house.members["ANA"]

    def both(part: Sequence[int]) -> Work:
        def work() -> list[reconcile.Difference]:
            found: list[reconcile.Difference] = []
            for start in range(0, len(part), 4):
                accrual.accrue(part[start : start + 4], at=LATER)
                found += reconcile.difference(member, since=APRIL if start else None, at=LATER)
            return found + reconcile.reconcile(member, at=LATER).differences

        return work

    found = at_once([both(ids[number::THREADS]) for number in range(THREADS)])
    sweeping()
    assert not Credit.objects.unrated().exists()
    assert [each for some in found for each in some] == []
    if plan != "ahead":
        gone = {sale.external_id: sale.amount.minor // 3 * 2 for sale in sales[::2]}
        assert sum(totals("currency").values()) == owed_by(plan, sales, gone)
    assert_in_order(house)


def test_what_differs_is_posted_once_by_eight_who_find_it_together() -> None:
    house = house_with([PLANS["plain"]])
    sales = told(house, many_sales(months=1)[:16])
    recorded(sales)
    house.rate(LATER)
    refunds = recorded([back(sale, f"{sale.external_id}-r", sale.amount.minor) for sale in sales[:8]])
    with suspended_triggers():  # nothing of ours rewrites a published rule: this is a fault
        Rule.objects.update(rate=15)
    member = house.members["ANA"]
    works: list[Work] = [lambda: reconcile.reconcile(member, at=LATER) for _thread in range(THREADS - 1)]
    at_once([*works, rating(refunds, at_a_time=1)])
    sweeping()
    # Ten percent were booked and fifteen are due, of sales and of what was taken back before that was found.
    sold, taken = totals("conversion__external_id"), totals("conversion__original__external_id")
    for sale in sales:
        owed = percent(15, sale.amount.minor)
        assert sold[sale.external_id] == owed
        assert taken.get(sale.external_id, 0) == (-owed if sale in sales[:8] else 0)
    corrections = Commission.objects.filter(kind="true_up")
    assert 16 <= corrections.count() == corrections.values("conversion").distinct().count() <= 24
    assert_in_order(house)


@pytest.mark.parametrize("plan", PLANS)
def test_a_credit_corrected_while_its_sale_is_refunded_leaves_the_right_partner_what_is_left(
    plan: str,
) -> None:
    house = house_with([PLANS[plan]], "ANA", "IVY")
    sales = told(house, many_sales(months=1)[:THREADS])
    ids = recorded(sales)
    if plan != "capped":
        house.rate(LATER)
    ada()
    gone = {sale.external_id: sum(list(cuts(sale.amount.minor, 4))[:3]) for sale in sales}

    def correcting() -> None:
        for pk in ids:
            conversion = Conversion.objects.get(pk=pk)
            share = Share(house.members["IVY"], Decimal(1))
            correct(conversion, credits=[share], by=ada(), reason="Hers.", at=LATER)
            reconcile.reconcile_superseded([pk], at=LATER)

    def refunding(thread: int) -> Work:
        def work() -> None:
            for sale in sales:
                pence = list(cuts(sale.amount.minor, 4))[thread]
                refund = back(sale, f"{sale.external_id}-r{thread}", pence, hours=thread)
                accrual.accrue(recorded([refund]), at=LATER)

        return work

    others: list[Work] = [lambda: reconcile.reconcile(house.members["ANA"], at=LATER), sweeping]
    others += [lambda: reconcile.reconcile_superseded(ids, at=LATER), rating(ids)]
    at_once([correcting, *(refunding(thread) for thread in range(3)), *others])
    sweeping()
    every = list(Conversion.objects.values_list("pk", flat=True))
    reconcile.reconcile_superseded(every, at=LATER)
    by_member = totals("membership_id")
    assert by_member.get(house.members["ANA"].pk, 0) == 0
    assert by_member[house.members["IVY"].pk] == owed_by(plan, sales, gone)
    assert_in_order(house)
