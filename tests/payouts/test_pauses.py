"""A pause keeps money back, never what is earned: it has a reason and a day by which somebody looks, the partner hears of it at once, and
when it ends the money goes on where it stopped."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners.models import Membership
from payouts import pauses, release
from payouts.models import Commission, Entry, Pause, Statement
from prm.accounts import policy
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused
from prm.lib.periods import Month
from prm.mail.models import OutgoingMail
from tests.factories.payouts import close_months
from tests.house import House, open_house
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db

MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARCH_5 = datetime(2026, 3, 5, 9, tzinfo=UTC)
MARCH_20 = datetime(2026, 3, 20, 2, tzinfo=UTC)  # four days after the hold of 14 days is over
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
REVIEW = date(2026, 3, 25)
WHY = "Several orders came from one address."


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", at=MARCH_1, owner=ana())
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.sale("s2", "500.00", "ANA10", MARCH_2)
    house.rate(MARCH_5)
    return house


def line(order: str = "s1") -> Commission:
    return Commission.objects.get(conversion__external_id=order, reverses=None)


def paused(order: str = "s1", **changes: Any) -> Pause:
    values = {"cause": "risk", "reason": WHY, "review_on": REVIEW, "by": mats(), "at": MARCH_5}
    return pauses.pause_line(line(order), **{**values, **changes})


def stopped(membership: Membership, **changes: Any) -> Pause:
    values = {"cause": "missing_data", "reason": WHY, "review_on": REVIEW, "by": mats(), "at": MARCH_5}
    return pauses.pause_payments(membership, **{**values, **changes})


def test_a_paused_line_is_not_released_and_the_others_are(house: House) -> None:
    pause = paused()
    assert (line().state, line().pause_reason) == ("paused", WHY)
    assert (pause.commission, pause.review_on, pause.paused_by, pause.ended_at) == (
        line(),
        REVIEW,
        mats(),
        None,
    )
    assert release.release_due(at=MARCH_20) == 1
    assert (line().state, line("s2").state) == ("paused", "payable")
    assert AuditEvent.objects.get(action="commission.paused").note == WHY


def test_closing_the_month_leaves_a_paused_line_where_it_is(house: House) -> None:
    paused()
    [statement] = close_months(house.program, Month(2026, 3), at=APRIL_3)
    # 8 % of 500.00; the 80.00 of s1 are still waiting.
    assert (statement.earned_minor, statement.line_count) == (40_00, 1)
    assert (line().state, line().statement) == ("paused", None)


def test_what_is_earned_is_computed_while_payments_are_paused(house: House) -> None:
    stopped(house.members["ANA10"])
    house.sale("s3", "100.00", "ANA10", MARCH_5)
    house.rate(MARCH_5)
    assert house.amounts("s3") == [8_00]
    assert line("s3").state == "on_hold"


def test_a_refund_of_a_paused_sale_is_a_line_of_its_own_and_is_released_as_ever(house: House) -> None:
    paused()
    house.refund("r1", "1000.00", "", MARCH_5, of="s1")
    house.rate(MARCH_5)
    release.release_due(at=MARCH_20)
    reversal = Commission.objects.get(conversion__external_id="r1")
    assert (reversal.amount_minor, reversal.state) == (-80_00, "payable")
    assert line().state == "paused"


def test_the_partner_is_told_at_once_with_the_reason_and_the_day(house: House) -> None:
    pause = paused()
    mail = OutgoingMail.objects.get(kind="line_paused")
    assert (mail.to, mail.about) == ("ana@studio.example", pause.public_id)
    assert mail.subject == "£80.00 for s1 is paused"
    assert WHY in mail.text
    assert "by 25 March 2026" in mail.text
    stopped(house.members["ANA10"])
    told = OutgoingMail.objects.get(kind="payments_paused")
    assert told.subject == "Payments from Halden affiliates are paused"
    assert WHY in told.text


def test_a_line_resumed_before_its_day_waits_for_it(house: House) -> None:
    pause = pauses.resume(paused(), outcome="The orders are genuine.", by=fiona(), at=MARCH_5)
    assert (pause.outcome, pause.ended_at, pause.ended_by) == ("The orders are genuine.", MARCH_5, fiona())
    assert (line().state, line().pause_reason) == ("on_hold", "")
    mail = OutgoingMail.objects.get(kind="pause_ended")
    assert mail.subject == "£80.00 for s1 is no longer paused"
    # Earned on 2 March, held for 14 days.
    assert "ready to pay from 16 March 2026" in mail.text
    assert "genuine" not in mail.text
    assert release.release_due(at=MARCH_20) == 2


def test_a_line_resumed_after_its_day_is_released_the_next_night(house: House) -> None:
    pause = paused()
    release.release_due(at=MARCH_20)
    pauses.resume(pause, outcome="Nothing found.", by=mats(), at=MARCH_20)
    assert line().state == "on_hold"
    assert "ready to pay from 20 March 2026" in OutgoingMail.objects.get(kind="pause_ended").text
    assert release.release_due(at=MARCH_20 + timedelta(days=1)) == 1
    assert line().state == "payable"


def test_a_line_can_be_paused_again_after_it_was_resumed(house: House) -> None:
    first = paused()
    pauses.resume(first, outcome="Nothing found.", by=mats(), at=MARCH_5)
    second = paused(reason="Another complaint came in.")
    assert Pause.objects.open().get() == second != first


def test_a_pause_ends_once(house: House) -> None:
    pause = paused()
    pauses.resume(pause, outcome="Nothing found.", by=mats(), at=MARCH_5)
    with pytest.raises(pauses.PauseEnded):
        pauses.resume(pause, outcome="Nothing found, again.", by=mats(), at=MARCH_20)
    assert Pause.objects.get().outcome == "Nothing found."


def test_payments_are_paused_once_for_each_cause(house: House) -> None:
    membership = house.members["ANA10"]
    stopped(membership)
    with pytest.raises(pauses.PausedAlready) as refusal:
        stopped(membership)
    assert refusal.value.field == "cause"
    stopped(membership, cause="risk")
    assert Pause.objects.open().of_payments().count() == 2


def test_open_pauses_of_many_memberships_are_read_at_once(house: House) -> None:
    ids = [house.members["ANA10"].pk]
    first = stopped(house.members["ANA10"])
    second = stopped(house.members["ANA10"], cause="risk")
    paused()
    for number in range(3):
        ids.append(house.member(f"M{number}", at=MARCH_1).pk)
    with CaptureQueriesContext(connection) as queries:
        assert pauses.open_pauses(ids) == {ids[0]: [first, second]}
    assert len(queries) == 1
    pauses.resume(first, outcome="It came.", by=mats(), at=MARCH_5)
    assert pauses.open_pauses(ids) == {ids[0]: [second]}


def test_a_pause_is_overdue_when_its_day_is_over_where_the_program_is(house: House) -> None:
    pause = paused()
    on_the_day = datetime(2026, 3, 25, 23, 59, tzinfo=UTC)  # London is on UTC until the 29th
    assert not pauses.overdue(at=on_the_day).exists()
    assert pauses.overdue(at=on_the_day + timedelta(minutes=1)).get() == pause
    pauses.resume(pause, outcome="Nothing found.", by=mats(), at=MARCH_20)
    assert not pauses.overdue(at=APRIL_3).exists()


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"reason": "  "}, pauses.NoReason),
        ({"reason": "x" * 201}, pauses.NoReason),
        ({"review_on": MARCH_5.date()}, pauses.NotAReviewDay),
        ({"cause": "mood"}, pauses.UnknownCause),
    ],
)
def test_a_pause_without_what_it_needs_is_refused(
    house: House, changes: dict[str, Any], refusal: type[Refused]
) -> None:
    for pausing in (paused, lambda **values: stopped(house.members["ANA10"], **values)):
        with pytest.raises(refusal) as refused:
            pausing(**changes)
        assert refused.value.field == next(iter(changes))
    assert not Pause.objects.exists()
    assert line().state == "on_hold"
    assert not OutgoingMail.objects.filter(kind__contains="paused").exists()


def test_a_line_that_left_its_hold_cannot_be_paused(house: House) -> None:
    release.release_due(at=MARCH_20)
    with pytest.raises(pauses.NotOnHold, match="Ready to pay"):
        paused(at=MARCH_20)
    assert not Pause.objects.exists()


def test_a_pause_is_ended_with_what_came_of_it(house: House) -> None:
    pause = paused()
    with pytest.raises(pauses.NoReason) as refusal:
        pauses.resume(pause, outcome=" ", by=mats(), at=MARCH_5)
    assert refusal.value.field == "outcome"
    assert line().state == "paused"


def test_partners_pause_nothing(house: House) -> None:
    with pytest.raises(policy.Forbidden):
        paused(by=ana())
    pause = paused()
    with pytest.raises(policy.Forbidden):
        pauses.resume(pause, outcome="I say so.", by=ana(), at=MARCH_5)
    assert Pause.objects.open().count() == 1


def test_pausing_moves_no_money(house: House) -> None:
    before = list(Entry.objects.values())
    pauses.resume(paused(), outcome="Nothing found.", by=mats(), at=MARCH_5)
    stopped(house.members["ANA10"])
    assert list(Entry.objects.values()) == before
    assert not Statement.objects.exists()
