"""How often the days partners were told were kept, counted by hand for lines and statements; nothing promised is no number at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from payouts import pauses, payable_dates, promises, release
from payouts.models import Commission
from payouts.promises import Kept
from prm.lib.periods import Month
from tests.factories.payouts import close_months, exported, give_account
from tests.house import House, open_house
from tests.people import fiona

pytestmark = pytest.mark.django_db

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
NIGHT_16 = datetime(2026, 3, 16, 2, tzinfo=UTC)  # the night in which lines of 2 March are due
MARCH_20 = datetime(2026, 3, 20, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
MARCH = (date(2026, 3, 1), date(2026, 3, 31))


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", at=MARCH_1)
    for number in range(4):
        house.sale(f"s{number}", "100.00", "ANA10", MARCH_2)
    house.rate(MARCH_2)
    return house


def line(order: str) -> Commission:
    return Commission.objects.get(conversion__external_id=order)


def lines_kept(house: House, at: datetime) -> Kept:
    return promises.lines_kept([house.program], *MARCH, at=at)


def late(house: House, at: datetime) -> list[str]:
    found = promises.late_lines(house.program, *MARCH, at=at)
    return [line.conversion.external_id for line in found if line.conversion is not None]


def test_a_line_released_on_the_day_it_was_told_is_kept(house: House) -> None:
    release.release_due(at=NIGHT_16)
    assert lines_kept(house, NIGHT_16) == Kept(due=4, kept=4)
    assert lines_kept(house, NIGHT_16).share == 1
    assert late(house, APRIL_3) == []


def test_a_day_that_has_not_come_is_in_neither_number(house: House) -> None:
    on_the_day = datetime(2026, 3, 16, 23, 59, tzinfo=UTC)
    assert lines_kept(house, on_the_day) == Kept()
    assert lines_kept(house, on_the_day).share is None
    # A minute later it is another day in London and none of the four was released.
    assert lines_kept(house, on_the_day + timedelta(minutes=1)) == Kept(due=4, kept=0)


def test_a_pause_or_a_later_date_breaks_the_promise_whatever_comes_of_it(house: House) -> None:
    pause = pauses.pause_line(
        line("s1"), cause="risk", reason="Look.", review_on=date(2026, 3, 10), by=fiona(), at=MARCH_2
    )
    payable_dates.move([line("s2")], to=date(2026, 3, 18), reason="Later.", by=fiona(), at=MARCH_2)
    payable_dates.move([line("s3")], to=date(2026, 3, 9), reason="Sooner.", by=fiona(), at=MARCH_2)
    for day in range(9, 17):
        release.release_due(at=datetime(2026, 3, day, 2, tzinfo=UTC))
    assert (lines_kept(house, MARCH_20), late(house, MARCH_20)) == (Kept(due=4, kept=2), ["s1", "s2"])
    pauses.resume(pause, outcome="Nothing found.", by=fiona(), at=MARCH_20)
    release.release_due(at=MARCH_20)
    assert (lines_kept(house, MARCH_20), late(house, MARCH_20)) == (Kept(due=4, kept=2), ["s1", "s2"])
    assert lines_kept(house, MARCH_20).share == Decimal("0.5")
    shown = promises.late_lines(house.program, *MARCH, at=MARCH_20)
    assert list(shown.values_list("promised_on", "ready_on")) == [
        (date(2026, 3, 16), date(2026, 3, 20)),
        (date(2026, 3, 16), date(2026, 3, 20)),
    ]


def test_a_span_takes_promises_by_the_day_first_told(house: House) -> None:
    payable_dates.move([line("s2")], to=date(2026, 4, 2), reason="Later.", by=fiona(), at=MARCH_2)
    release.release_due(at=NIGHT_16)
    release.release_due(at=APRIL_3)
    april = (date(2026, 4, 1), date(2026, 4, 30))
    assert lines_kept(house, APRIL_3) == Kept(due=4, kept=3)
    assert promises.lines_kept([house.program], *april, at=APRIL_3) == Kept()
    the_day = (date(2026, 3, 16), date(2026, 3, 16))
    assert promises.lines_kept([house.program], *the_day, at=APRIL_3).due == 4


def test_what_came_in_after_its_day_and_what_takes_money_was_never_promised(house: House) -> None:
    release.release_due(at=NIGHT_16)
    house.sale("late", "100.00", "ANA10", MARCH_2)
    house.refund("r", "100.00", "", MARCH_2 + timedelta(days=1), of="s0")
    house.rate(MARCH_20)
    release.release_due(at=APRIL_3)
    assert lines_kept(house, APRIL_3) == Kept(due=4, kept=4)


def test_statements_sent_by_their_day_are_kept_and_others_late(house: House) -> None:
    membership = house.members["ANA10"]
    house.sale("big", "2000.00", "ANA10", MARCH_2)
    house.member("BEA10", at=MARCH_1)
    house.sale("hers", "2000.00", "BEA10", MARCH_2)
    house.member("CEA10", at=MARCH_1)  # earns nothing: no day is promised
    house.rate(MARCH_2)
    give_account(membership, at=APRIL_3)
    statements = close_months(house.program, Month(2026, 3), at=APRIL_3)
    due = {statement.due_on for statement in statements} - {None}
    [due_on] = [day for day in due if day is not None]
    span = (date(2026, 4, 1), date(2026, 4, 30))
    assert promises.statements_kept([house.program], *span, at=APRIL_3) == Kept()
    exported(house.program.legal_entity, at=APRIL_3)
    assert promises.statements_kept([house.program], *span, at=APRIL_3) == Kept(due=1, kept=1)
    after = datetime(due_on.year, due_on.month, due_on.day, 12, tzinfo=UTC) + timedelta(days=1)
    assert promises.statements_kept([house.program], *span, at=after) == Kept(due=2, kept=1)
    [missed] = promises.late_statements(house.program, *span, at=after)
    assert missed.membership == house.members["BEA10"]


def test_a_statement_sent_after_its_day_is_late(house: House) -> None:
    house.sale("big", "2000.00", "ANA10", MARCH_2)
    house.rate(MARCH_2)
    give_account(house.members["ANA10"], at=APRIL_3)
    [statement] = close_months(house.program, Month(2026, 3), at=APRIL_3)
    assert statement.due_on is not None
    after = datetime(2026, 4, 28, 9, tzinfo=UTC)
    assert statement.due_on < after.date()
    exported(house.program.legal_entity, at=after)
    span = (date(2026, 4, 1), date(2026, 4, 30))
    assert promises.statements_kept([house.program], *span, at=after) == Kept(due=1, kept=0)
    [missed] = promises.late_statements(house.program, *span, at=after)
    assert missed == statement


def test_two_programs_are_added_up(house: House) -> None:
    other = open_house(slug="other", entity=house.program.legal_entity, zone="America/New_York")
    other.member("BEA10", at=MARCH_1)
    other.sale("n1", "100.00", "BEA10", MARCH_2)
    other.rate(MARCH_2)
    # 2 in the morning in London is still the day before in New York: nothing is due there yet.
    release.release_due(at=NIGHT_16)
    programs = [house.program, other.program]
    assert promises.lines_kept(programs, *MARCH, at=MARCH_20) == Kept(due=5, kept=4)
