"""The wizard of a pay run: seven steps, each a page, left and found again where the run stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from django.urls import reverse
from django.utils import timezone

from payouts import pay_runs
from payouts.choices import PayRunState
from payouts.exports.bank_days import next_bank_day
from payouts.models import PaymentFile, PayRun
from payouts.pay_runs import job
from prm.lib.periods import Month
from prm.runs.models import Run
from tests.desk import at_desk, links, words
from tests.factories.payouts import IBANS, close_months, give_account
from tests.house import House, open_house
from tests.people import felix, fiona, mats

pytestmark = pytest.mark.django_db

FEBRUARY = datetime(2026, 2, 2, 9, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    """Two partners owed 80.00 each on the statement of January."""
    made = open_house()
    for place, code in enumerate(("K1", "K2")):
        give_account(made.member(code), at=FEBRUARY, iban=IBANS[place])
        made.sale(f"s-{code}", "1000.00", code, datetime(2026, 1, 5, 12, tzinfo=UTC))
    made.rate(FEBRUARY)
    close_months(made.program, Month(2026, 1), at=FEBRUARY)
    return made


def asked(house: House) -> dict[str, object]:
    day = next_bank_day(timezone.now().date() + timedelta(days=3), "GBP")
    return {
        "legal_entity": house.program.legal_entity_id,
        "currency": "GBP",
        "execute_on": day.isoformat(),
    }


def stage(run: PayRun, name: str) -> str:
    return reverse("admin:payouts_payrun_stage", args=[run.pk, name])


def page(run: PayRun) -> str:
    return reverse("admin:payouts_payrun_change", args=[run.pk])


def step(run: PayRun, name: str) -> str:
    return reverse("admin:payouts_payrun_step", args=[run.pk, name])


def look(run: PayRun, kind: str) -> str:
    return reverse("admin:payouts_payrun_looking", args=[run.pk, kind])


@pytest.mark.django_db(transaction=True)
def test_a_run_goes_through_seven_pages_and_comes_back_to_where_it_stands(
    house: House, eager_tasks: Celery
) -> None:
    prepares, approves = at_desk(fiona()), at_desk(felix())
    opened = prepares.post(reverse("admin:payouts_payrun_prepare"), asked(house), follow=True)
    run = PayRun.objects.get()
    assert run.state == PayRunState.DRAFT
    assert "Months that are over and not closed" in words(opened)
    assert reverse("admin:payouts_period_close", args=["affiliates", "2026-02"]) in links(opened)
    assert stage(run, "compute") in links(opened)

    assert "Compute the payments" in words(prepares.get(stage(run, "compute")))
    computed = prepares.post(stage(run, "compute"), follow=True)
    assert "Paid for the first time" in words(computed)
    assert "£160.00" in words(computed)
    found = Run.objects.get(kind=job.RUN_KIND)
    assert (found.state, found.done, found.total) == ("finished", 2, 2)

    assert "Check: pay run" in words(prepares.get(page(run)))
    assert "4 checks are not acknowledged yet" in words(approves.get(stage(run, "approve")))
    assert step(run, "approve") not in approves.get(stage(run, "approve")).content.decode()
    for kind in ("new_payee", "missing_data"):
        ticked = list(run.checks.filter(kind=kind).values_list("pk", flat=True))
        prepares.post(look(run, kind), {"check": ticked, "note": "Called them."})
    assert "You prepared this run. Somebody else has to approve it." in words(prepares.get(page(run)))

    text = words(approves.get(page(run)))
    assert "2 payments, £160.00 together, leave Halden Giftware Ltd" in text
    approves.post(step(run, "approve"))
    assert "Make the files for 2 payments" in words(prepares.get(page(run)))
    prepares.post(step(run, "export"))
    for file in PaymentFile.objects.all():
        text = words(prepares.get(page(run)))  # the step of the files, as long as one was not taken
        assert file.number in text
        assert file.sha256 in text
        prepares.get(reverse("admin:payouts_payrun_file", args=[run.pk, file.pk]))
    assert "What the bank says" in words(prepares.get(page(run)))
    prepares.post(step(run, "settle"), {"reference": "BANK-77"})
    text = words(prepares.get(page(run)))
    assert "From what was owed to what arrived" in text
    assert "Difference £0.00" in text


def test_one_check_can_be_acknowledged_without_the_others(house: House) -> None:
    run = _prepared(house)
    client, [first, second] = at_desk(fiona()), list(run.checks.filter(kind="new_payee").order_by("pk"))
    refused = client.post(look(run, "new_payee"), {"check": [first.pk], "note": ""})
    assert "There is 1 thing to fix" in words(refused)
    assert "Tick what you have looked at." in words(client.post(look(run, "new_payee"), {"note": "x"}))
    client.post(look(run, "new_payee"), {"check": [first.pk], "note": "Called them."})
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.note, second.acknowledged_at) == ("Called them.", None)
    assert "Fiona Brandt: Called them." in words(client.get(look(run, "new_payee")))
    assert client.get(look(run, "no_such_kind")).status_code == 404


def test_a_payment_is_left_out_on_a_page_that_says_what_remains(house: House) -> None:
    run = _prepared(house)
    pay_runs.acknowledge_all(run, note="Called them.", by=fiona(), at=timezone.now())
    pay_runs.approve(run, by=felix(), at=timezone.now())
    payment = run.payments.order_by("pk")[0]
    url = reverse("admin:payouts_payrun_leave_out", args=[run.pk, payment.pk])
    client = at_desk(fiona())
    assert url in links(client.get(stage(run, "check")))
    text = words(client.get(url))
    assert "The run then pays 1 payments, £80.00 together." in text
    assert "The approval is void" in text
    client.post(url, {"reason": "Under review."})
    run.refresh_from_db()
    assert (run.state, run.total_minor) == (PayRunState.CHECKED, 80_00)
    assert "Under review." in words(client.get(stage(run, "check")))


def test_who_opens_a_second_run_is_led_to_the_first(house: House) -> None:
    run = _prepared(house)
    response = at_desk(felix()).post(reverse("admin:payouts_payrun_prepare"), asked(house))
    assert "is being prepared already" in words(response)
    assert page(run) in links(response)
    assert PayRun.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_run_that_pays_nobody_says_why_and_stays_a_draft(house: House, eager_tasks: Celery) -> None:
    at = timezone.now()
    day = next_bank_day(at.date() + timedelta(days=3), "GBP")
    run = pay_runs.open(house.program.legal_entity, currency="GBP", execute_on=day, by=fiona(), at=at)
    for membership in house.members.values():
        membership.state = "suspended"
        membership.save(update_fields=["state"])
    text = words(at_desk(fiona()).post(stage(run, "compute"), follow=True))
    assert "Nothing can be paid now. Left out: The membership is suspended (2)." in text
    assert "Compute it again" in text
    run.refresh_from_db()
    assert run.state == PayRunState.DRAFT


def test_a_step_the_run_has_not_come_to_leads_to_where_it_stands(house: House) -> None:
    run = _prepared(house)
    client = at_desk(fiona())
    for name in ("export", "paid", "reconcile", "nonsense"):
        response = client.get(stage(run, name))
        assert (response.status_code, response["Location"]) == (302, page(run))


def test_account_managers_neither_compute_nor_look_nor_leave_out(house: House) -> None:
    run = _prepared(house)
    client = at_desk(mats())
    assert client.post(stage(run, "compute")).status_code == 403
    assert client.post(look(run, "new_payee"), {"check": [1], "note": "x"}).status_code == 403
    payment = run.payments.order_by("pk")[0]
    url = reverse("admin:payouts_payrun_leave_out", args=[run.pk, payment.pk])
    assert client.post(url, {"reason": "x"}).status_code == 403
    run.refresh_from_db()
    assert run.payment_count == 2


def _prepared(house: House) -> PayRun:
    at = timezone.now()
    day = next_bank_day(at.date() + timedelta(days=3), "GBP")
    return pay_runs.prepare(house.program.legal_entity, currency="GBP", execute_on=day, by=fiona(), at=at)
