"""A shop's own file in the back office: uploaded, its columns said, the first lines looked at, all tried, then recorded. The file is kept
between the steps and thrown away after a week."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from prm.runs.models import Run
from referrals import import_files
from referrals.models import Conversion, ImportMapping
from tests.desk import at_desk, words
from tests.house import open_house
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db(transaction=True)

UPLOAD = "admin:referrals_conversion_import"
SHOP = "Order;Date;Coupon;Total\n1;01/03/2026 10:00;K1;12,50\n2;01/03/2026 11:00;=K1;ten\n"


def upload(desk: Client, text: str = SHOP) -> str:
    """Upload a file and return the address of its columns."""
    file = SimpleUploadedFile("shop.csv", text.encode())
    response = desk.post(reverse(UPLOAD), {"file": file, "source": "shop"})
    assert response.status_code == 302, words(response)
    return str(response["Location"])


def answers(desk: Client, address: str, **changes: str) -> dict[str, str]:
    """Return the answers the page suggests, with some changed."""
    form = desk.get(address).context["form"]
    return {field.name: field.value() or "" for field in form} | {"always_currency": "GBP"} | changes


def send(desk: Client, address: str, button: str, **changes: str) -> HttpResponse:
    return desk.post(address, answers(desk, address, **changes) | {button: "1"}, follow=True)  # type: ignore[return-value]


def test_a_shops_file_is_tried_and_then_recorded(eager_tasks: Celery) -> None:
    open_house().member("K1")
    desk = at_desk(mats())
    address = upload(desk)
    first = words(desk.get(address))
    assert "01/03/2026 10:00" in first  # the first value of a column
    assert "The first lines as they would be read" not in first  # nobody has said the currency

    tried = send(desk, address, "try")
    trial = Run.objects.get()
    assert (trial.result["created"], trial.result["failed"], trial.result["dry_run"]) == (1, 1, True)
    assert not Conversion.objects.exists()
    assert "Import 1 line" in words(tried)
    assert "“ten” is not an amount" in words(tried)

    result = reverse("admin:referrals_conversion_import_result", args=[trial.public_id])
    faults = desk.get(f"{result}faults.csv")
    # No cell is a formula, and the line, the column and the code can be sorted by.
    assert b"".join(faults).decode("utf-8-sig").splitlines()[1].startswith("3,Total,not_an_amount,")  # type: ignore[arg-type]

    done = words(desk.post(result, follow=True))
    assert "What the import did" in done
    assert Conversion.objects.get().amount_minor == 1250
    assert ImportMapping.objects.get().mapping["decimal"] == ","


def test_a_second_import_of_the_file_changes_nothing_and_says_so(eager_tasks: Celery) -> None:
    open_house().member("K1")
    desk = at_desk(mats())
    good = SHOP.rsplit("\n2;", 1)[0]
    send(desk, upload(desk, good), "apply")
    address = upload(desk, good)
    assert "This very file was imported on" in words(desk.get(address))
    again = send(desk, address, "apply", always_currency="GBP")
    assert "Every line of this file was in the books before. Nothing changed." in words(again)
    assert Conversion.objects.count() == 1


def test_remembered_columns_are_suggested_and_the_first_lines_shown(eager_tasks: Celery) -> None:
    open_house().member("K1")
    desk = at_desk(mats())
    send(desk, upload(desk), "try")
    page = words(desk.get(upload(desk)))
    assert "sale 1" in page
    assert "£12.50" in page
    assert "Total “ten” is not an amount as the others of this file are written." in page


def test_answers_that_make_no_sense_are_said_at_their_question() -> None:
    desk = at_desk(mats())
    address = upload(desk)
    doubled = desk.post(address, answers(desk, address, column_2="amount") | {"try": "1"})
    assert doubled.status_code == 422
    assert "“Coupon” is already this: Amount." in words(doubled)
    lacking = desk.post(address, answers(desk, address, always_currency="") | {"show": "1"})
    assert lacking.status_code == 422
    assert "Say which column this is, or what it is in every line: Currency." in words(lacking)
    assert not Run.objects.exists()


def test_a_file_belongs_to_who_uploaded_it_and_the_pages_to_who_may_import() -> None:
    address = upload(at_desk(mats()))
    assert at_desk(fiona()).get(address).status_code == 404
    assert at_desk(mats()).get(address.replace("import/", "import/x")).status_code == 404
    assert at_desk(ana()).get(address).status_code in (302, 403)


def test_files_are_thrown_away_after_a_week(eager_tasks: Celery) -> None:
    desk = at_desk(mats())
    address = upload(desk)
    _folders, names = default_storage.listdir(import_files.FOLDER)
    place = Path(default_storage.path(f"{import_files.FOLDER}/{names[0]}"))
    now = timezone.now()
    assert import_files.purge(at=now + timedelta(days=6)) == 0
    old = (now - timedelta(days=8)).timestamp()
    os.utime(place, (old, old))
    assert import_files.purge(at=now) == 1
    assert "files are kept for a week" in words(desk.get(address, follow=True))
