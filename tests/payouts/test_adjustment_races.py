"""Two people who approve at the same instant book once; on PostgreSQL these are real threads in real transactions."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import cycle

import pytest

from payouts import adjustments, reconciliation
from payouts.adjustment_checks import MoreThanTheDebt, NoDebt, balance_of
from payouts.models import Adjustment, Transaction
from prm.lib.money import Money
from prm.mail.models import OutgoingMail
from tests.house import House, open_house
from tests.payouts.test_money_races import at_once
from tests.people import ada, ana, felix, fiona

pytestmark = pytest.mark.django_db(transaction=True)

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_10 = datetime(2026, 3, 10, 9, tzinfo=UTC)


def put(house: House, minor: int, *, kind: str = "bonus") -> Adjustment:
    return adjustments.propose(
        house.members["ANA10"],
        kind=kind,
        amount=Money(minor, "GBP"),
        reason="goodwill",
        note="Thank you.",
        by=fiona(),
        at=MARCH_10,
    )


def test_an_adjustment_approved_by_several_people_at_once_is_booked_once() -> None:
    house = open_house()
    house.member("ANA10", at=MARCH_1, owner=ana())
    made = put(house, 500_00)
    people = cycle([felix(), ada()])
    results = at_once(4, lambda: adjustments.approve(made, by=next(people), at=MARCH_10))
    assert sum(isinstance(each, Adjustment) for each in results) == 1
    assert sum(isinstance(each, adjustments.DecidedAlready) for each in results) == 3
    assert Transaction.objects.filter(kind="adjustment").count() == 1
    assert balance_of(house.members["ANA10"]).minor == 500_00
    assert OutgoingMail.objects.filter(kind="adjustment_posted").count() == 1
    assert reconciliation.check() == []


def test_two_write_offs_approved_at_once_never_write_off_more_than_the_debt() -> None:
    house = open_house()
    house.member("ANA10", at=MARCH_1)
    adjustments.approve(put(house, -80_00, kind="adjustment"), by=felix(), at=MARCH_10)
    both = iter([put(house, 60_00, kind="write_off"), put(house, 80_00, kind="write_off")])
    approver = felix()
    results = at_once(2, lambda: adjustments.approve(next(both), by=approver, at=MARCH_10))
    assert sum(isinstance(each, Adjustment) for each in results) == 1
    assert sum(isinstance(each, (MoreThanTheDebt, NoDebt)) for each in results) == 1
    assert balance_of(house.members["ANA10"]).minor in (-20_00, 0)
    assert reconciliation.check() == []


def test_approving_and_withdrawing_at_once_is_one_of_both() -> None:
    house = open_house()
    house.member("ANA10", at=MARCH_1)
    made = put(house, 500_00)
    proposer, approver = fiona(), felix()
    moves = iter(
        [
            lambda: adjustments.approve(made, by=approver, at=MARCH_10),
            lambda: adjustments.withdraw(made, by=proposer, at=MARCH_10),
        ]
    )
    results = at_once(2, lambda: next(moves)())
    assert sum(isinstance(each, Adjustment) for each in results) == 1
    made.refresh_from_db()
    assert balance_of(house.members["ANA10"]).minor == (500_00 if made.state == "posted" else 0)
