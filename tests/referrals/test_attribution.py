"""Who is credited when events are recorded: contacts of every kind are found, several partners share by the program's rules, and each
decision is kept with all it was made over."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners.models import Membership, Partner
from prm.lib.money import Money
from referrals import performance
from referrals.attribution import settings, words
from referrals.attribution.correct import Share, correct
from referrals.attribution.why import Why
from referrals.conversions import record, record_many
from referrals.decisions import decisions_of
from referrals.facts import Buyer, Event, EventLine
from referrals.models import (
    AttributionRecord,
    Code,
    Conversion,
    ConversionLine,
    Credit,
    Customer,
    Referral,
    RollupMark,
)
from tests.desk import at_desk
from tests.desk import words as read
from tests.factories.referrals import NOW, ClickFactory, CodeFactory, LinkFactory, an_event, new_membership
from tests.factories.tracking import AttributionVersionFactory, TouchFactory
from tests.people import mats

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
USUAL = settings.standard(30)
MAIL = Buyer(email_key="a" * 64, vat_key="v" * 64)


def beside(first: Membership, name: str = "Second") -> Membership:
    """Return another member of the same program."""
    return Membership.objects.create(
        partner=Partner.objects.create(name=name), program=first.program, joined_at=first.joined_at
    )


def publish(membership: Membership, **changes: Any) -> settings.Settings:
    rules = replace(USUAL, **changes)
    AttributionVersionFactory.create(
        program=membership.program, published=True, definition=settings.dump(rules)
    )
    return rules


def decided(event: Event) -> list[tuple[int, str, str | None]]:
    """Record an event and return what its record says of each contact."""
    found = record(event, at=NOW)
    rows = AttributionRecord.objects.filter(conversion=found.conversion_id)
    return [(each["membership"], each["why"], each["share"]) for row in rows for each in row.candidates]


def credited() -> list[tuple[str, Decimal, str, str]]:
    rows = Credit.objects.standing().order_by("pk")
    return list(rows.values_list("membership__partner__name", "share", "role", "reason"))


# Contacts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "event"),
    [
        ({"kind": "deal", "reference": "D-1"}, {"deal": "D-1"}),
        ({"kind": "deal", "email_key": "a" * 64}, {"buyer": MAIL}),
    ],
)
def test_a_registered_deal_beats_a_code(told: dict[str, Any], event: dict[str, Any]) -> None:
    code = CodeFactory.create(code="ANA-1")
    deal = TouchFactory.create(membership=beside(code.membership), **told)
    assert decided(an_event(code="ANA-1", **event)) == [
        (deal.membership_id, "decided", "1.000000"),
        (code.membership_id, "lower_precedence", None),
    ]
    credit = Credit.objects.get()
    assert (credit.membership_id, credit.reason, credit.touch_id) == (deal.membership_id, "deal", deal.pk)
    assert credit.code_id is None


def test_a_deal_is_found_by_its_customer_until_its_local_day_is_over() -> None:
    customer = Customer.objects.create(source="shop", external_id="C1", first_seen_at=NOW)
    member = new_membership(time_zone="Europe/Paris")
    TouchFactory.create(
        membership=member,
        kind="deal",
        customer=customer,
        touched_at=NOW - 90 * DAY,
        ends_on=date(2026, 10, 25),
    )
    midnight = datetime(2026, 10, 26, tzinfo=ZoneInfo("Europe/Paris")).astimezone(UTC)
    assert midnight == datetime(2026, 10, 25, 23, tzinfo=UTC)
    last = an_event("in", customer_id="C1", occurred_at=midnight - timedelta(seconds=1))
    assert decided(last) == [(member.pk, "decided", "1.000000")]
    assert decided(an_event("out", customer_id="C1", occurred_at=midnight))[0] == (
        member.pk,
        "deal_over",
        None,
    )


def test_leads_count_where_the_program_says_so_also_those_that_were_credited_before() -> None:
    code = CodeFactory.create(code="ANA-1")
    publish(code.membership, precedence=(("code",), ("lead",)))
    batch = [
        an_event(
            "lead",
            kind="qualified_lead",
            amount="0.00",
            code="ANA-1",
            customer_id="C1",
            occurred_at=NOW - DAY,
        ),
        an_event("sale", customer_id="C1"),
    ]
    record_many(batch, at=NOW)
    again = record(an_event("later", customer_id="C1"), at=NOW)
    lead, sale = Conversion.objects.get(external_id="lead"), Conversion.objects.get(external_id="sale")
    for conversion in (sale.pk, again.conversion_id):
        entry = next(
            each
            for each in AttributionRecord.objects.get(conversion=conversion).candidates
            if each["kind"] == "lead"
        )
        assert (entry["conversion"], entry["why"], entry["share"]) == (lead.pk, "decided", "1.000000")
        assert Credit.objects.get(conversion=conversion).reason == "lead"


def test_only_clicks_of_people_count_and_views_where_the_program_counts_them() -> None:
    link = LinkFactory.create()
    view = ClickFactory.create(link=link, kind="view")
    robot = ClickFactory.create(link=link, kind="bot", visitor=view.visitor)
    member = link.membership
    assert decided(an_event("1", click_id=view.click_id)) == [(member.pk, "kind_not_counted", None)]
    assert decided(an_event("2", click_id=robot.click_id)) == [(member.pk, "kind_not_counted", None)]
    publish(member, precedence=(("click",), ("view",)))
    record(an_event("3", click_id=view.click_id), at=NOW)
    assert Credit.objects.get().reason == "view"
    figures = performance.of_membership(member, since=NOW - 9 * DAY, until=NOW)
    assert (figures.clicks, figures.sales) == (0, 1)


def test_nothing_is_credited_from_before_a_membership_began() -> None:
    member = new_membership(joined_at=NOW - 2 * HOUR)
    CodeFactory.create(code="ANA-1", membership=member)
    click = ClickFactory.create(link=LinkFactory.create(membership=member), clicked_at=NOW - 3 * HOUR)
    early = an_event("1", code="ANA-1", occurred_at=NOW - 2 * HOUR - timedelta(seconds=1))
    assert decided(early) == [(member.pk, "before_joining", None)]
    assert decided(an_event("2", click_id=click.click_id)) == [(member.pk, "before_joining", None)]
    assert decided(an_event("3", code="ANA-1", occurred_at=NOW - 2 * HOUR)) == [
        (member.pk, "decided", "1.000000")
    ]


# Sharing -------------------------------------------------------------------------------------------------------------


def test_three_partners_share_a_sale_and_their_parts_are_the_amount() -> None:
    link = LinkFactory.create()
    publish(link.membership, model="linear")
    first = ClickFactory.create(link=link, clicked_at=NOW - 3 * DAY)
    for number in (2, 1):
        other = LinkFactory.create(membership=beside(link.membership, f"P{number}"))
        ClickFactory.create(link=other, visitor=first.visitor, clicked_at=NOW - number * DAY)
    record(an_event("S1", click_id=first.click_id, amount="100.00"), at=NOW)
    assert [(share, role, reason) for _name, share, role, reason in credited()] == [
        (Decimal("0.333334"), "sourced", "clicks"),
        (Decimal("0.333333"), "sourced", "clicks"),
        (Decimal("0.333333"), "sourced", "clicks"),
    ]
    nets = [
        performance.net_of(credit.membership, since=NOW - DAY, until=NOW)
        for credit in Credit.objects.order_by("pk")
    ]
    assert nets == [Money(33_34, "GBP"), Money(33_33, "GBP"), Money(33_33, "GBP")]


def test_who_helped_is_credited_with_an_assist_and_takes_nothing() -> None:
    code = CodeFactory.create(code="ANA-1", membership=new_membership(name="Ana"))
    publish(code.membership, assists=True)
    other = LinkFactory.create(membership=beside(code.membership, "Eva"))
    click = ClickFactory.create(link=other)
    record(an_event("S1", code="ANA-1", click_id=click.click_id), at=NOW)
    assert credited() == [
        ("Ana", Decimal(1), "sourced", "code"),
        ("Eva", Decimal(1), "assisted", "assisted"),
    ]
    record(an_event("R1", kind="refund", amount="10.00", original_external_id="S1"), at=NOW)
    rows = Credit.objects.filter(conversion__external_id="R1").order_by("pk")
    assert list(rows.values_list("role", "click_id")) == [("sourced", None), ("assisted", click.pk)]


def test_an_event_is_judged_by_the_rules_in_force_when_it_happened() -> None:
    link = LinkFactory.create()
    AttributionVersionFactory.create(
        program=link.membership.program,
        published=True,
        effective_at=NOW - 10 * DAY,
        definition=settings.dump(replace(USUAL, precedence=(("code",),))),
    )
    click = ClickFactory.create(link=link, clicked_at=NOW - 20 * DAY)
    member = link.membership_id
    before = an_event("1", click_id=click.click_id, occurred_at=NOW - 10 * DAY - timedelta(seconds=1))
    assert decided(before) == [(member, "decided", "1.000000")]
    assert decided(an_event("2", click_id=click.click_id, occurred_at=NOW - 10 * DAY)) == [
        (member, "kind_not_counted", None)
    ]


def test_only_new_customers_where_the_program_says_so_also_within_one_batch() -> None:
    code = CodeFactory.create(code="ANA-1")
    publish(code.membership, qualifies=settings.Qualifies(customers="new"))
    batch = [
        an_event("second", code="ANA-1", customer_id="C1", occurred_at=NOW - HOUR),
        an_event("first", code="ANA-1", customer_id="C1", occurred_at=NOW - 2 * HOUR),
    ]
    assert [outcome.is_credited for outcome in record_many(batch, at=NOW)] == [False, True]
    assert record(an_event("third", code="ANA-1", customer_id="C1"), at=NOW).is_credited is False


# Codes, customers, lines, marks --------------------------------------------------------------------------------------


def test_a_code_with_a_limit_is_credited_so_often_and_what_comes_back_is_no_use() -> None:
    code = CodeFactory.create(code="ANA-1", use_limit=2)
    batch = [an_event(str(n), code="ANA-1", occurred_at=NOW - n * HOUR) for n in range(1, 4)]
    back = an_event("back", kind="refund", amount="1.00", code="ANA-1", occurred_at=NOW - HOUR / 2)
    outcomes = record_many([*batch, back], at=NOW)
    # The two that happened first; the refund names no sale, so the code decides.
    assert [outcome.is_credited for outcome in outcomes] == [False, True, True, True]
    assert record_many(batch, at=NOW)[1].is_credited is False  # a repeat is no use either
    assert Code.objects.get(pk=code.pk).uses == 2
    entry = AttributionRecord.objects.get(conversion__external_id="1").candidates[0]
    assert (entry["why"], entry["with"]) == ("code_used_up", {"limit": 2})


@pytest.mark.needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_eight_workers_credit_a_code_that_is_good_for_five_orders_exactly_five_times() -> None:
    code = CodeFactory.create(code="ANA-1", use_limit=5)
    start = Barrier(8)

    def sell(worker: int) -> None:
        try:
            start.wait()
            for number in range(20):
                record(an_event(f"{worker}-{number}", code="ANA-1"), at=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sell, range(8)))
    code.refresh_from_db()
    assert (Conversion.objects.count(), Credit.objects.count(), code.uses) == (160, 5, 5)


def test_a_buyer_is_one_customer_by_the_shops_id_or_by_the_address() -> None:
    record(an_event("1", buyer=MAIL), at=NOW)
    record(an_event("2", buyer=MAIL, customer_id="C1"), at=NOW)
    (customer,) = Customer.objects.all()
    assert customer.external_id == "email:" + "a" * 40
    assert (customer.email_key, customer.vat_key) == ("a" * 64, "v" * 64)
    record(an_event("3", customer_id="C2"), at=NOW)
    record(an_event("4", customer_id="C2", buyer=Buyer(email_key="b" * 64, domain_key="d" * 64)), at=NOW)
    named = Customer.objects.get(external_id="C2")
    assert (named.email_key, named.domain_key) == ("b" * 64, "d" * 64)
    record(an_event("5", customer_id="C2", buyer=Buyer(email_key="c" * 64)), at=NOW)
    named.refresh_from_db()
    assert named.email_key == "b" * 64  # what is known stays
    assert set(Conversion.objects.filter(customer=customer).values_list("external_id", flat=True)) == {
        "1",
        "2",
    }


def test_the_first_credited_event_makes_the_owner_and_the_next_ones_see_it() -> None:
    code = CodeFactory.create(code="ANA-1")
    publish(code.membership, precedence=(("code",), ("customer",)))
    batch = [
        an_event("first", code="ANA-1", customer_id="C1", occurred_at=NOW - 2 * HOUR),
        an_event("second", kind="renewal", customer_id="C1"),
    ]
    record_many(batch, at=NOW)
    record(an_event("third", kind="renewal", customer_id="C1"), at=NOW)
    referral = Referral.objects.get()
    assert (referral.membership_id, referral.since_at) == (code.membership_id, NOW - 2 * HOUR)
    found = Credit.objects.exclude(conversion__external_id="first")
    assert set(found.values_list("reason", "referral_id")) == {("customer", referral.pk)}
    assert found.count() == 2


def test_lines_of_an_order_are_kept_in_their_order() -> None:
    lines = (EventLine(60_00, "P1", "shoes", 2), EventLine(30_00, "P2"))
    record(an_event("1", lines=lines), at=NOW)
    rows = ConversionLine.objects.order_by("position")
    assert list(
        rows.values_list("position", "product", "category", "quantity", "amount_minor", "currency")
    ) == [
        (1, "P1", "shoes", 2, 60_00, "GBP"),
        (2, "P2", "", 1, 30_00, "GBP"),
    ]


def test_days_are_marked_in_the_programs_calendar_and_in_utc_for_what_nobody_brought() -> None:
    member = new_membership(time_zone="Europe/Paris")
    CodeFactory.create(code="ANA-1", membership=member)
    late = datetime(2026, 11, 10, 23, 30, tzinfo=UTC)  # the 11th in Paris
    record_many([an_event("1", code="ANA-1", occurred_at=late), an_event("2", occurred_at=late)], at=NOW)
    marks = set(RollupMark.objects.values_list("program", "happened_on"))
    assert marks == {(member.program_id, date(2026, 11, 11)), (None, date(2026, 11, 10))}


# The record ----------------------------------------------------------------------------------------------------------


def test_a_correction_adds_a_record_and_what_had_earned_is_overruled() -> None:
    code = CodeFactory.create(code="ANA-1")
    click = ClickFactory.create(link=LinkFactory.create(membership=beside(code.membership, "Eva")))
    found = record(an_event("S1", code="ANA-1", click_id=click.click_id), at=NOW)
    conversion = Conversion.objects.get(public_id=found.public_id)
    RollupMark.objects.all().delete()
    eva = click.link.membership
    correct(
        conversion, credits=[Share(eva, Decimal(1), "influenced")], by=mats(), reason="Typed by staff", at=NOW
    )
    first, second = AttributionRecord.objects.order_by("pk")
    assert [each["why"] for each in first.candidates] == ["lower_precedence", "decided"]
    assert [(each["membership"], each["why"], each["share"]) for each in second.candidates] == [
        (eva.pk, "lower_precedence", None),
        (code.membership_id, "overruled", None),
        (eva.pk, "by_hand", "1.000000"),
    ]
    assert (second.cause, second.reason, second.decided_by) == ("corrected", "Typed by staff", mats())
    assert Credit.objects.standing().get().role == "influenced"
    assert (code.membership.program_id, date(2026, 11, 20)) in RollupMark.objects.values_list(
        "program", "happened_on"
    )
    assert [len(each.seen) for each in decisions_of(conversion)] == [3, 2]


def test_an_event_without_any_contact_has_no_record() -> None:
    record(an_event("1", customer_id="C1"), at=NOW)
    assert not AttributionRecord.objects.exists()


def test_every_reason_has_a_label_and_a_sentence() -> None:
    figures = {
        "model": "linear",
        "among": 2,
        "starts_at": NOW.isoformat(),
        "ended_at": NOW.isoformat(),
        "joined_at": NOW.isoformat(),
        "bought_at": NOW.isoformat(),
        "decided_at": NOW.isoformat(),
        "limit": 5,
        "window_hours": 720,
        "asked": "countries",
        "by": "code",
    }
    for why in Why:
        entry = {"kind": "click", "why": why.value, "share": "0.500000", "with": figures}
        said = words.sentence(entry, ZoneInfo("Europe/Paris"))
        assert words.label(why) and said.endswith("."), why
        assert "%(" not in said, why
    late: dict[str, object] = {"kind": "click", "why": "outside_window", "share": None}
    assert words.sentence({**late, "with": {"window_hours": 720}}, ZoneInfo("UTC")) == (
        "It was too long before: less than 30 days of 24 hours may lie between."
    )


def test_the_queries_of_a_batch_do_not_grow_with_its_contacts() -> None:
    def count(size: int, name: str) -> int:
        link = LinkFactory.create()
        publish(link.membership, model="linear", precedence=(("code", "click", "lead", "intro"),))
        batch = []
        for number in range(size):
            click = ClickFactory.create(link=link)
            TouchFactory.create(membership=link.membership, reference=f"{name}-{number}")
            key = f"{name}{number}".ljust(64, "0")
            batch.append(
                an_event(
                    f"{name}-{number}",
                    click_id=click.click_id,
                    lead=f"{name}-{number}",
                    customer_id=f"{name}-{number}",
                    buyer=Buyer(email_key=key),
                )
            )
        with CaptureQueriesContext(connection) as queries:
            record_many(batch, at=NOW)
        return len(queries)

    assert count(2, "a") == count(9, "b")


def test_the_command_says_why_an_event_is_credited() -> None:
    code = CodeFactory.create(code="ANA-1", membership=new_membership(name="Ana"))
    click = ClickFactory.create(
        link=LinkFactory.create(slug="eva", membership=beside(code.membership, "Eva"))
    )
    record(an_event("S1", code="ANA-1", click_id=click.click_id), at=NOW)

    def said(*args: str) -> str:
        out = StringIO()
        call_command("explain_attribution", "shop", *args, stdout=out)
        return out.getvalue()

    text = said("S1")
    assert "Code on the order: ANA-1, Ana" in text
    assert "Click: eva, Eva" in text
    assert "A code on the order comes first by the program's rules, and there was one." in text
    (decision,) = json.loads(said("S1", "--json"))["decisions"]
    assert [each["share"] for each in decision["contacts"]] == ["–", "100%"]
    with pytest.raises(CommandError) as fault:
        said("S2")
    assert fault.value.returncode == 2


def test_the_page_of_an_event_shows_every_contact_and_its_reason() -> None:
    code = CodeFactory.create(code="ANA-1", membership=new_membership(name="Ana"))
    found = record(an_event("S1", code="ANA-1"), at=NOW)
    organic = record(an_event("S2"), at=NOW)
    desk = at_desk(mats())
    page = read(desk.get(f"/admin/referrals/conversion/{found.conversion_id}/change/"))
    assert "Why these are credited" in page
    assert f"Code on the order: ANA-1 Ana, {code.membership.program.name}" in page
    assert "Took the credit." in page
    page = read(desk.get(f"/admin/referrals/conversion/{organic.conversion_id}/change/"))
    assert "No contact of any partner was found" in page
