"""A payable date moves only with a recorded reason, and the partner is told the old and the new one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from payouts import pauses, payable_dates, release
from payouts.explained.line import explain, readable
from payouts.models import Commission, PayableDateChange
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from tests.house import House, open_house
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARCH_5 = datetime(2026, 3, 5, 9, tzinfo=UTC)
TOLD = datetime(2026, 3, 16, tzinfo=UTC)  # 2 March and 14 days, midnight in London
MOVED = datetime(2026, 3, 31, 23, tzinfo=UTC)  # midnight of 1 April in London, an hour ahead since the 29th
TO = date(2026, 4, 1)
WHY = "The shop extended its return period."


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", at=MARCH_1, owner=ana())
    house.member("BEA10", at=MARCH_1)
    for name, code in (("s1", "ANA10"), ("s2", "ANA10"), ("s3", "BEA10")):
        house.sale(name, "1000.00", code, MARCH_2)
    house.rate(MARCH_5)
    return house


def lines(*orders: str) -> list[Commission]:
    return list(Commission.objects.filter(conversion__external_id__in=orders).order_by("pk"))


def move(*orders: str, **changes: Any) -> list[PayableDateChange]:
    values = {"to": TO, "reason": WHY, "by": fiona(), "at": MARCH_5}
    return payable_dates.move(lines(*orders), **{**values, **changes})


def test_lines_are_ready_from_the_new_day_and_the_old_one_is_kept(house: House) -> None:
    changes = move("s1", "s3")
    assert [(each.was_payable_at, each.payable_at, each.reason) for each in changes] == [
        (TOLD, MOVED, WHY),
        (TOLD, MOVED, WHY),
    ]
    assert [line.payable_at for line in lines("s1", "s2", "s3")] == [MOVED, TOLD, MOVED]
    release.release_due(at=datetime(2026, 3, 31, 22, 59, tzinfo=UTC))
    assert [line.state for line in lines("s1", "s2", "s3")] == ["on_hold", "payable", "on_hold"]
    release.release_due(at=MOVED)
    assert [line.state for line in lines("s1", "s2", "s3")] == ["payable"] * 3


def test_each_partner_is_told_once_with_both_dates(house: House) -> None:
    move("s1", "s2", "s3")
    mine = OutgoingMail.objects.get(kind="payable_date_moved", to="ana@studio.example")
    assert mine.subject == "2 payable dates have changed: 1 April 2026"
    assert "s1, £80.00: 16 March 2026 before, 1 April 2026 now" in mine.text
    assert "s2, £80.00: 16 March 2026 before, 1 April 2026 now" in mine.text
    assert "s3" not in mine.text
    assert WHY in mine.text
    other = OutgoingMail.objects.get(kind="payable_date_moved", to="bea10@x.example")
    assert other.subject == "A payable date has changed: 1 April 2026"


def test_a_date_can_come_nearer_and_a_paused_line_can_be_moved(house: House) -> None:
    pauses.pause_line(
        lines("s1")[0], cause="risk", reason="Look.", review_on=date(2026, 3, 9), by=mats(), at=MARCH_5
    )
    move("s1", to=date(2026, 3, 6))
    assert lines("s1")[0].payable_at == datetime(2026, 3, 6, tzinfo=UTC)
    assert lines("s1")[0].state == "paused"


def test_the_database_moves_no_date_without_a_record(house: House) -> None:
    with pytest.raises(IntegrityError, match="moves only with a recorded reason"), transaction.atomic():
        Commission.objects.filter(pk=lines("s1")[0].pk).update(payable_at=MOVED)
    # A record of another move does not serve either.
    move("s1")
    with pytest.raises(IntegrityError, match="moves only with a recorded reason"), transaction.atomic():
        Commission.objects.filter(pk=lines("s1")[0].pk).update(payable_at=datetime(2026, 5, 1, tzinfo=UTC))
    with pytest.raises(IntegrityError, match="recorded once"), transaction.atomic():
        PayableDateChange.objects.update(reason="Because.")
    assert lines("s1")[0].payable_at == MOVED


def test_the_history_is_told_with_the_line(house: House) -> None:
    move("s1")
    found = readable(Commission.objects.all()).get(pk=lines("s1")[0].pk)
    steps = [step.what for step in explain(found, at=MARCH_5).steps]
    assert "Commission computed, on hold for 14 days" in steps
    assert f"Ready to pay from 1 Apr 2026 instead of 16 Mar 2026: {WHY}" in steps


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"reason": " "}, payable_dates.NoReason, "reason"),
        ({"reason": "x" * 201}, payable_dates.NoReason, "reason"),
        ({"to": date(2026, 3, 4)}, payable_dates.NotAPayableDay, "to"),
        ({"to": date(2028, 3, 5)}, payable_dates.NotAPayableDay, "to"),
        ({"to": date(2026, 3, 16)}, payable_dates.SameDay, "to"),
        ({"by": None}, policy.Forbidden, None),
    ],
)
def test_a_move_that_cannot_be_is_refused_and_nothing_is_written(
    house: House, changes: dict[str, Any], refusal: type[Refused], field: str | None
) -> None:
    with pytest.raises(refusal) as refused:
        move("s1", "s3", **({"by": mats()} if "by" in changes else changes))
    assert refused.value.field == field
    assert not PayableDateChange.objects.exists()
    assert [line.payable_at for line in lines("s1", "s3")] == [TOLD, TOLD]
    assert not OutgoingMail.objects.filter(kind="payable_date_moved").exists()


def test_a_line_that_left_its_hold_keeps_its_date_and_so_do_those_with_it(house: House) -> None:
    house.sale("s4", "10.00", "ANA10", MARCH_5)
    house.rate(MARCH_5)
    release.release_due(at=TOLD)
    with pytest.raises(payable_dates.NotWaiting, match="Ready to pay"):
        move("s4", "s1", at=TOLD)
    assert not PayableDateChange.objects.exists()


def test_nothing_chosen_is_said_so(house: House) -> None:
    with pytest.raises(payable_dates.NothingChosen):
        move()
