"""The archive of a person's data: nothing that names a person or a partner is forgotten, nobody gets another's, and it opens safely."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from partners import personal_data
from partners.personal_sections import LEFT_OUT
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from tests.factories.partners import ApplicationFactory
from tests.house import House, open_house
from tests.people import ada, ana, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 10, 9, 30, tzinfo=UTC)
ABOUT_SOMEBODY = {"accounts.user", "partners.partner", "partners.membership", "partners.application"}


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", owner=ana())
    house.member("BEN10")
    for code in ("ANA10", "BEN10"):
        house.sale(f"order-{code}", "100.00", code, NOW)
    house.rate(NOW)
    return house


def opened(**given: Any) -> zipfile.ZipFile:
    return zipfile.ZipFile(personal_data.export_for(ana(), at=NOW, **{"by": ana(), **given}))


def test_every_table_about_somebody_is_in_the_archive_or_left_out_for_a_reason() -> None:
    covered = {label for section in personal_data.sections() for label in section.covers}
    about = {
        model._meta.label_lower
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is not None and field.related_model._meta.label_lower in ABOUT_SOMEBODY
    }
    assert about - covered - LEFT_OUT.keys() == set()
    assert covered & LEFT_OUT.keys() == set()
    assert all(len(reason) > 20 for reason in LEFT_OUT.values())


def test_every_section_reads_its_rows() -> None:
    subject = personal_data.Subject(None, "nobody@x.example", (0,))
    assert all(list(section.read(subject)) == [] for section in personal_data.sections())


def test_the_manifest_lists_every_file_with_its_checksum(house: House) -> None:
    bundle = opened()
    manifest = json.loads(bundle.read("manifest.json"))
    listed = {entry["name"]: entry for entry in manifest["files"]}
    assert set(bundle.namelist()) == {"manifest.json", *listed}
    for name, entry in listed.items():
        assert hashlib.sha256(bundle.read(name)).hexdigest() == entry["sha256"]
        assert len(bundle.read(name)) == entry["bytes"]


def test_an_owner_gets_the_partners_data_and_nobody_elses(house: House) -> None:
    bundle = opened()
    [line] = json.loads(bundle.read("partner-commissions.json"))
    assert (line["amount_minor"], line["event"]) == (8_00, "order-ANA10")
    assert line["because"]
    everything = b"".join(bundle.read(name) for name in bundle.namelist())
    assert b"ANA10" in everything
    assert b"BEN10" not in everything
    assert b"ben10@x.example" not in everything


def test_cells_are_no_formulas_and_json_keeps_the_text_as_it_is(house: House) -> None:
    ApplicationFactory.create(email=ana().email, company='=HYPERLINK("http://evil.example")')
    bundle = opened()
    [told] = json.loads(bundle.read("applications.json"))
    assert told["company"].startswith("=HYPERLINK")
    [row] = csv.DictReader(io.StringIO(bundle.read("applications.csv").decode("utf-8-sig")))
    assert row["company"].startswith("'=HYPERLINK")


def test_it_is_recorded_limited_and_only_staff_who_may_make_it_for_others(house: House) -> None:
    for _time in range(personal_data.MOST_IN_AN_HOUR):
        opened()
    with pytest.raises(personal_data.TooOften):
        opened()
    with pytest.raises(Forbidden):
        opened(by=mats())
    assert AuditEvent.objects.filter(action="personal_data.exported").count() == 3
    personal_data.export_for(ana(), by=ada(), at=NOW + timedelta(hours=1, seconds=1)).close()


def test_a_person_downloads_it_after_signing_in_anew(house: House) -> None:
    client = Client()
    client.force_login(ana())
    there = reverse("portal:personal_data")
    away = client.get(there)  # this session says nothing about when its person signed in
    assert away.status_code == 302
    assert "/accounts/" in away["Location"]
