"""Who brought which customer: opened by the first credited event, moved by staff with a reason, one owner at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from partners.models import Membership, Partner
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from referrals import ownership
from referrals.models import Referral
from referrals.ownership import open_for, owners_at, transfer
from tests.factories.referrals import NOW, ConversionFactory, CustomerFactory, new_membership
from tests.factories.tracking import ReferralFactory
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)


def another_member(membership: Membership, name: str = "Second", **values: Any) -> Membership:
    partner = Partner.objects.create(name=name)
    return Membership.objects.create(
        partner=partner, program=membership.program, joined_at=membership.joined_at, **values
    )


def opened(
    customer: Any, membership: Membership, at: datetime, months: int | None = 12
) -> tuple[int, int, int, int, datetime, int | None]:
    conversion = ConversionFactory.create(customer=customer, occurred_at=at)
    return conversion.pk, customer.pk, membership.pk, membership.program_id, at, months


def test_the_earliest_event_of_a_batch_makes_the_owner_and_later_ones_change_nothing() -> None:
    first, customer = new_membership(), CustomerFactory.create()
    second = another_member(first)
    late, early = opened(customer, first, NOW), opened(customer, second, NOW - A_DAY)
    open_for([late, early], at=NOW)
    open_for([late], at=NOW)
    row = Referral.objects.get()
    assert (row.membership, row.since_at, row.cause) == (second, NOW - A_DAY, "attributed")
    assert row.conversion_id == early[0]


@pytest.mark.parametrize(
    ("since", "months", "until"),
    [
        # 31 January 10:00 in London (UTC) and a month: 28 February; and over the change of clocks: 10:00 is 09:00 UTC.
        (datetime(2026, 1, 31, 10, tzinfo=UTC), 1, datetime(2026, 2, 28, 10, tzinfo=UTC)),
        (datetime(2026, 1, 31, 10, tzinfo=UTC), 3, datetime(2026, 4, 30, 9, tzinfo=UTC)),
        (datetime(2026, 1, 31, 10, tzinfo=UTC), None, None),
    ],
)
def test_purchases_earn_until_the_same_local_time_months_later(
    since: datetime, months: int | None, until: datetime | None
) -> None:
    membership, customer = new_membership(), CustomerFactory.create()
    open_for([opened(customer, membership, since, months)], at=NOW)
    row = Referral.objects.get()
    assert row.earns_until_at == until
    (owner,) = ownership.owners_of([customer.pk])
    if until:
        assert owner.earns(until - timedelta(microseconds=1)) and not owner.earns(until)
        assert owner.holds(until)


def test_an_event_from_before_the_end_of_an_earlier_ownership_opens_nothing() -> None:
    row = ReferralFactory.create(ended_at=NOW - 10 * A_DAY)
    other = another_member(row.membership)
    before = opened(row.customer, other, NOW - 11 * A_DAY)
    open_for([before], at=NOW)
    assert not Referral.objects.open().exists()
    open_for([before, opened(row.customer, other, NOW - 9 * A_DAY)], at=NOW)
    assert Referral.objects.open().get().since_at == NOW - 9 * A_DAY


def test_opening_many_takes_no_more_queries_than_opening_one(django_assert_num_queries: Any) -> None:
    membership = new_membership()
    pairs = [opened(CustomerFactory.create(), membership, NOW) for _each in range(12)]
    with django_assert_num_queries(3):
        open_for(pairs[:1], at=NOW)
    with django_assert_num_queries(3):
        open_for(pairs, at=NOW)
    assert Referral.objects.count() == 12


def test_a_transfer_ends_one_and_begins_the_next_at_the_same_instant_with_what_is_left() -> None:
    until = NOW + 30 * A_DAY
    row = ReferralFactory.create(earns_until_at=until)
    other, by = another_member(row.membership), mats()
    made = transfer(row.customer, row.program, to=other, reason=" They moved. ", by=by, at=NOW, seen=row)
    row.refresh_from_db()
    assert (row.ended_at, row.ended_by, made.since_at, made.earns_until_at) == (NOW, by, NOW, until)
    assert (made.cause, made.reason, made.recorded_by) == ("transferred", "They moved.", by)
    ids = [row.customer_id]
    assert [owner.membership for owner in owners_at(ids, at=NOW)] == [row.membership_id]
    assert [owner.membership for owner in owners_at(ids, at=NOW + A_DAY)] == [other.pk]
    event = AuditEvent.objects.get(action="referral.transferred")
    assert event.note == "They moved." and event.details["after"] == other.public_id


def test_a_transfer_with_a_new_window_begins_the_months_of_the_program_again() -> None:
    row = ReferralFactory.create(earns_until_at=NOW - A_DAY)
    other, by = another_member(row.membership), mats()
    with pytest.raises(ownership.WindowIsOver):
        transfer(row.customer, row.program, to=other, reason="Moved.", by=by, at=NOW)
    made = transfer(row.customer, row.program, to=other, reason="Moved.", by=by, at=NOW, window="new")
    assert made.earns_until_at == datetime(2027, 11, 20, 12, tzinfo=UTC)  # twelve months without a version


def test_a_transfer_refuses_what_cannot_be_an_owner_and_saves_nothing() -> None:
    row = ReferralFactory.create()
    other, by = another_member(row.membership), mats()
    asleep = another_member(row.membership, "Asleep", state="suspended")
    for refusal, changes in (
        (ownership.NoReasonGiven, {"reason": "  "}),
        (ownership.ReasonTooLong, {"reason": "x" * 201}),
        (ownership.OtherProgram, {"to": new_membership()}),
        (ownership.NotActive, {"to": asleep}),
        (ownership.SameOwner, {"to": row.membership}),
        (Forbidden, {"by": fiona()}),
    ):
        asked: dict[str, Any] = {"to": other, "reason": "Moved.", "by": by, **changes}
        with pytest.raises(refusal):
            transfer(row.customer, row.program, at=NOW, **asked)
    assert Referral.objects.get().ended_at is None
    assert not AuditEvent.objects.filter(action__startswith="referral.").exists()


def test_an_end_lets_the_next_credited_event_decide() -> None:
    row, by = ReferralFactory.create(), mats()
    with pytest.raises(ownership.NoReasonGiven):
        ownership.end(row, reason="", by=by, at=NOW)
    ownership.end(row, reason="Asked to.", by=by, at=NOW)
    with pytest.raises(ownership.EndedAlready):
        ownership.end(row, reason="Again.", by=by, at=NOW)
    other = another_member(row.membership)
    open_for([opened(row.customer, other, NOW + A_DAY)], at=NOW + A_DAY)
    assert Referral.objects.open().get().membership == other


@pytest.mark.needs_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_of_two_transfers_at_once_one_wins_and_the_other_is_told(attempt: int) -> None:
    row, by = ReferralFactory.create(), mats()
    rivals = [another_member(row.membership, name) for name in ("Second", "Third")]
    start = Barrier(2)

    def work(to: Membership) -> Referral | None:
        try:
            start.wait()
            return transfer(row.customer, row.program, to=to, reason="Mine.", by=by, at=NOW, seen=row)
        except ownership.OwnerChanged:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        made = [each for each in pool.map(work, rivals) if each is not None]
    assert [each.pk for each in made] == [Referral.objects.open().get().pk]
    assert Referral.objects.count() == 2


@pytest.mark.needs_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_a_first_purchase_and_a_first_transfer_at_once_leave_one_owner(attempt: int) -> None:
    membership, customer, by = new_membership(), CustomerFactory.create(), mats()
    other = another_member(membership)
    pair = opened(customer, membership, NOW)
    start = Barrier(2)

    def work(opens: bool) -> None:
        try:
            start.wait()
            if opens:
                open_for([pair], at=NOW)
            else:
                transfer(customer, membership.program, to=other, reason="Told us.", by=by, at=NOW)
        except ownership.OwnerChanged:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, (True, False)))
    assert Referral.objects.open().count() == 1


def test_customers_of_a_duplicate_go_on_with_the_partner_that_stays() -> None:
    until = NOW + 30 * A_DAY
    row = ReferralFactory.create(earns_until_at=until)
    over = ReferralFactory.create(membership=row.membership, earns_until_at=NOW - A_DAY)
    other, by = another_member(row.membership), mats()
    assert ownership.pass_on(row.membership, other, reason="Two rows became one.", by=by, at=NOW) == 2
    found = {each.customer_id: each for each in Referral.objects.open().filter(membership=other)}
    assert found[row.customer_id].earns_until_at == until
    owners = ownership.owners_at([over.customer_id], at=NOW + A_DAY)
    assert [(owner.membership, owner.earns(NOW + A_DAY)) for owner in owners] == [(other.pk, False)]
    row.refresh_from_db()
    assert (row.ended_at, row.ended_by) == (NOW, by)
