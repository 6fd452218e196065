"""Requests of persons in the back office: what is found, said beforehand, and done once it was typed again."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.urls import reverse

from partners.models import Application
from prm.accounts import people
from tests.desk import at_desk, words
from tests.factories.partners import ApplicationFactory
from tests.factories.tiers import EPOCH
from tests.house import open_house
from tests.people import ada, ana, mats

pytestmark = pytest.mark.django_db


def there(mailbox: str = "") -> str:
    return reverse("admin:partners_persons") + (f"?mailbox={mailbox}" if mailbox else "")


def test_only_administrators_get_in_and_a_wrong_address_is_said() -> None:
    assert at_desk(mats()).get(there()).status_code == 403
    desk = at_desk(ada())
    assert desk.get(there()).status_code == 200
    assert desk.get(there("no-address")).status_code == 422
    assert "Nothing is kept about this address." in words(desk.get(there("ghost@x.example")))


def test_an_applicant_without_an_account_is_copied_and_erased_after_the_address_was_typed() -> None:
    ApplicationFactory.create(
        email="rui@x.example",
        full_name="Rui Pinto",
        state="rejected",
        decided_at=EPOCH,
        decided_by=mats(),
        rejection_reason="fit",
    )
    desk = at_desk(ada())
    page = words(desk.get(there("rui@x.example")))
    assert "1 application with its answers" in page
    assert "art. L123-22" in page
    made = desk.post(there("rui@x.example"), {"export": "1"})
    bundle = zipfile.ZipFile(io.BytesIO(b"".join(made.streaming_content)))  # type: ignore[attr-defined]
    assert json.loads(bundle.read("applications.json"))[0]["full_name"] == "Rui Pinto"
    refused = desk.post(there("rui@x.example"), {"erase": "1", "confirmation": "rui@y.example"})
    assert refused.status_code == 422
    assert Application.objects.filter(full_name="Rui Pinto").exists()
    done = desk.post(there("rui@x.example"), {"erase": "1", "confirmation": " RUI@x.example "}, follow=True)
    assert "The person is erased." in words(done)
    assert not Application.objects.filter(full_name="Rui Pinto").exists()


def test_what_hinders_is_said_and_there_is_no_button() -> None:
    open_house().member("ANA10", owner=ana())
    desk = at_desk(ada())
    page = desk.get(there(ana().email))
    assert "The membership of Partner ANA10 in Halden affiliates has not ended." in words(page)
    assert b'name="erase"' not in page.content
    pressed = desk.post(there(ana().email), {"erase": "1", "confirmation": ana().email})
    assert pressed.status_code == 422
    assert people.find("ana@studio.example") is not None
