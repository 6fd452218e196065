from __future__ import annotations

from datetime import UTC, datetime

import pytest
from celery import Celery
from django.urls import reverse

from payouts import months, periods
from payouts.models import Period, Statement
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.runs import lifecycle
from prm.runs.models import Run
from tests.desk import at_desk, links, words
from tests.house import House, open_house
from tests.people import ada, felix, fiona, mats
from tiers.models import Program

pytestmark = pytest.mark.django_db(transaction=True)

JANUARY, FEBRUARY = Month(2026, 1), Month(2026, 2)
MARCH_2 = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    made = open_house(slug="affiliates")
    made.member("K1")
    made.sale("jan-1", "1000.00", "K1", datetime(2026, 1, 10, 12, tzinfo=UTC))
    made.rate(MARCH_2)
    return made


def page_of(month: str) -> str:
    return reverse("admin:payouts_period_close", args=["affiliates", month])


def test_every_month_since_the_first_partner_is_listed_with_its_sum(house: House) -> None:
    found = months.months_of([house.program], at=MARCH_2)[house.program.pk]
    assert [(str(each.month), each.lines, each.amount.minor, each.can_close) for each in found] == [
        ("2026-03", 0, 0, False),  # not over
        ("2026-02", 0, 0, False),  # January comes first
        ("2026-01", 1, 8000, True),  # 8 % of 1,000.00
    ]


def test_a_month_with_events_not_rated_yet_cannot_be_closed(house: House) -> None:
    house.sale("jan-2", "10.00", "K1", datetime(2026, 1, 11, 12, tzinfo=UTC))
    january = months.months_of([house.program], at=MARCH_2)[house.program.pk][-1]
    assert january.has_unrated
    assert not january.can_close
    assert january.amount == Money(8000, "GBP")


def test_a_program_without_partners_has_no_months() -> None:
    empty = open_house(slug="empty").program
    assert months.months_of([empty], at=MARCH_2) == {empty.pk: []}


def test_the_months_over_and_open_are_what_waits(house: House) -> None:
    assert [str(each.month) for each in months.ready_to_close(at=MARCH_2)] == ["2026-02", "2026-01"]


def test_closing_says_what_it_does_and_is_done_by_a_worker(house: House, eager_tasks: Celery) -> None:
    client = at_desk(fiona())
    before = words(client.get(page_of("2026-01")))
    assert "1 statement is issued" in before
    assert "A closed month cannot be opened again." in before
    response = client.post(page_of("2026-01"), follow=True)
    assert "A worker closes the month." in words(response)
    assert "This month is closed." in words(response)
    period = Period.objects.get(program=house.program, year=2026, month=1)
    assert (period.state, period.closed_by) == ("closed", fiona())
    assert Statement.objects.get(period=period).closing_minor == 8000
    run = Run.objects.get(kind=months.RUN_KIND)
    assert (run.state, run.done, run.total) == ("finished", 1, 1)
    assert run.result["closing_minor"] == 8000


def test_while_a_worker_is_at_it_the_page_shows_how_far_and_no_button(house: House) -> None:
    months.start_close(house.program, JANUARY, by=fiona(), at=MARCH_2)
    response = at_desk(felix()).get(page_of("2026-01"))
    assert "It is being closed now." in words(response)
    assert "hx-get" in response.content.decode()
    with pytest.raises(lifecycle.AlreadyRunning):
        months.start_close(house.program, JANUARY, by=felix(), at=MARCH_2)


def test_a_close_that_was_killed_goes_on_where_it_stopped(house: House, eager_tasks: Celery) -> None:
    for number in range(3):
        house.member(f"M{number}")

    class Killed(Exception):
        pass

    def kill(done: int, total: int) -> None:
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        periods.close(house.program, JANUARY, by=fiona(), at=MARCH_2, progress=kill)
    assert Period.objects.get(year=2026, month=1).state == "closing"
    at_desk(fiona()).post(page_of("2026-01"))
    assert Period.objects.get(year=2026, month=1).state == "closed"
    assert Statement.objects.count() == 4


def test_the_second_month_first_is_refused_in_words(house: House) -> None:
    response = at_desk(fiona()).post(page_of("2026-02"), follow=True)
    assert "Close 2026-01 first." in words(response)
    assert not Run.objects.filter(kind=months.RUN_KIND).exists()


def test_account_managers_do_not_reach_the_page(house: House) -> None:
    response = at_desk(mats()).post(page_of("2026-01"))
    assert response.status_code == 403
    assert "Finance" in words(response)
    assert not Run.objects.exists()


@pytest.mark.parametrize("month", ["2026-13", "yesterday"])
def test_a_month_that_is_none_is_not_found(house: House, month: str) -> None:
    assert at_desk(ada()).get(page_of(month)).status_code == 404


def test_the_list_leads_to_the_month_that_can_be_closed(house: House) -> None:
    response = at_desk(fiona()).get(reverse("admin:payouts_period_changelist"))
    assert "An earlier month is open" in words(response)
    assert page_of("2026-01") in links(response)
    assert Program.objects.count() == 1
