"""Questions in the back office: the list by its clock, the page with what the engine suggests, deciding in two clicks, and the report."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from payouts import adjustments, disputes
from payouts.choices import DisputeState
from payouts.disputes import report
from payouts.models import Adjustment, Commission, Dispute
from prm.lib.db import suspended_triggers
from prm.lib.money import Money
from tests.desk import at_desk, words
from tests.house import House, open_house
from tests.people import ana, felix, fiona, mats
from tiers.models import Rule

pytestmark = pytest.mark.django_db

SOLD = datetime(2026, 3, 10, 12, tzinfo=UTC)
ASKED = datetime(2026, 3, 12, 9, tzinfo=UTC)
LIST = "admin:payouts_dispute_changelist"
CAUSES = "admin:payouts_dispute_causes"


@pytest.fixture
def house() -> House:
    """Three orders of 100.00, each with 8.00 of commission."""
    made = open_house()
    made.member("ANA", owner=ana())
    for number in range(3):
        made.sale(f"A-{number}", "100.00", "ANA", SOLD)
    made.rate(SOLD)
    return made


def ask(order: str, *, at: datetime = ASKED, cause: str = "rate") -> Dispute:
    line = Commission.objects.get(conversion__external_id=order)
    return disputes.open(line, cause=cause, text="Gold is 10 %.", by=ana(), at=at)


def page_of(found: Dispute) -> str:
    return reverse("admin:payouts_dispute_change", args=[found.pk])


def step(found: Dispute, name: str) -> str:
    return reverse("admin:payouts_dispute_step", args=[found.pk, name])


def test_the_list_is_ordered_by_the_clock_and_says_who_is_late(house: House) -> None:
    soon = ask("A-0", at=timezone.now())
    late = ask("A-1")
    done = ask("A-2")
    disputes.refuse(done, reason="It was Silver.", by=fiona(), at=ASKED)
    page = at_desk(mats()).get(reverse(LIST))
    assert [row.pk for row in page.context["cl"].result_list] == [late.pk, soon.pk, done.pk]
    said = words(page)
    assert "Overdue since 19 Mar 2026" in said and "Decided 12 Mar 2026" in said and "Answer by" in said
    only = at_desk(mats()).get(reverse(LIST), {"waits": "late"})
    assert [row.pk for row in only.context["cl"].result_list] == [late.pk]


def test_the_page_shows_the_suggestion_with_its_rows_and_says_when_the_books_agree(house: House) -> None:
    agrees = at_desk(mats()).get(page_of(ask("A-0")))
    assert "The books agree with the plan in force then: nothing to correct." in words(agrees)
    with suspended_triggers():
        Rule.objects.update(rate=10)
    differs = words(at_desk(fiona()).get(page_of(ask("A-1"))))
    assert "the books should say £10.00 and say £8.00" in differs and "Suggested correction £2.00" in differs
    assert "Gold is 10 %." in differs and "Why £8.00?" in differs


def test_answering_from_the_page(house: House) -> None:
    found = ask("A-0")
    desk = at_desk(mats())
    url = reverse("admin:payouts_dispute_answer", args=[found.pk])
    assert desk.post(url, {"text": " "}).status_code == 422
    assert desk.post(url, {"text": "Which order?", "waits_for_partner": "on"}).status_code == 302
    found.refresh_from_db()
    assert found.state == DisputeState.WAITING_PARTNER
    assert "Which order?" in words(desk.get(page_of(found)))


def test_accepting_says_beforehand_what_it_does_and_does_it_once(house: House) -> None:
    found = ask("A-0")
    with suspended_triggers():
        Rule.objects.update(rate=10)
    desk = at_desk(fiona())
    desk.post(reverse("admin:payouts_dispute_again", args=[found.pk]))
    before = desk.get(step(found, "accept"))
    assert before.context["form"]["amount"].value() == "2.00"
    assert "The engine suggests £2.00." in words(before)
    given = {"amount": "2.00", "note": "Gold it is."}
    assert desk.post(step(found, "accept"), given).status_code == 302
    again = desk.post(step(found, "accept"), given)
    assert again.status_code == 422 and "decided already" in words(again)
    assert [made.amount for made in Adjustment.objects.all()] == [Money(2_00, "GBP")]
    assert "£2.00" in words(desk.get(page_of(found)))


@pytest.mark.parametrize("amount", ["two", "1.005", "--1"])
def test_an_amount_that_is_none_is_an_error_at_its_field(house: House, amount: str) -> None:
    found = ask("A-0")
    page = at_desk(fiona()).post(step(found, "accept"), {"amount": amount, "note": "x"})
    assert page.status_code == 422 and "amount" in page.context["form"].errors
    assert not Adjustment.objects.exists()


def test_an_account_manager_accepts_without_money_whatever_is_sent(house: House) -> None:
    found, desk = ask("A-0"), at_desk(mats())
    assert "no money moves" in words(desk.get(step(found, "accept")))
    assert desk.post(step(found, "accept"), {"amount": "5.00", "note": "x"}).status_code == 403
    assert not Adjustment.objects.exists()
    assert desk.post(step(found, "accept"), {"note": "You are right."}).status_code == 302
    found.refresh_from_db()
    assert found.state == DisputeState.ACCEPTED


def test_refusing_and_opening_again(house: House) -> None:
    first, second, desk = ask("A-0"), ask("A-1"), at_desk(fiona())
    assert desk.post(step(first, "refuse"), {"reason": ""}).status_code == 422
    assert desk.post(step(first, "refuse"), {"reason": "It was Silver."}).status_code == 302
    desk.post(step(second, "accept"), {"amount": "2", "note": "Yes."})
    adjustments.refuse(Adjustment.objects.get(), note="No.", by=felix(), at=timezone.now())
    assert "Open again" in words(desk.get(page_of(second)))
    desk.post(step(second, "reopen"), {"reason": "We look at it once more."})
    states = dict(Dispute.objects.values_list("pk", "state"))
    assert states == {first.pk: "refused", second.pk: "opened"}


def test_partners_and_unknown_steps_get_nowhere(house: House) -> None:
    found = ask("A-0")
    desk = at_desk(fiona())
    assert desk.get(step(found, "burn"))["Location"] == page_of(found)
    assert desk.get(reverse("admin:payouts_dispute_answer", args=[found.pk])).status_code == 405


def told_of_three(house: House) -> None:
    """Two questions about the rate, answered after 1.0 and 4.0 days, one with 2.00 posted; one about a refund, open."""
    house.program.second_person_above_minor = 10_00
    house.program.save()
    first, second = ask("A-0"), ask("A-1")
    Dispute.objects.get(pk=second.pk)
    disputes.accept(first, amount=Money(2_00, "GBP"), note="Yes.", by=fiona(), at=ASKED + timedelta(days=1))
    disputes.refuse(second, reason="No.", by=fiona(), at=ASKED + timedelta(days=4))
    ask("A-2", cause="refund")


def test_the_report_counts_by_cause_and_outcome(house: House) -> None:
    told_of_three(house)
    rate, refund = report.causes(since=ASKED, until=ASKED + timedelta(seconds=1))
    assert (rate.cause, rate.asked, rate.accepted, rate.refused, rate.open) == ("rate", 2, 1, 1, 0)
    assert (rate.in_question, rate.corrected) == (Money(16_00, "GBP"), Money(2_00, "GBP"))
    assert rate.median_days == Decimal("2.5")  # between 1.0 and 4.0
    assert (refund.cause, refund.asked, refund.open, refund.median_days) == ("refund", 1, 1, None)
    [total] = report.totals([rate, refund])
    assert (total.asked, total.in_question, total.corrected) == (3, Money(24_00, "GBP"), Money(2_00, "GBP"))
    assert report.causes(since=ASKED + timedelta(seconds=1), until=timezone.now()) == []


def test_the_report_is_a_page_and_a_file_of_the_same_rows(house: House) -> None:
    told_of_three(house)
    desk, span = at_desk(mats()), {"first": "2026-03-12", "last": "2026-03-12"}
    said = words(desk.get(reverse(CAUSES), span))
    assert "The rate is wrong 2 0 1 1 0 £16.00 £2.00 2.5" in said
    file: Any = desk.get(reverse(CAUSES), span | {"csv": "1"})
    rows = list(csv.DictReader(io.StringIO(b"".join(file.streaming_content).decode())))
    assert [(row["cause"], row["asked"], row["corrected"]) for row in rows] == [
        ("rate", "2", "2.00"),
        ("refund", "1", "0.00"),
    ]
    wrong = desk.get(reverse(CAUSES), {"first": "2026-03-12", "last": "2026-03-01"})
    assert wrong.status_code == 422
