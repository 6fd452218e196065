"""Chargebacks count against their sale like refunds; one that is won back gives it back, in whatever order they are told."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from prm.lib.events import subscribed
from referrals import refunds
from referrals.conversions import record, record_many
from referrals.events import ConversionsAttributed
from referrals.facts import Event
from referrals.held import (
    MoreThanChargedBack,
    MoreThanSold,
    NotAChargeback,
    NotASale,
    OtherCurrencyThanSale,
)
from referrals.models import Conversion, Credit
from tests.factories.referrals import NOW, CodeFactory, ConversionFactory, an_event

pytestmark = pytest.mark.django_db


def sale(name: str = "S1", **changes: Any) -> Event:
    return an_event(name, **{"occurred_at": NOW - timedelta(days=9), **changes})


def charged(name: str = "B1", *, of: str = "S1", amount: str = "40.00", **changes: Any) -> Event:
    values = {"kind": "chargeback", "amount": amount, "original_external_id": of}
    return an_event(name, **{**values, "occurred_at": NOW - timedelta(days=5), **changes})


def won(name: str = "W1", *, of: str = "B1", amount: str = "40.00", **changes: Any) -> Event:
    return charged(
        name,
        of=of,
        amount=amount,
        **{"kind": "chargeback_won", "occurred_at": NOW - timedelta(days=2), **changes},
    )


def row(name: str) -> Conversion:
    return Conversion.objects.get(external_id=name)


def test_a_chargeback_counts_against_what_is_left_to_refund() -> None:
    code = CodeFactory.create(code="ANA-1")
    record_many([sale(code="ANA-1"), charged(amount="60.00")], at=NOW)
    assert row("S1").state == "partially_refunded"
    credit = Credit.objects.get(conversion=row("B1"))
    assert (credit.membership_id, credit.reason) == (code.membership_id, "original")
    with pytest.raises(MoreThanSold) as refusal:
        record(charged("R1", kind="refund", amount="40.01"), at=NOW)
    assert "40.00" in str(refusal.value)
    record(charged("R1", kind="refund", amount="40.00"), at=NOW)
    assert row("S1").state == "refunded"


@pytest.mark.parametrize("of", ["B1", "S1"])
def test_what_is_won_back_points_at_the_sale_and_keeps_the_name_it_told(of: str) -> None:
    code = CodeFactory.create(code="ANA-1")
    record_many([sale(code="ANA-1"), charged(amount="100.00")], at=NOW)
    assert row("S1").state == "refunded"
    outcome = record(won(of=of, amount="100.00"), at=NOW)
    assert (outcome.is_credited, outcome.is_waiting) == (True, False)
    assert row("S1").state == "recorded"
    assert (row("W1").original_id, row("W1").original_external_id) == (row("S1").pk, of)
    assert Credit.objects.get(conversion=row("W1")).membership_id == code.membership_id
    record(charged("R1", kind="refund", amount="100.00"), at=NOW)  # all of it can be refunded again
    assert row("S1").state == "refunded"


@pytest.mark.parametrize("of", ["B1", "S1"])
def test_no_more_is_won_back_than_was_charged_back(of: str) -> None:
    record_many([sale(), charged(amount="40.00"), charged("R1", kind="refund", amount="50.00")], at=NOW)
    record(won("W1", of=of, amount="30.00"), at=NOW)
    with pytest.raises(MoreThanChargedBack) as refusal:
        record(won("W2", of=of, amount="10.01"), at=NOW)
    assert (refusal.value.field, "10.00" in str(refusal.value)) == ("amount", True)
    record(won("W3", of=of, amount="10.00"), at=NOW)
    assert row("S1").state == "partially_refunded"  # the refund
    assert not Conversion.objects.filter(external_id="W2").exists()


def test_of_two_chargebacks_each_is_won_back_by_itself_and_both_together() -> None:
    record_many([sale(), charged("B1", amount="40.00"), charged("B2", amount="60.00")], at=NOW)
    with pytest.raises(MoreThanChargedBack):
        record(won("W1", of="B1", amount="40.01"), at=NOW)
    record(won("W2", of="S1", amount="70.00"), at=NOW)
    with pytest.raises(MoreThanChargedBack):
        record(won("W3", of="B1", amount="30.01"), at=NOW)
    record(won("W4", of="B1", amount="30.00"), at=NOW)
    assert row("S1").state == "recorded"


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_the_order_of_arrival_does_not_matter(order: tuple[int, ...]) -> None:
    CodeFactory.create(code="ANA-1")
    events = [
        sale(code="ANA-1"),
        charged("B1", amount="50.00"),
        won("W1", of="B1", amount="20.00"),
        won("W2", of="S1", amount="10.00"),
        charged("R1", kind="refund", amount="50.00"),
    ]
    for place in order:
        record(events[place], at=NOW)
    assert not Conversion.objects.waiting_for_original().exists()
    assert {name: row(name).state for name in ("S1", "B1", "W1", "W2", "R1")} == {
        "S1": "partially_refunded",
        "B1": "recorded",
        "W1": "recorded",
        "W2": "recorded",
        "R1": "recorded",
    }
    assert set(Conversion.objects.filter(kind__in=refunds.MOVES).values_list("original", flat=True)) == {
        row("S1").pk
    }
    assert Credit.objects.count() == 5


def test_in_one_batch_the_order_they_happened_in_decides_what_fits() -> None:
    told = [
        charged("A1", kind="refund", amount="50.00", occurred_at=NOW - timedelta(days=1)),
        won("Z1", of="B1", amount="100.00"),
        charged("B1", amount="100.00"),
        sale(),
    ]
    assert {outcome.status for outcome in record_many(told, at=NOW)} == {"created"}
    assert row("S1").state == "partially_refunded"


def test_what_waits_is_announced_when_the_last_of_it_has_come(
    django_capture_on_commit_callbacks: Any,
) -> None:
    CodeFactory.create(code="ANA-1")
    first = record(won(of="B1"), at=NOW)
    second = record(charged(), at=NOW)
    assert (first.is_waiting, second.is_waiting, Credit.objects.count()) == (True, True, 0)
    heard: list[ConversionsAttributed] = []
    with subscribed(ConversionsAttributed, heard.append), django_capture_on_commit_callbacks(execute=True):
        third = record(sale(code="ANA-1"), at=NOW)
    assert heard == [
        ConversionsAttributed((first.conversion_id or 0, second.conversion_id or 0, third.conversion_id or 0))
    ]
    assert row("S1").state == "recorded"


def test_what_waits_and_is_too_much_is_declined() -> None:
    record(won(of="B1", amount="40.01"), at=NOW)
    record_many([sale(), charged(amount="40.00")], at=NOW)
    assert (row("W1").state, row("S1").state) == ("rejected", "partially_refunded")
    assert not Conversion.objects.waiting_for_original().exists()


@pytest.mark.parametrize("of", ["R1", "W1", "L1"])
def test_only_a_chargeback_of_a_sale_is_won_back(of: str) -> None:
    record_many(
        [sale(), charged(), charged("R1", kind="refund", amount="1.00"), charged("L1", of="")], at=NOW
    )
    record(won("W1", amount="1.00"), at=NOW)
    with pytest.raises(NotAChargeback) as refusal:
        record(won("W2", of=of, amount="1.00"), at=NOW)
    assert refusal.value.field == "original_event_id"
    assert not Conversion.objects.filter(external_id="W2").exists()


@pytest.mark.parametrize("of", ["R1", "L1"])
def test_one_that_waited_for_something_else_is_declined(of: str) -> None:
    record(won("W2", of=of, amount="1.00"), at=NOW)
    record_many([sale(), charged("R1", kind="refund", amount="1.00"), charged("L1", of="")], at=NOW)
    assert row("W2").state == "rejected"
    assert not Conversion.objects.waiting_for_original().exists()


def test_a_chargeback_cannot_be_refunded_nor_charged_back() -> None:
    record_many([sale(), charged()], at=NOW)
    for kind in ("refund", "chargeback"):
        with pytest.raises(NotASale):
            record(charged("X", kind=kind, of="B1", amount="1.00"), at=NOW)


def test_a_declined_chargeback_cannot_be_won_back() -> None:
    record(charged(amount="100.01"), at=NOW)
    record(sale(), at=NOW)
    assert row("B1").state == "rejected"
    with pytest.raises(NotAChargeback):
        record(won(amount="1.00"), at=NOW)


def test_the_currency_is_the_sales() -> None:
    record_many([sale(), charged()], at=NOW)
    with pytest.raises(OtherCurrencyThanSale):
        record(won(currency="EUR", amount="1.00"), at=NOW)


def test_the_sweep_joins_what_two_workers_could_not_see_and_leaves_what_is_not_ready() -> None:
    ConversionFactory.create(external_id="S1")
    for name, kind, of in (
        ("B1", "chargeback", "S1"),
        ("W1", "chargeback_won", "B1"),
        ("W2", "chargeback_won", "S1"),
    ):
        ConversionFactory.create(external_id=name, kind=kind, original_external_id=of, amount_minor=10_00)
    ConversionFactory.create(external_id="S2")
    ConversionFactory.create(external_id="W3", kind="chargeback_won", original_external_id="S2")
    assert refunds.sweep(at=NOW) > 0
    while refunds.sweep(at=NOW):
        pass
    waiting = Conversion.objects.waiting_for_original().values_list("external_id", flat=True)
    assert list(waiting) == ["W3"]
    # 10.00 were charged back: the first to win them back has them, the second is declined.
    assert (row("W1").state, row("W2").state, row("S1").state) == ("recorded", "rejected", "recorded")
