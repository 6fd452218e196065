"""What a partner's money adds up to: every sum is the sum of its lines, and all of them together are the ledger's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payouts import ledger, overview
from payouts.choices import AccountKind
from payouts.models import Commission
from prm.lib.money import Money
from referrals import conversions
from referrals.models import Link
from tests.factories.referrals import ClickFactory
from tests.portal.scene import NOW, Scene, busy_partner, on

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return busy_partner()


def gbp(minor: int) -> Money:
    return Money(minor, "GBP")


def test_every_line_lies_in_exactly_one_stage_and_the_stages_add_up_to_all_that_was_earned(
    scene: Scene,
) -> None:
    money = overview.money_of(scene.membership, at=NOW)
    found = {key: (stage.amount.minor, stage.count) for key, stage in money.stages.items()}
    # Worked out in tests/portal/scene.py.
    assert found == {
        "review": (0, 0),
        "hold": (45_00, 2),
        "ready": (320_00, 3),
        "sent": (200_00, 1),
        "paid": (100_00, 1),
    }
    assert money.lifetime == gbp(665_00)
    assert money.count == Commission.objects.count()


def test_the_stages_agree_with_the_balances_of_the_ledger(scene: Scene) -> None:
    stages = overview.money_of(scene.membership, at=NOW).stages

    def balance(kind: AccountKind) -> Money:
        return ledger.balance(ledger.partner_account(scene.membership, kind))

    assert stages["review"].amount + stages["hold"].amount == balance(AccountKind.PENDING)
    assert stages["ready"].amount == balance(AccountKind.PAYABLE)
    assert stages["sent"].amount == balance(AccountKind.IN_PAYMENT)
    # What left the bank is what was paid; nobody else is in this house.
    assert stages["paid"].amount == ledger.balance(
        ledger.program_account(scene.house.program, AccountKind.CASH)
    )
    expense = ledger.balance(ledger.program_account(scene.house.program, AccountKind.EXPENSE))
    assert overview.money_of(scene.membership, at=NOW).lifetime == -expense


def test_months_are_months_of_the_programs_zone_and_older_lines_count_in_the_stages_only(
    scene: Scene,
) -> None:
    # 30 June 23:30 UTC is already July in London.
    scene.house.sale("late", "10.00", "ANA10", datetime(2026, 6, 30, 23, 30, tzinfo=UTC))
    scene.house.rate(on(7, 1))
    money = overview.money_of(scene.membership, at=datetime(2026, 7, 10, tzinfo=UTC), months=3)
    assert [(str(each.month), sum(each.stages.values())) for each in money.months] == [
        ("2026-05", 280_00),
        ("2026-06", 85_00),
        ("2026-07", 1_00),
    ]
    assert money.lifetime == gbp(666_00)


def test_the_money_of_a_membership_is_read_in_one_query(scene: Scene) -> None:
    with CaptureQueriesContext(connection) as queries:
        overview.money_of(scene.membership, at=NOW)
    assert len(queries) == 1


def test_the_next_release_is_the_earliest_hold(scene: Scene) -> None:
    hold = overview.money_of(scene.membership, at=NOW).stages["hold"]
    # Sold on 18 June, 14 local days: midnight of 2 July in London, an hour before it in UTC.
    assert hold.next_payable_at == datetime(2026, 7, 1, 23, tzinfo=UTC)


def test_payments_under_way_and_done_are_counted(scene: Scene) -> None:
    so_far = overview.payments_so_far(overview.payments_of(scene.membership))
    assert (so_far.sent_count, so_far.settled_count) == (1, 1)
    assert so_far.last_settled_at == on(3, 16)
    assert so_far.last_sent_at == on(4, 13)


def test_links_and_codes_get_what_was_credited_to_them_and_a_code_wins_over_a_click(scene: Scene) -> None:
    link = Link.objects.get(membership=scene.membership)
    click = ClickFactory(link=link, clicked_at=on(6, 19, 8))
    with_both = scene.house.event("both", "100.00", "ANA10", on(6, 19))
    by_click = replace(scene.house.event("click", "70.00", "", on(6, 19)), click_id=click.click_id)
    conversions.record_many([replace(with_both, click_id=click.click_id), by_click], at=on(6, 19))
    scene.house.rate(NOW)
    links, codes = overview.earned_since(scene.membership, on(6, 1))
    assert links == {link.pk: gbp(7_00)}
    assert list(codes.values()) == [gbp(95_00)]  # 40.00 + 50.00 − 5.00 + 10.00


def test_search_finds_orders_codes_and_the_visible_part_of_customers(scene: Scene) -> None:
    everything = {"feb-1", "mar-1", "may-1", "may-2", "jun-1", "jun-2", "jun-3"}
    wanted = {
        "may": {"may-1", "may-2"},
        "JUN-1": {"jun-1"},
        "ana10": everything,
        "•••100": everything,
        "100": everything,
        "c-100": set(),  # the hidden part of a customer cannot be probed
        "%": set(),
        "nothing": set(),
    }
    found = {
        text: set(
            overview.searched(Commission.objects.all(), text).values_list(
                "conversion__external_id", flat=True
            )
        )
        for text in wanted
    }
    assert found == wanted


def test_a_stage_lists_exactly_what_its_sum_is_made_of(scene: Scene) -> None:
    money = overview.money_of(scene.membership, at=NOW)
    for key, stage in money.stages.items():
        listed = overview.total_of(overview.in_stage(Commission.objects.all(), key), "GBP")
        assert listed == (stage.amount, stage.count)
    taken_back = overview.total_of(overview.in_stage(Commission.objects.all(), "reversed"), "GBP")
    assert taken_back == (gbp(-25_00), 2)
