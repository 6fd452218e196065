from __future__ import annotations

import gzip

import pytest
from celery import Celery
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from prm.audit.models import AuditEvent
from prm.runs.models import Run
from referrals.models import Code, Conversion, Link
from tests.desk import at_desk, links, words
from tests.house import open_house
from tests.people import ada, fiona, mats
from tests.portal.scene import busy_partner

pytestmark = pytest.mark.django_db(transaction=True)

HEADER = "event_id,kind,occurred_at,customer_id,country,partner_code,amount,currency\n"
GOOD = "e-1,sale,2026-03-01T10:00:00Z,c-1,France,K1,100.00,GBP\n"
BAD = "e-2,sale,2026-03-01T10:00:00Z,c-1,France,K1,ten,GBP\n"
UPLOAD = "admin:referrals_conversion_import"


def upload(text: str, name: str = "sales.csv") -> SimpleUploadedFile:
    content = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    return SimpleUploadedFile(name, content)


def test_a_file_is_taken_by_a_worker_and_its_faults_are_named(eager_tasks: Celery) -> None:
    open_house().member("K1")
    values = {"file": upload(HEADER + GOOD + BAD), "source": "shop"}
    response = at_desk(mats()).post(reverse(UPLOAD), values, follow=True)
    text = words(response)
    assert "The file was taken" in text
    assert "3 amount “ten” is not an amount" in text
    assert "1 row needs a look" in text
    run = Run.objects.get(kind="referrals.import")
    assert (run.result["created"], run.result["failed"], run.state) == (1, 1, "finished_with_errors")
    assert Conversion.objects.get().external_id == "e-1"


def test_a_packed_file_is_read_too(eager_tasks: Celery) -> None:
    open_house().member("K1")
    values = {"file": upload(HEADER + GOOD, "sales.csv.gz"), "source": "shop"}
    at_desk(fiona()).post(reverse(UPLOAD), values)
    assert Conversion.objects.count() == 1


def test_trying_a_file_keeps_nothing(eager_tasks: Celery) -> None:
    open_house().member("K1")
    values = {"file": upload(HEADER + GOOD), "source": "shop", "dry_run": "on"}
    at_desk(mats()).post(reverse(UPLOAD), values)
    assert Run.objects.get(kind="referrals.import").result["created"] == 1
    assert not Conversion.objects.exists()


def test_all_or_none_takes_none_when_a_line_is_bad(eager_tasks: Celery) -> None:
    open_house().member("K1")
    values = {"file": upload(HEADER + GOOD + BAD), "source": "shop", "atomic": "on"}
    at_desk(mats()).post(reverse(UPLOAD), values)
    assert not Conversion.objects.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [("\n", "The file is empty"), (HEADER.replace("amount", "amount,amount"), "twice")],
)
def test_a_file_that_cannot_be_read_is_refused_on_the_page(content: str, said: str) -> None:
    response = at_desk(mats()).post(reverse(UPLOAD), {"file": upload(content), "source": "shop"})
    assert said in words(response)
    assert not Run.objects.exists()


def test_without_a_file_the_page_asks_for_one() -> None:
    text = words(at_desk(mats()).post(reverse(UPLOAD), {"source": "shop"}))
    assert "There is 1 thing to fix" in text


def test_conversions_are_found_by_order_and_code_and_never_changed() -> None:
    busy_partner()
    client = at_desk(ada())
    found = client.get(reverse("admin:referrals_conversion_changelist"), {"q": "feb-1"})
    assert "feb-1" in words(found)
    assert "mar-1" not in words(found)
    row = Conversion.objects.get(external_id="feb-1")
    page = client.get(reverse("admin:referrals_conversion_change", args=[row.pk]))
    assert "£1,000.00" in words(page)
    assert "The partner's code was used" in words(page)
    assert 'name="_save"' not in page.content.decode()
    partner = Code.objects.get().membership.partner
    assert reverse("admin:partners_partner_change", args=[partner.pk]) in links(page)


def test_a_link_and_a_code_are_switched_off_on_record() -> None:
    busy_partner()
    client = at_desk(mats())
    link, code = Link.objects.get(), Code.objects.get()
    client.post(reverse("admin:referrals_link_change", args=[link.pk]), {})
    client.post(reverse("admin:referrals_code_change", args=[code.pk]), {})
    link.refresh_from_db()
    code.refresh_from_db()
    assert (link.is_active, code.is_active) == (False, False)
    assert {"link.switched_off", "code.switched_off"} <= set(
        AuditEvent.objects.values_list("action", flat=True)
    )


def test_finance_does_not_switch_links() -> None:
    busy_partner()
    link = Link.objects.get()
    assert (
        at_desk(fiona()).post(reverse("admin:referrals_link_change", args=[link.pk]), {}).status_code == 403
    )
    link.refresh_from_db()
    assert link.is_active
