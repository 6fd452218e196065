"""A month closes when it is over and rated, once, in steps that can be interrupted; what comes late goes to the next one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners.models import Membership
from payouts import ledger, periods, release
from payouts.calendar import for_posting
from payouts.choices import AccountKind, CommissionState, PeriodState
from payouts.models import Commission, Period, Statement
from prm.accounts.policy import Forbidden
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.house import House, open_house
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db

JANUARY, FEBRUARY = Month(2026, 1), Month(2026, 2)
FEB_1 = datetime(2026, 2, 1, 8, tzinfo=UTC)
MAR_1 = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10")
    return house


def payable(house: House, code: str = "ANA10") -> Money:
    return ledger.balance(ledger.partner_account(house.members[code], AccountKind.PAYABLE))


def test_closing_releases_what_is_due_and_issues_one_statement_each(house: House) -> None:
    house.member("BEN10")
    house.sale("early", "1000.00", "ANA10", datetime(2026, 1, 5, tzinfo=UTC))  # 80.00, ready on 19 January
    house.sale("late", "500.00", "ANA10", datetime(2026, 1, 20, tzinfo=UTC))  # 40.00, ready on 3 February
    house.rate(FEB_1)
    period = periods.close(house.program, JANUARY, by=fiona(), at=FEB_1)
    assert period.state == PeriodState.CLOSED
    assert payable(house) == Money(8000, "GBP")
    assert list(Statement.objects.order_by("pk").values_list("closing_minor", flat=True)) == [8000, 0]
    states = Commission.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [CommissionState.ON_STATEMENT, CommissionState.ON_HOLD]
    assert period.control_totals["commission_minor"] == 12000
    assert period.control_totals["closing_minor"] == 8000


def test_closing_again_answers_with_what_is_there(house: House) -> None:
    first = periods.close(house.program, JANUARY, by=fiona(), at=FEB_1)
    second = periods.close(house.program, JANUARY, by=fiona(), at=FEB_1 + timedelta(days=3))
    assert (first.pk, first.closed_at) == (second.pk, second.closed_at)
    assert Statement.objects.count() == 1


def test_an_interrupted_close_goes_on_where_it_stopped(house: House) -> None:
    house.member("BEN10")
    house.sale("a", "1000.00", "ANA10", datetime(2026, 1, 5, tzinfo=UTC))
    house.sale("b", "1000.00", "BEN10", datetime(2026, 1, 6, tzinfo=UTC))
    house.rate(FEB_1)

    class Pulled(Exception):
        """The plug."""

    def pull(done: int, total: int) -> None:
        raise Pulled

    with pytest.raises(Pulled):
        periods.close(house.program, JANUARY, by=fiona(), at=FEB_1, progress=pull)
    assert (Period.objects.get().state, Statement.objects.count()) == (PeriodState.CLOSING, 1)
    period = periods.close(house.program, JANUARY, by=fiona(), at=FEB_1)
    assert (period.state, Statement.objects.count()) == (PeriodState.CLOSED, 2)
    numbers = Statement.objects.order_by("sequence").values_list("sequence", flat=True)
    assert list(numbers) == [1, 2]


def test_a_month_that_is_not_over_in_its_own_zone_stays_open() -> None:
    house = open_house(zone="America/Los_Angeles")
    house.member("ANA10")
    # in Los Angeles, January lasts until 08:00 UTC on 1 February; the members joined there on 31 December
    december = Month(2025, 12)
    periods.close(house.program, december, by=fiona(), at=datetime(2026, 1, 1, 8, tzinfo=UTC))
    with pytest.raises(periods.MonthNotOver):
        periods.close(house.program, JANUARY, by=fiona(), at=datetime(2026, 2, 1, 7, 59, 59, tzinfo=UTC))
    closed = periods.close(house.program, JANUARY, by=fiona(), at=datetime(2026, 2, 1, 8, tzinfo=UTC))
    assert closed.state == PeriodState.CLOSED


def test_months_close_in_order_even_those_in_which_nothing_happened(house: House) -> None:
    with pytest.raises(periods.EarlierMonthOpen, match="2026-01"):
        periods.close(house.program, FEBRUARY, by=fiona(), at=MAR_1)
    assert not Statement.objects.exists()
    periods.close(house.program, JANUARY, by=fiona(), at=MAR_1)
    periods.close(house.program, FEBRUARY, by=fiona(), at=MAR_1)
    assert Statement.objects.count() == 2


def test_a_month_with_an_unrated_event_stays_open(house: House) -> None:
    house.sale("s", "100.00", "ANA10", datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC))
    with pytest.raises(periods.EventsNotRated, match="1 events"):
        periods.close(house.program, JANUARY, by=fiona(), at=FEB_1)
    assert Period.objects.get(month=1).state == PeriodState.OPEN
    house.rate(FEB_1)
    assert periods.close(house.program, JANUARY, by=fiona(), at=FEB_1).state == PeriodState.CLOSED


def test_an_event_of_the_next_month_does_not_keep_a_month_open(house: House) -> None:
    house.sale("s", "100.00", "ANA10", datetime(2026, 2, 1, tzinfo=UTC))
    assert periods.close(house.program, JANUARY, by=fiona(), at=FEB_1).state == PeriodState.CLOSED


def test_a_late_event_is_booked_in_the_next_open_month_with_its_own_date(house: House) -> None:
    periods.close(house.program, JANUARY, by=fiona(), at=FEB_1)
    happened = datetime(2026, 1, 10, tzinfo=UTC)
    house.sale("late", "1000.00", "ANA10", happened)
    house.rate(FEB_1)
    line = Commission.objects.get()
    assert (line.period.as_month, line.effective_at) == (FEBRUARY, happened)
    periods.close(house.program, FEBRUARY, by=fiona(), at=MAR_1)
    statement = Statement.objects.get(period__month=2)
    assert (statement.opening_minor, statement.earned_minor, statement.closing_minor) == (0, 8000, 8000)
    assert statement.lines.get().from_earlier_period
    assert for_posting(house.program, happened).as_month == Month(2026, 3)


def test_closing_is_finance_s_work(house: House) -> None:
    with pytest.raises(Forbidden, match="Finance"):
        periods.close(house.program, JANUARY, by=mats(), at=FEB_1)
    assert not Period.objects.filter(state=PeriodState.CLOSED).exists()


def test_the_nightly_release_moves_each_line_once_when_its_hold_ends(house: House) -> None:
    house.sale("s", "1000.00", "ANA10", datetime(2026, 1, 5, 18, tzinfo=UTC))
    house.rate(datetime(2026, 1, 5, 19, tzinfo=UTC))
    ready_at = datetime(2026, 1, 19, tzinfo=UTC)
    assert release.release_due(at=ready_at - timedelta(seconds=1)) == 0
    assert payable(house) == Money(0, "GBP")
    assert release.release_due(at=ready_at) == 1
    assert release.release_due(at=ready_at) == 0
    assert payable(house) == Money(8000, "GBP")
    pending = ledger.partner_account(house.members["ANA10"], AccountKind.PENDING)
    assert ledger.balance(pending) == Money(0, "GBP")


def test_more_taken_back_than_earned_leaves_a_debt_that_is_carried(house: House) -> None:
    house.sale("s", "100.00", "ANA10", datetime(2026, 1, 2, tzinfo=UTC))
    house.refund("r", "400.00", "ANA10", datetime(2026, 1, 3, tzinfo=UTC))
    house.rate(FEB_1)
    periods.close(house.program, JANUARY, by=fiona(), at=FEB_1)
    statement = Statement.objects.get()
    assert (statement.earned_minor, statement.reversed_minor, statement.closing_minor) == (800, -3200, -2400)
    assert (statement.state, statement.due_on) == ("carried_over", None)


def test_an_event_from_before_the_first_closed_month_does_not_break_the_chain_of_statements() -> None:
    house = open_house()  # the plan is in force from January, the first member joins in February
    house.member("ANA10", at=datetime(2026, 2, 1, tzinfo=UTC))
    house.sale("first", "1000.00", "ANA10", datetime(2026, 2, 2, tzinfo=UTC))  # 80.00
    house.rate(MAR_1)
    periods.close(house.program, FEBRUARY, by=fiona(), at=MAR_1)
    # Before it joined: versions of the product that did not ask for the day of joining credited this.
    Membership.objects.update(joined_at=datetime(2026, 1, 1, tzinfo=UTC))
    house.sale("older", "500.00", "ANA10", datetime(2026, 1, 5, tzinfo=UTC))  # 40.00, ready on 19 January
    house.rate(MAR_1)
    Membership.objects.update(joined_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert release.release_due(at=MAR_1) == 1
    assert not Period.objects.filter(month=1).exists()
    april_1 = datetime(2026, 4, 1, 8, tzinfo=UTC)
    periods.close(house.program, Month(2026, 3), by=fiona(), at=april_1)
    bridges = Statement.objects.order_by("pk").values_list("period__month", "opening_minor", "closing_minor")
    assert list(bridges) == [(2, 0, 8000), (3, 8000, 12000)]


def test_a_month_before_the_program_s_first_is_not_closed(house: House) -> None:
    with pytest.raises(periods.BeforeFirstMonth, match="2026-01"):
        periods.close(house.program, Month(2025, 6), by=fiona(), at=FEB_1)
    assert not Period.objects.exists()


def test_what_a_month_being_closed_takes_is_left_to_the_close(house: House) -> None:
    house.member("BEN10")
    house.sale("a", "1000.00", "ANA10", datetime(2026, 1, 5, tzinfo=UTC))
    house.sale("b", "1000.00", "BEN10", datetime(2026, 1, 6, tzinfo=UTC))
    house.rate(FEB_1)

    class Pulled(Exception):
        """The plug."""

    def pull(done: int, total: int) -> None:
        raise Pulled

    with pytest.raises(Pulled):
        periods.close(house.program, JANUARY, by=fiona(), at=FEB_1, progress=pull)
    assert release.release_due(at=FEB_1) == 0  # Ben's line is January's, and January is being closed
    periods.close(house.program, JANUARY, by=fiona(), at=FEB_1)
    closings = Statement.objects.order_by("pk").values_list("period__month", "closing_minor")
    assert list(closings) == [(1, 8000), (1, 8000)]
