"""Figures of links, codes and memberships, added up by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from prm.lib.money import Money
from referrals import performance
from referrals.conversions import record_many
from referrals.performance import Figures
from tests.factories.referrals import (
    NOW,
    ClickFactory,
    CodeFactory,
    ConversionFactory,
    CreditFactory,
    LinkFactory,
    an_event,
    new_membership,
)

pytestmark = pytest.mark.django_db

SINCE, UNTIL = NOW - timedelta(days=30), NOW


def test_clicks_sales_and_refunds_are_counted_where_they_belong() -> None:
    membership = new_membership()
    code = CodeFactory.create(membership=membership, code="ANA-1")
    link, idle = LinkFactory.create_batch(2, membership=membership)
    clicks = [ClickFactory.create(link=link, clicked_at=NOW - timedelta(days=day)) for day in (1, 2, 29, 31)]
    ClickFactory.create()  # somebody else's
    CodeFactory.create(code="MATS-1")
    record_many(
        [
            an_event("1", amount="100.00", click_id=clicks[1].click_id),
            an_event("2", amount="10.50", code="ANA-1"),
            an_event("3", amount="0.50", code="ANA-1", click_id=clicks[0].click_id),
            an_event("4", amount="20.00", kind="refund", original_external_id="1"),
            an_event("5", amount="7.00", code="ANA-1", occurred_at=SINCE - timedelta(seconds=1)),
            an_event("6", amount="1000.00", code="MATS-1"),
        ],
        at=NOW,
    )
    # By link: 100.00 sold, 20.00 taken back; by code: 10.50 + 0.50; the seven pounds are a second too old.
    by_link = {link.pk: Figures(3, 1, 1, Money(80_00, "GBP"))}
    assert performance.per_link(membership, since=SINCE, until=UNTIL) == by_link
    assert performance.per_code(membership, since=SINCE, until=UNTIL) == {
        code.pk: Figures(0, 2, 0, Money(11_00, "GBP"))
    }
    assert performance.of_membership(membership, since=SINCE, until=UNTIL) == Figures(
        3, 3, 1, Money(91_00, "GBP")
    )
    assert idle.pk not in by_link


def test_a_membership_that_brought_nothing_has_figures_of_nothing() -> None:
    assert performance.of_membership(new_membership(), since=SINCE, until=UNTIL) == Figures(
        0, 0, 0, Money(0, "GBP")
    )


def test_a_declined_refund_counts_nowhere() -> None:
    membership = new_membership()
    CodeFactory.create(membership=membership, code="ANA-1")
    record_many(
        [an_event("R", amount="200.00", kind="refund", original_external_id="S", code="ANA-1")], at=NOW
    )
    record_many([an_event("S", amount="100.00", code="ANA-1")], at=NOW)
    figures = performance.of_membership(membership, since=SINCE, until=UNTIL)
    assert figures == Figures(0, 1, 0, Money(100_00, "GBP"))


def test_chargebacks_are_taken_off_and_what_was_won_back_is_not() -> None:
    membership = new_membership()
    CodeFactory.create(membership=membership, code="ANA-1")
    back = {"original_external_id": "1"}
    record_many(
        [
            an_event("1", amount="100.00", code="ANA-1"),
            an_event("2", amount="60.00", kind="chargeback", **back),
            an_event("3", amount="50.00", kind="chargeback_won", **back),
        ],
        at=NOW,
    )
    figures = performance.of_membership(membership, since=SINCE, until=UNTIL)
    assert figures == Figures(0, 1, 1, Money(90_00, "GBP"))


def test_of_a_split_sale_each_has_a_part_and_a_correction_counts_from_then_on() -> None:
    first, second, third = new_membership(), new_membership(), new_membership()
    code, other = (CodeFactory.create(membership=member) for member in (first, second))
    sale = ConversionFactory.create(amount_minor=101)
    CreditFactory.create(conversion=sale, membership=third, superseded_at=NOW)
    CreditFactory.create(conversion=sale, membership=first, share=Decimal("0.5"), code=code)
    CreditFactory.create(conversion=sale, membership=second, share=Decimal("0.5"), code=other)
    CreditFactory.create(conversion=sale, membership=new_membership(), role="assisted")
    # 101 pence in halves: 50.5 each, the odd penny goes to the first.
    for member, its_code, net in ((first, code, 51), (second, other, 50)):
        expected = Figures(0, 1, 0, Money(net, "GBP"))
        assert performance.of_membership(member, since=SINCE, until=UNTIL) == expected
        assert performance.per_code(member, since=SINCE, until=UNTIL) == {its_code.pk: expected}
    assert performance.net_of(third, since=SINCE, until=UNTIL) == Money(0, "GBP")
