"""The back office's pages about money that is kept back or moved by people: who may, what they say beforehand, and the one call they make."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from payouts import adjustments, pauses
from payouts.adjustment_checks import balance_of
from payouts.models import Adjustment, Commission, Pause, PayableDateChange, Reserve
from prm.audit.models import AuditEvent
from prm.lib.money import Money
from tests.desk import at_desk, links, words
from tests.house import House, open_house
from tests.people import ada, ana, felix, fiona, mats

pytestmark = pytest.mark.django_db

NOW = timezone.now()
YESTERDAY = NOW - timedelta(days=1)
JOINED = NOW - timedelta(days=400)
NEXT_WEEK = (NOW + timedelta(days=7)).date()


@pytest.fixture
def house() -> House:
    house = open_house()
    house.program.second_person_above_minor = 100_00
    house.program.save()
    house.member("ANA10", at=JOINED, owner=ana())
    house.sale("s1", "1000.00", "ANA10", YESTERDAY)
    house.rate(NOW)
    return house


def line() -> Commission:
    return Commission.objects.get()


def put(house: House, amount: str, **changes: Any) -> Adjustment:
    values = {"kind": "bonus", "reason": "campaign", "note": "Thanks.", "by": fiona(), "at": NOW}
    return adjustments.propose(
        house.members["ANA10"], amount=Money.parse(amount, "GBP"), **{**values, **changes}
    )


def typed(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "bonus",
        "amount": "50.00",
        "reason": "campaign",
        "note": "Thank you.",
        "internal_note": "",
        "is_taxable": "on",
        **changes,
    }


def post(client: Client, url: str, data: dict[str, Any] | None = None) -> Any:
    return client.post(url, data or {}, follow=True)


def test_a_line_is_paused_and_let_go_from_its_page(house: House) -> None:
    desk = at_desk(mats())
    page = desk.get(reverse("admin:payouts_commission_change", args=[line().pk]))
    url = reverse("admin:payouts_pause_line", args=[line().pk])
    assert url in links(page)
    asked = words(desk.get(url))
    assert "£80.00 for s1 is not released until the pause ends." in asked
    assert "Partner ANA10 gets an e-mail at once" in asked
    faulty = post(desk, url, {"cause": "risk", "reason": "Look.", "review_on": YESTERDAY.date()})
    assert "a day that is still to come" in words(faulty)
    assert not Pause.objects.exists()
    post(desk, url, {"cause": "risk", "reason": "We look at it.", "review_on": NEXT_WEEK})
    pause = Pause.objects.get()
    assert (line().state, pause.paused_by) == ("paused", mats())
    shown = words(desk.get(reverse("admin:payouts_pause_change", args=[pause.pk])))
    assert "We look at it." in shown
    end = reverse("admin:payouts_pause_end", args=[pause.pk])
    assert end in links(desk.get(reverse("admin:payouts_commission_change", args=[line().pk])))
    assert "goes back on hold and is released on" in words(desk.get(end))
    post(desk, end, {"outcome": "Nothing found."})
    assert line().state == "on_hold"


def test_payments_are_paused_from_the_partner_s_page(house: House) -> None:
    desk = at_desk(mats())
    membership = house.members["ANA10"]
    url = reverse("admin:payouts_pause_payments", args=[membership.pk])
    partner = reverse("admin:partners_partner_change", args=[membership.partner_id])
    assert url in links(desk.get(partner))
    post(desk, url, {"cause": "missing_data", "reason": "We need an address.", "review_on": NEXT_WEEK})
    assert Pause.objects.open().of_payments().get().membership == membership
    assert "All payments paused" in words(desk.get(partner))
    again = post(desk, url, {"cause": "missing_data", "reason": "Again.", "review_on": NEXT_WEEK})
    assert "paused for this cause already" in words(again)


def test_pauses_nobody_looked_at_in_time_are_named_and_counted(house: House) -> None:
    long_ago = NOW - timedelta(days=30)
    pauses.pause_payments(
        house.members["ANA10"],
        cause="risk",
        reason="Look.",
        review_on=(NOW - timedelta(days=10)).date(),
        by=mats(),
        at=long_ago,
    )
    desk = at_desk(mats())
    page = desk.get(reverse("admin:payouts_pause_changelist"))
    assert "1 pause should have been looked at by now." in words(page)
    overdue = desk.get(reverse("admin:payouts_pause_changelist") + "?state=overdue")
    assert "Partner ANA10" in words(overdue)
    assert "Nothing matches" in words(desk.get(reverse("admin:payouts_pause_changelist") + "?state=ended"))


def test_a_payable_date_is_moved_by_finance_only(house: House) -> None:
    url = f"{reverse('admin:payouts_commission_dates')}?lines={line().pk}"
    assert at_desk(mats()).get(url).status_code == 403
    desk = at_desk(fiona())
    asked = words(desk.get(url))
    assert "1 line of £80.00 is ready to pay from the new day" in asked
    assert "Partner ANA10 gets an e-mail at once" in asked
    post(desk, url, {"to": NEXT_WEEK, "reason": "Sooner."})
    assert PayableDateChange.objects.get().changed_by == fiona()
    assert desk.get(reverse("admin:payouts_commission_dates") + "?lines=nonsense").status_code == 404


def test_several_lines_are_ticked_in_the_list(house: House) -> None:
    desk = at_desk(fiona())
    table = reverse("admin:payouts_commission_changelist")
    chosen = {"action": "choose_dates", "_selected_action": [line().pk]}
    answer = desk.post(table, chosen)
    assert answer["Location"] == f"{reverse('admin:payouts_commission_dates')}?lines={line().pk}"
    assert "choose_dates" not in at_desk(mats()).get(table).content.decode()


def test_a_longer_hold_is_set_for_a_partner_or_a_product_and_ended(house: House) -> None:
    desk = at_desk(fiona())
    membership = house.members["ANA10"]
    for_one = reverse("admin:payouts_reserve_set_for", args=[membership.pk])
    assert "Halden affiliates holds for 14 days; here it is longer." in words(desk.get(for_one))
    short = post(desk, for_one, {"hold_days": "14", "reason": "Returns."})
    assert "The program holds for 14 days anyway" in words(short)
    post(desk, for_one, {"hold_days": "60", "reason": "Returns."})
    reserve = Reserve.objects.get()
    assert (reserve.membership, reserve.hold_days, reserve.set_by) == (membership, 60, fiona())
    about_nothing = {"program": house.program.pk, "hold_days": "60", "reason": "Returns."}
    anywhere = reverse("admin:payouts_reserve_set")
    assert "Say for which partner, product or category." in words(post(desk, anywhere, about_nothing))
    post(desk, anywhere, {**about_nothing, "product": "Mug"})
    assert Reserve.objects.filter(product="Mug", membership=None).count() == 1
    assert "Partner ANA10" in words(desk.get(reverse("admin:payouts_reserve_changelist")))
    end = reverse("admin:payouts_reserve_end", args=[reserve.pk])
    assert "waits 14 days again" in words(desk.get(end))
    post(desk, end)
    reserve.refresh_from_db()
    assert reserve.ends_at is not None
    assert at_desk(mats()).get(for_one).status_code == 403


def test_a_small_adjustment_is_shown_in_numbers_and_booked_at_once(house: House) -> None:
    desk = at_desk(fiona())
    membership = house.members["ANA10"]
    chosen = desk.get(reverse("admin:payouts_adjustment_choose") + "?q=ana10")
    url = reverse("admin:payouts_adjustment_propose", args=[membership.pk])
    assert url in links(chosen)
    said = words(post(desk, url, typed()))
    assert "It is booked at once." in said
    assert "goes from £0.00 to £50.00" in said
    assert "against the account “Commission expense”" in said
    assert "“Bonus: £50.00” goes to ana@studio.example" in said
    assert not Adjustment.objects.exists()
    post(desk, url, typed(confirm="yes"))
    assert Adjustment.objects.get().state == "posted"
    assert balance_of(membership).minor == 50_00


def test_two_clicks_book_one_adjustment(house: House) -> None:
    desk = at_desk(fiona())
    membership = house.members["ANA10"]
    url = reverse("admin:payouts_adjustment_propose", args=[membership.pk])
    once = desk.get(url).context["form"]["once"].value()
    assert f'name="once" value="{once}"' in post(desk, url, typed(once=once)).content.decode()
    for _click in range(2):
        post(desk, url, typed(confirm="yes", once=once))
    assert Adjustment.objects.get().public_id == once
    assert balance_of(membership).minor == 50_00


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": "12.345"}, "GBP has 2 decimals"),
        ({"amount": "much"}, "Write an amount such as"),
        ({"amount": "0"}, "Write an amount other than zero."),
        ({"amount": "-5.00"}, "This kind only adds."),
        ({"kind": "mdf"}, "against a file that shows them"),
        ({"kind": "write_off"}, "there is no debt to write off"),
        ({"note": ""}, "This field is required."),
    ],
)
def test_wrong_input_is_said_at_its_field_and_nothing_is_saved(
    house: House, changes: dict[str, Any], said: str
) -> None:
    url = reverse("admin:payouts_adjustment_propose", args=[house.members["ANA10"].pk])
    page = post(at_desk(fiona()), url, typed(confirm="yes", **changes))
    assert said in words(page)
    assert not Adjustment.objects.exists()


def test_a_large_one_waits_for_somebody_else_who_sees_the_numbers(house: House) -> None:
    url = reverse("admin:payouts_adjustment_propose", args=[house.members["ANA10"].pk])
    file = SimpleUploadedFile("offer.pdf", b"%PDF-1.7 offer")
    preparer, approver = at_desk(fiona()), at_desk(felix())
    assert "Amounts above £100.00 need a second person." in words(post(preparer, url, typed(amount="500")))
    post(preparer, url, typed(amount="500", confirm="yes", evidence=file))
    made = Adjustment.objects.get()
    page = reverse("admin:payouts_adjustment_change", args=[made.pk])
    approve = reverse("admin:payouts_adjustment_approve", args=[made.pk])
    assert "You proposed this." in words(preparer.get(page))
    assert approve not in links(preparer.get(page))
    assert "You proposed this." in words(post(preparer, approve))
    assert approve in links(approver.get(page))
    assert "goes from £0.00 to £500.00" in words(approver.get(approve))
    answer = approver.get(reverse("admin:payouts_adjustment_evidence", args=[made.pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="offer.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert AuditEvent.objects.get(action="adjustment.evidence_taken").actor == felix()
    post(approver, approve, {"note": "As agreed."})
    made.refresh_from_db()
    assert (made.state, made.decided_by) == ("posted", felix())
    assert "Booked, and told to the partner" in words(approver.get(page))


def test_a_proposal_is_refused_with_a_reason_or_withdrawn(house: House) -> None:
    first, second = put(house, "500.00"), put(house, "600.00")
    refuse = reverse("admin:payouts_adjustment_refuse", args=[first.pk])
    assert "This field is required." in words(post(at_desk(felix()), refuse))
    post(at_desk(felix()), refuse, {"note": "Not agreed."})
    post(at_desk(fiona()), reverse("admin:payouts_adjustment_withdraw", args=[second.pk]))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("refused", "withdrawn")
    assert "Not agreed." in words(
        at_desk(fiona()).get(reverse("admin:payouts_adjustment_change", args=[first.pk]))
    )


@pytest.mark.parametrize("step", ["change", "approve", "refuse", "withdraw", "evidence"])
def test_account_managers_and_partners_see_no_adjustment(house: House, step: str) -> None:
    made = put(house, "500.00", evidence=SimpleUploadedFile("offer.pdf", b"%PDF-1.7 offer"))
    url = reverse(f"admin:payouts_adjustment_{step}", args=[made.pk])
    assert at_desk(mats()).get(url).status_code in (403, 404)
    stranger = Client()
    stranger.force_login(ana())
    assert stranger.get(url).status_code in (302, 403)


def test_promises_are_counted_and_late_ones_named(house: House) -> None:
    desk = at_desk(ada())
    url = reverse("admin:payouts_promises")
    assert words(desk.get(url)).count("No promise was due in these days.") == 2
    first, last = (NOW - timedelta(days=60)).date(), (NOW + timedelta(days=60)).date()
    assert "before the first" in words(desk.get(url, {"first": last, "last": first}))
    # Told for a day that is over by now, and never released.
    house.sale("old", "100.00", "ANA10", NOW - timedelta(days=20))
    house.rate(NOW - timedelta(days=20))
    page = words(desk.get(url, {"first": first, "last": last}))
    assert "0% 0 of 1 promised" in page
    assert "1 late" in page
    assert "old £8.00" in page
    assert "still not ready" in page
    assert at_desk(mats()).get(url).status_code == 403
