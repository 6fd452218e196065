"""Recording events: once per source, credited by the rule, refunds joined to their sales."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from prm.lib.events import subscribed
from prm.lib.money import Money
from referrals import refunds
from referrals.attribution.apply import OtherCurrency, UnknownCode
from referrals.conversions import DeductionsAboveAmount, record, record_many
from referrals.events import ConversionsAttributed
from referrals.facts import Event, Status
from referrals.held import MoreThanSold, NotASale, OtherCurrencyThanSale
from referrals.models import AttributionRecord, Conversion, Credit, Customer
from referrals.repeats import OtherBody
from tests.factories.referrals import (
    NOW,
    ClickFactory,
    CodeFactory,
    ConversionFactory,
    LinkFactory,
    an_event,
    new_membership,
)

pytestmark = pytest.mark.django_db


def books() -> tuple[int, int, int]:
    return Conversion.objects.count(), Credit.objects.count(), Customer.objects.count()


def test_an_event_is_recorded_with_its_facts() -> None:
    code = CodeFactory.create(code="ANA-1")
    event = an_event(
        "A1",
        amount="12.34",
        customer_id="C9",
        country="France",
        code="ANA-1",
        occurred_at=NOW - timedelta(days=2),
    )
    outcome = record(event, at=NOW)
    row = Conversion.objects.get(pk=outcome.conversion_id)
    assert outcome.status == Status.CREATED
    assert outcome.public_id == row.public_id
    assert (row.source, row.external_id, row.kind, row.state) == ("shop", "A1", "sale", "recorded")
    assert (row.amount_minor, row.currency, row.country, row.code_text) == (1234, "GBP", "France", "ANA-1")
    assert (row.occurred_at, row.recorded_at) == (NOW - timedelta(days=2), NOW)
    assert row.customer is not None and row.customer.external_id == "C9"
    credit = Credit.objects.get(conversion=row)
    assert (credit.membership_id, credit.code_id, credit.reason) == (code.membership_id, code.pk, "code")
    assert (credit.share, credit.rated_at, credit.occurred_at) == (1, None, row.occurred_at)


def test_an_event_without_code_and_click_is_organic() -> None:
    outcome = record(an_event(), at=NOW)
    assert outcome.is_credited is False
    assert books() == (1, 0, 0)


def test_a_repeat_is_answered_with_the_first() -> None:
    CodeFactory.create(code="ANA-1")
    event = an_event("A1", code="ANA-1", customer_id="C1")
    first = record(event, at=NOW)
    again = record(event, at=NOW + timedelta(days=1))
    assert again.status == Status.REPLAYED
    assert (again.conversion_id, again.public_id) == (first.conversion_id, first.public_id)
    assert books() == (1, 1, 1)
    assert Conversion.objects.get().recorded_at == NOW


def test_a_repeat_written_in_another_time_zone_is_the_same() -> None:
    one = an_event("A1", occurred_at=datetime.fromisoformat("2026-11-01T10:00:00+00:00"))
    other = an_event("A1", occurred_at=datetime.fromisoformat("2026-11-01T11:00:00+01:00"))
    record(one, at=NOW)
    assert record(other, at=NOW).status == Status.REPLAYED


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"amount": "100.01"}, "amount"),
        ({"kind": "renewal"}, "kind"),
        ({"occurred_at": NOW - timedelta(hours=2)}, "occurred_at"),
        ({"customer_id": "C2"}, "customer_id"),
        ({"country": "Spain"}, "country"),
        ({"amount": "100.00", "currency": "EUR"}, "amount"),
        ({"click_id": "x" * 26}, "click_id"),
    ],
)
def test_other_facts_under_the_same_id_are_refused(change: dict[str, Any], name: str) -> None:
    record(an_event("A1"), at=NOW)
    with pytest.raises(OtherBody) as refusal:
        record(an_event("A1", **change), at=NOW)
    assert refusal.value.names == (name,)
    assert Conversion.objects.get().amount_minor == 100_00


def test_two_sources_may_use_the_same_id() -> None:
    record(an_event("A1", source="shop"), at=NOW)
    record(an_event("A1", source="till", amount="5.00"), at=NOW)
    assert Conversion.objects.count() == 2


def test_an_unknown_code_is_refused_by_name_and_nothing_is_stored() -> None:
    with pytest.raises(UnknownCode) as refusal:
        record(an_event(code="NOBODY", customer_id="C1"), at=NOW)
    assert refusal.value.field == "code"
    assert "NOBODY" in str(refusal.value)
    assert books() == (0, 0, 0)


def test_an_event_in_another_currency_than_the_program_is_refused() -> None:
    CodeFactory.create(code="ANA-1", membership=new_membership(currency="EUR"))
    with pytest.raises(OtherCurrency) as refusal:
        record(an_event(code="ANA-1"), at=NOW)
    assert refusal.value.field == "currency"
    assert books() == (0, 0, 0)


def test_a_code_switched_off_no_longer_earns_but_the_sale_is_recorded() -> None:
    CodeFactory.create(code="ANA-1", is_active=False)
    assert record(an_event(code="ANA-1"), at=NOW).is_credited is False
    assert books() == (1, 0, 0)


@pytest.mark.parametrize("state", ["suspended", "banned", "invited"])
def test_a_membership_that_is_not_active_earns_nothing(state: str) -> None:
    CodeFactory.create(code="ANA-1", membership=new_membership(state=state))
    record(an_event(code="ANA-1"), at=NOW)
    assert books() == (1, 0, 0)


def test_a_membership_that_ended_keeps_sales_from_before_its_end() -> None:
    membership = new_membership(state="ended")
    membership.ended_at = NOW - timedelta(days=1)
    membership.save()
    CodeFactory.create(code="ANA-1", membership=membership)
    outcomes = record_many(
        [
            an_event("before", code="ANA-1", occurred_at=NOW - timedelta(days=1, seconds=1)),
            an_event("after", code="ANA-1", occurred_at=NOW - timedelta(days=1)),
        ],
        at=NOW,
    )
    assert [outcome.is_credited for outcome in outcomes] == [True, False]


def test_the_visitors_last_click_earns_even_when_an_earlier_one_is_named() -> None:
    early = ClickFactory.create(clicked_at=NOW - timedelta(days=3))
    late = ClickFactory.create(clicked_at=NOW - timedelta(days=1), visitor=early.visitor)
    ClickFactory.create(clicked_at=NOW - timedelta(minutes=1), visitor=early.visitor)  # after the sale
    ClickFactory.create(clicked_at=NOW - timedelta(hours=2))  # somebody else
    record(an_event(click_id=early.click_id, occurred_at=NOW - timedelta(hours=1)), at=NOW)
    credit = Credit.objects.get()
    assert (credit.click_id, credit.reason) == (late.pk, "last_click")
    assert credit.membership_id == late.link.membership_id


def test_a_click_older_than_the_cookie_window_earns_nothing() -> None:
    link = LinkFactory.create(membership=new_membership(cookie_days=7))
    click = ClickFactory.create(link=link, clicked_at=NOW - timedelta(days=8))
    record(an_event(click_id=click.click_id, occurred_at=NOW - timedelta(days=1)), at=NOW)
    record(an_event(click_id=click.click_id, occurred_at=NOW - timedelta(days=1, microseconds=1)), at=NOW)
    assert [credit.click_id for credit in Credit.objects.all()] == [click.pk]


def test_a_click_without_a_visitor_number_counts_by_its_id_and_is_joined_with_no_other() -> None:
    ClickFactory.create(visitor="", clicked_at=NOW - timedelta(hours=2))
    anonymous = ClickFactory.create(visitor="", clicked_at=NOW - timedelta(hours=3))
    record(an_event(click_id=anonymous.click_id), at=NOW)
    assert Credit.objects.get().click_id == anonymous.pk
    assert AttributionRecord.objects.get().candidates[0]["click"] == anonymous.pk


def test_a_click_id_nobody_knows_makes_the_sale_organic() -> None:
    record(an_event(click_id="0" * 26), at=NOW)
    assert books() == (1, 0, 0)


def test_a_refused_event_does_not_stop_the_others_of_its_batch() -> None:
    CodeFactory.create(code="ANA-1")
    outcomes = record_many(
        [
            an_event("1", code="ANA-1"),
            an_event("2", code="NOBODY"),
            an_event("3"),
            an_event("1", code="ANA-1"),
        ],
        at=NOW,
    )
    assert [outcome.status for outcome in outcomes] == ["created", "refused", "created", "replayed"]
    assert books() == (2, 1, 0)


def test_of_two_tellings_in_one_batch_the_first_counts() -> None:
    outcomes = record_many([an_event("1", amount="1.00"), an_event("1", amount="2.00")], at=NOW)
    assert [outcome.status for outcome in outcomes] == ["created", "conflict"]
    assert Conversion.objects.get().amount_minor == 100


def test_credited_conversions_are_announced_after_the_commit(
    django_capture_on_commit_callbacks: Any,
) -> None:
    CodeFactory.create(code="ANA-1")
    heard: list[ConversionsAttributed] = []
    with subscribed(ConversionsAttributed, heard.append), django_capture_on_commit_callbacks(execute=True):
        outcomes = record_many([an_event("1", code="ANA-1"), an_event("2")], at=NOW)
        assert heard == []
    assert [event.conversion_ids for event in heard] == [(outcomes[0].conversion_id,)]


def test_nothing_is_announced_for_organic_sales_and_repeats(django_capture_on_commit_callbacks: Any) -> None:
    CodeFactory.create(code="ANA-1")
    record(an_event("1", code="ANA-1"), at=NOW)
    heard: list[ConversionsAttributed] = []
    with subscribed(ConversionsAttributed, heard.append), django_capture_on_commit_callbacks(execute=True):
        record_many([an_event("1", code="ANA-1"), an_event("2")], at=NOW)
    assert heard == []


def test_more_than_a_thousand_events_do_not_fit_one_transaction() -> None:
    with pytest.raises(ValueError, match="1000"):
        record_many([an_event(str(number)) for number in range(1_001)], at=NOW)


def test_the_number_of_queries_does_not_grow_with_the_batch(django_assert_max_num_queries: Any) -> None:
    CodeFactory.create(code="ANA-1")
    events = [
        an_event(str(number), code="ANA-1", customer_id=str(number), occurred_at=NOW - timedelta(hours=1))
        for number in range(40)
    ]
    with django_assert_max_num_queries(20):
        record_many(events, at=NOW)


# Refunds -------------------------------------------------------------------------------------------------------------


def refund(external_id: str, *, of: str = "", amount: str = "40.00", **changes: Any) -> Event:
    return an_event(external_id, kind="refund", amount=amount, original_external_id=of, **changes)


def state_of(external_id: str) -> str:
    return Conversion.objects.get(external_id=external_id).state


def test_a_refund_that_names_no_sale_is_attributed_like_a_sale() -> None:
    code = CodeFactory.create(code="ANA-1")
    record(refund("R1", code="ANA-1"), at=NOW)
    assert Credit.objects.get().membership_id == code.membership_id


def test_a_refund_of_a_named_sale_is_credited_as_the_sale_is() -> None:
    code = CodeFactory.create(code="ANA-1")
    sale = record(an_event("S1", code="ANA-1"), at=NOW)
    record(refund("R1", of="S1", amount="40.00"), at=NOW)
    row = Conversion.objects.get(external_id="R1")
    assert row.original_id == sale.conversion_id
    credit = Credit.objects.get(conversion=row)
    assert (credit.membership_id, credit.reason) == (code.membership_id, "original")
    assert credit.occurred_at == row.occurred_at
    assert state_of("S1") == "partially_refunded"


def test_refunds_in_parts_may_add_up_to_the_sale_and_not_to_a_penny_more() -> None:
    record(an_event("S1", amount="100.00"), at=NOW)
    record(refund("R1", of="S1", amount="60.00"), at=NOW)
    with pytest.raises(MoreThanSold) as refusal:
        record(refund("R2", of="S1", amount="40.01"), at=NOW)
    assert refusal.value.field == "amount"
    assert "40.00" in str(refusal.value)
    assert state_of("S1") == "partially_refunded"
    record(refund("R3", of="S1", amount="40.00"), at=NOW)
    assert state_of("S1") == "refunded"
    assert not Conversion.objects.filter(external_id="R2").exists()


def test_a_repeated_refund_does_not_count_twice() -> None:
    record(an_event("S1", amount="100.00"), at=NOW)
    for _time in range(3):
        outcome = record(refund("R1", of="S1", amount="60.00"), at=NOW)
    assert outcome.status == Status.REPLAYED
    assert Conversion.objects.count() == 2


def test_sale_and_refunds_may_come_in_one_batch_in_any_order() -> None:
    CodeFactory.create(code="ANA-1")
    outcomes = record_many(
        [
            refund("R1", of="S1", amount="60.00"),
            an_event("S1", code="ANA-1", amount="100.00"),
            refund("R2", of="S1", amount="40.00"),
        ],
        at=NOW,
    )
    assert {outcome.status for outcome in outcomes} == {"created"}
    assert all(outcome.is_credited for outcome in outcomes)
    assert state_of("S1") == "refunded"


def test_a_refund_waits_for_its_sale_and_is_joined_when_that_arrives(
    django_capture_on_commit_callbacks: Any,
) -> None:
    CodeFactory.create(code="ANA-1")
    waiting = record(refund("R1", of="S1", code="ANA-1"), at=NOW)
    assert waiting.is_waiting is True
    assert Credit.objects.count() == 0
    heard: list[ConversionsAttributed] = []
    with subscribed(ConversionsAttributed, heard.append), django_capture_on_commit_callbacks(execute=True):
        sale = record(an_event("S1", code="ANA-1"), at=NOW)
    assert heard == [ConversionsAttributed(tuple(sorted([waiting.conversion_id, sale.conversion_id])))]
    assert state_of("S1") == "partially_refunded"
    assert {credit.reason for credit in Credit.objects.all()} == {"code", "original"}


def test_a_waiting_refund_that_is_more_than_its_sale_is_declined_when_the_sale_arrives() -> None:
    record(refund("R1", of="S1", amount="100.01"), at=NOW)
    record(an_event("S1", amount="100.00"), at=NOW)
    assert state_of("R1") == "rejected"
    assert state_of("S1") == "recorded"
    record(refund("R2", of="S1", amount="100.00"), at=NOW)
    assert state_of("S1") == "refunded"


def test_the_sweep_joins_what_two_workers_recorded_without_seeing_each_other(
    django_capture_on_commit_callbacks: Any,
) -> None:
    CodeFactory.create(code="ANA-1")
    record(an_event("S1", code="ANA-1"), at=NOW)
    # As a transaction leaves it that could not see the sale.
    waiting = ConversionFactory.create(
        external_id="R1", kind="refund", amount_minor=30_00, original_external_id="S1"
    )
    heard: list[ConversionsAttributed] = []
    with subscribed(ConversionsAttributed, heard.append), django_capture_on_commit_callbacks(execute=True):
        assert refunds.sweep(at=NOW) == 1
    assert heard == [ConversionsAttributed((waiting.pk,))]
    assert state_of("S1") == "partially_refunded"
    assert refunds.sweep(at=NOW) == 0


def test_a_refund_cannot_be_refunded() -> None:
    record(refund("R1"), at=NOW)
    with pytest.raises(NotASale) as refusal:
        record(refund("R2", of="R1"), at=NOW)
    assert refusal.value.field == "original_event_id"


def test_a_refund_in_another_currency_than_its_sale_is_refused() -> None:
    record(an_event("S1"), at=NOW)
    with pytest.raises(OtherCurrencyThanSale) as refusal:
        record(refund("R1", of="S1", currency="EUR"), at=NOW)
    assert refusal.value.field == "currency"


def test_a_refund_does_not_find_a_sale_of_another_source() -> None:
    record(an_event("S1", source="till"), at=NOW)
    assert record(refund("R1", of="S1"), at=NOW).is_waiting is True


def test_a_refund_of_an_organic_sale_is_organic_whatever_code_it_carries() -> None:
    CodeFactory.create(code="ANA-1")
    record(an_event("S1"), at=NOW)
    record(refund("R1", of="S1", code="ANA-1"), at=NOW)
    assert Credit.objects.count() == 0


# Order and repetition ------------------------------------------------------------------------------------------------

Facts = list[tuple[object, ...]]


def everything() -> tuple[Facts, Facts, Facts]:
    conversions = Conversion.objects.order_by("external_id").values_list(
        "external_id",
        "kind",
        "state",
        "amount_minor",
        "original__external_id",
        "customer__external_id",
        "payload_sha256",
    )
    credits = Credit.objects.order_by("conversion__external_id").values_list(
        "conversion__external_id", "membership_id", "reason", "code_id", "share", "occurred_at"
    )
    customers = Customer.objects.order_by("external_id").values_list(
        "external_id", "country", "first_seen_at"
    )
    return list(conversions), list(credits), list(customers)


def a_month_of_events() -> list[Event]:
    chance = random.Random(7)
    events = []
    for number in range(30):
        at = NOW - timedelta(days=30, minutes=-number)
        events.append(
            an_event(
                f"S{number:02}",
                amount=f"{chance.randrange(10, 90)}.50",
                code=chance.choice(["ANA-1", "MATS-1", ""]),
                customer_id=f"C{chance.randrange(5)}",
                country=chance.choice(["France", "Spain"]),
                occurred_at=at,
            )
        )
        if number % 3 == 0:
            events.append(
                refund(
                    f"R{number:02}", of=f"S{number:02}", amount="10.00", occurred_at=at + timedelta(days=1)
                )
            )
        if number % 7 == 0:
            events.append(
                refund(f"N{number:02}", amount="3.00", code="ANA-1", occurred_at=at + timedelta(days=2))
            )
    return events


class OrderAndRepetition(HypothesisTestCase):
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.randoms(use_true_random=False), st.integers(1, 9))
    def test_shuffled_repeated_and_split_tellings_give_the_same_rows(
        self, chance: random.Random, size: int
    ) -> None:
        for code in ("ANA-1", "MATS-1"):
            CodeFactory.create(code=code)
        events = a_month_of_events()
        from django.db import transaction

        expected = None
        try:
            with transaction.atomic():
                _tell(events, size=500)
                expected = everything()
                raise _Undo
        except _Undo:
            pass
        shuffled = events + chance.sample(events, k=10)
        chance.shuffle(shuffled)
        _tell(shuffled, size=size)
        assert everything() == expected


class _Undo(Exception):
    pass


def _tell(events: Sequence[Event], *, size: int) -> None:
    for start in range(0, len(events), size):
        record_many(events[start : start + size], at=NOW)


def test_what_rules_ask_about_is_kept() -> None:
    event = an_event(
        "A1",
        product="85123A",
        category="candles",
        quantity=6,
        tax_minor=20_00,
        shipping_minor=5_00,
        discount_minor=75_00,
        cost_minor=200_00,
        sub_id="spring",
        deal="D-7",
        attributes={"channel": "phone", "gift": True, "employees": 12},
    )
    record(event, at=NOW)
    row = Conversion.objects.get()
    assert (row.product, row.category, row.quantity, row.sub_id, row.deal_key) == (
        "85123A",
        "candles",
        6,
        "spring",
        "D-7",
    )
    assert (row.tax_minor, row.shipping_minor, row.discount_minor, row.cost_minor) == (
        20_00,
        5_00,
        75_00,
        200_00,
    )
    assert row.attributes == {"channel": "phone", "gift": True, "employees": 12}
    assert record(event, at=NOW).status == Status.REPLAYED


def test_a_fingerprint_without_further_facts_is_what_it_always_was() -> None:
    event = Event(
        "shop", "A1", "sale", NOW, Money(100_00, "GBP"), customer_id="C1", country="France", code="ANA-1"
    )
    told = ["shop", "A1", "sale", NOW.isoformat(), 10000, "GBP", "C1", "France", "ANA-1", "", ""]
    known = hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()
    assert event.fingerprint() == known
    assert replace(event, quantity=1, attributes={}).fingerprint() == known
    others = [
        {"product": "P"},
        {"category": "P"},
        {"quantity": 0},
        {"quantity": 2},
        {"tax_minor": 1},
        {"shipping_minor": 1},
        {"discount_minor": 1},
        {"cost_minor": 1},
        {"sub_id": "P"},
        {"deal": "P"},
        {"attributes": {"a": 1}},
        {"attributes": {"a": True}},
        {"attributes": {"a": "1"}},
    ]
    assert len({replace(event, **change).fingerprint() for change in others} | {known}) == len(others) + 1
    one, other = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert replace(event, attributes=one).fingerprint() == replace(event, attributes=other).fingerprint()


def test_pieces_nobody_told_are_one_for_a_sale_and_none_for_a_refund() -> None:
    record_many(
        [an_event("S1"), an_event("R1", kind="refund", amount="1.00", original_external_id="S1")], at=NOW
    )
    assert list(Conversion.objects.order_by("pk").values_list("quantity", flat=True)) == [1, 0]


def test_deductions_above_the_amount_are_refused_and_the_others_taken() -> None:
    outcomes = record_many(
        [
            an_event("A1", tax_minor=60_00, shipping_minor=40_01),
            an_event("A2", tax_minor=60_00, shipping_minor=40_00),
        ],
        at=NOW,
    )
    assert [outcome.status for outcome in outcomes] == [Status.REFUSED, Status.CREATED]
    refusal = outcomes[0].refusal
    assert isinstance(refusal, DeductionsAboveAmount)
    assert refusal.field == "shipping"
    assert str(refusal) == "tax, shipping come to 100.01 GBP, more than the amount of 100.00 GBP."
