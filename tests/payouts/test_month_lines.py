"""What a month brings by itself: retainers, guaranteed amounts, advances that are paid back. Figures are worked by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from payouts import ledger, periods, reconcile, reconciliation
from payouts.calendar import month_of
from payouts.choices import AccountKind, CommissionKind, PeriodState, TransactionKind
from payouts.models import Commission, Period, Statement
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.house import House
from tests.payouts.test_reconcile import house_with
from tests.people import ada, fiona
from tiers import publishing
from tiers.models import Plan

pytestmark = pytest.mark.django_db

TEN = {"key": "ten", "kind": "percent", "rate": 10}
RETAINER = {"key": "fee", "kind": "retainer", "flat_minor": 20_000}
DRAW = {"key": "draw", "kind": "draw", "flat_minor": 50_000}


def at(month: int, day: int = 3) -> datetime:
    return datetime(2026, month, day, 9, tzinfo=UTC)


def close(house: House, *months: int) -> None:
    for month in months:
        periods.close(house.program, Month(2026, month), by=fiona(), at=at(month + 1))


def lines(house: House, code: str = "ANA") -> list[tuple[str, str, int]]:
    found = Commission.objects.filter(membership=house.members[code], credit=None).order_by("pk")
    return [(str(line.period.as_month), line.kind, line.amount_minor) for line in found]


def balance(house: House, kind: AccountKind, code: str = "ANA") -> Money:
    if kind in AccountKind.of_partner():
        return ledger.balance(ledger.partner_account(house.members[code], kind))
    return ledger.balance(ledger.program_account(house.program, kind))


def closings(house: House, code: str = "ANA") -> list[int]:
    issued = Statement.objects.filter(membership=house.members[code]).order_by("period__month")
    return list(issued.values_list("closing_minor", flat=True))


def test_a_retainer_comes_with_every_month_of_membership_and_is_on_its_statement() -> None:
    house = house_with([RETAINER])
    joined_later = house.member("IVY", at=at(2, 20))
    left = house.member("LEO")
    left.ended_at = at(2, 10)
    left.save(update_fields=["ended_at"])
    close(house, 1, 2)
    assert lines(house) == [("2026-01", "retainer", 20_000), ("2026-02", "retainer", 20_000)]
    assert lines(house, "IVY") == [("2026-02", "retainer", 20_000)], "the month it joined in counts"
    assert lines(house, "LEO") == [("2026-01", "retainer", 20_000)], "the month it left in does not"
    assert closings(house) == [20_000, 40_000]
    assert Commission.objects.filter(membership=joined_later).get().state == "on_statement"
    assert reconciliation.check() == []


def test_a_suspended_partner_gets_no_retainer() -> None:
    house = house_with([RETAINER])
    member = house.members["ANA"]
    member.state = "suspended"
    member.save(update_fields=["state"])
    close(house, 1)
    assert lines(house) == []


def test_an_advance_fills_a_poor_month_and_a_rich_one_pays_it_back() -> None:
    house = house_with([TEN, DRAW])
    house.sale("j", "3000.00", "ANA", at(1))  # 300.00: 200.00 are advanced
    house.sale("f", "6000.00", "ANA", at(2))  # 600.00: 100.00 above 500.00 go back
    house.sale("m", "9000.00", "ANA", at(3))  # 900.00: the other 100.00 go back, and no more
    house.rate(at(4))
    close(house, 1)
    assert balance(house, AccountKind.ADVANCES) == Money(-20_000, "GBP"), "the partner owes it"
    close(house, 2, 3)
    assert lines(house) == [
        ("2026-01", "draw", 20_000),
        ("2026-02", "recovery", -10_000),
        ("2026-03", "recovery", -10_000),
    ]
    assert balance(house, AccountKind.ADVANCES) == Money(0, "GBP")
    assert balance(house, AccountKind.EXPENSE) == Money(-180_000, "GBP"), "an advance is no expense"
    assert reconciliation.check() == []


def test_an_advance_is_paid_back_under_terms_that_advance_nothing_more() -> None:
    house = house_with([TEN, DRAW])
    plain = publishing.draft_from(Plan.objects.get(program=house.program), by=ada(), at=at(1))
    plain.rules.get(key="draw").delete()
    publishing.publish(plain, effective_at=at(2, 1), by=ada(), at=at(1))
    house.sale("j", "3000.00", "ANA", at(1))  # 300.00: 200.00 are advanced
    house.sale("f", "1500.00", "ANA", at(2))  # 150.00, and nothing is guaranteed any more: all goes back
    house.sale("m", "9000.00", "ANA", at(3))  # 900.00: the other 50.00 go back, and no more
    house.sale("a", "9000.00", "ANA", at(4))
    house.rate(at(5))
    close(house, 1, 2, 3, 4)
    assert lines(house) == [
        ("2026-01", "draw", 20_000),
        ("2026-02", "recovery", -15_000),
        ("2026-03", "recovery", -5_000),
    ]
    assert balance(house, AccountKind.ADVANCES) == Money(0, "GBP")
    assert reconciliation.check() == []


def test_a_guaranteed_quarter_is_filled_up_when_it_is_over() -> None:
    quarter = {"kind": "quarter", "months": 3}
    rule = {**TEN, "params": {"limits": {"window_min": 100_000, "window": quarter}}}
    house = house_with([rule], "ANA", "IVY")
    house.sale("j", "3000.00", "ANA", at(1))  # 300.00
    house.sale("m", "2500.00", "ANA", at(3))  # 250.00: 450.00 are missing
    house.sale("i", "20000.00", "IVY", at(2))  # 2,000.00 by herself
    house.rate(at(4))
    close(house, 1, 2, 3)
    assert lines(house) == [("2026-03", "floor", 45_000)]
    assert lines(house, "IVY") == []
    floor = Commission.objects.get(kind=CommissionKind.FLOOR)
    assert floor.because["floor"] == {"limit": 100_000, "scope": "window", "added": 45_000}
    assert floor.window == "2026-Q1"


def test_what_a_month_brought_is_no_part_of_what_a_window_holds() -> None:
    steps = [{"from": 0, "rate": "5"}]
    window = {"kind": "year", "months": 12}
    limits = {"window_min": 50_000, "window": window}
    rule: dict[str, Any] = {
        "key": "steps",
        "kind": "graduated",
        "params": {"metric": "revenue", "window": window, "steps": steps, "limits": limits},
    }
    house = house_with([rule, RETAINER])
    house.sale("j", "1000.00", "ANA", at(1))
    house.rate(at(2))
    for month in range(1, 13):
        now = datetime(2026 + month // 12, month % 12 + 1, 3, 9, tzinfo=UTC)
        periods.close(house.program, Month(2026, month), by=fiona(), at=now)
    assert lines(house)[-1] == ("2026-12", "floor", 45_000)
    now = datetime(2027, 1, 5, tzinfo=UTC)
    house.sale("late", "1000.00", "ANA", at(5))
    house.rate(now)
    assert house.amounts("late") == [5000]
    assert reconcile.difference(house.members["ANA"], at=now) == []


def test_settling_again_brings_nothing_twice() -> None:
    house = house_with([RETAINER, DRAW])
    period = month_of(house.program, Month(2026, 1))
    for _time in range(2):
        periods.settle_membership(house.members["ANA"], period, at=at(2))
    assert lines(house) == [("2026-01", "retainer", 20_000), ("2026-01", "draw", 50_000)]


def test_a_month_being_closed_takes_its_own_lines_and_no_other_accrual() -> None:
    house = house_with([RETAINER])
    period = month_of(house.program, Month(2026, 1))
    Period.objects.filter(pk=period.pk).update(state=PeriodState.CLOSING)

    def book(key: str) -> None:
        posting = ledger.Posting(key, TransactionKind.ACCRUAL, period, at(1))
        with transaction.atomic():
            ledger.post_many([posting], at=at(2))

    book("month:1:1")
    with pytest.raises(IntegrityError, match="Nothing posts into a closed month"):
        book("accrual:1:1")
    Period.objects.filter(pk=period.pk).update(state=PeriodState.CLOSED, closed_at=at(2), closed_by=fiona())
    with pytest.raises(IntegrityError, match="Nothing posts into a closed month"):
        book("month:2:1")
