"""Finance loads a bank's file up, sees what it would book, books it, and finds everything it said again."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from payouts.models import PayRun, ResultFile
from payouts.results import jobs
from prm.audit.models import AuditEvent
from prm.runs.models import Run
from tests.desk import at_desk, links, words
from tests.payouts.results.bank import on_its_way, owed, payment, states, table, take, written
from tests.people import felix, fiona, mats
from tiers.models import LegalEntity

pytestmark = pytest.mark.django_db

UPLOAD, LIST = "admin:payouts_resultfile_upload", "admin:payouts_resultfile_changelist"


@pytest.fixture
def run() -> PayRun:
    return on_its_way(owed())


def load(client: Client, content: bytes, name: str = "bank.xml"):
    given = {"entity": LegalEntity.objects.get().pk, "file": SimpleUploadedFile(name, content)}
    return client.post(reverse(UPLOAD), given)


def test_what_a_file_would_book_is_said_before_anything_is_booked(run: PayRun) -> None:
    client = at_desk(fiona())
    loaded = load(client, written("camt053_02.xml"))
    page = client.get(loaded.url)
    text = words(page)
    assert "2 payments, £240.00 together, are booked as paid." in text
    assert "£0.35 is booked as fees of the bank." in text
    assert "Bookings read 5" in text and "Not ours 2" in text and "Not final 1" in text
    assert "Partner BEN" in text and "Book 2 results" in text
    assert not ResultFile.objects.exists() and set(states().values()) == {"sent"}


def test_confirmed_it_is_booked_and_everything_it_said_can_be_read(run: PayRun) -> None:
    client = at_desk(fiona())
    url = load(client, written("camt053_02.xml")).url
    done = client.post(url, follow=True)
    file = ResultFile.objects.get()
    assert done.redirect_chain[-1][0] == reverse("admin:payouts_resultfile_change", args=[file.pk])
    text = words(done)
    assert "What the bank said is booked." in text
    assert "£160.00" in text and "£0.35" in text and "TX-ANA" in text and file.sha256 in text
    assert file.name in words(client.get(reverse(LIST)))
    # The file that was looked at is not kept beside the one that was stored.
    assert "not here any more" in words(client.get(url, follow=True))


def test_a_file_that_does_not_match_shows_why_and_has_no_button(run: PayRun) -> None:
    client = at_desk(fiona())
    url = load(client, written("camt053_02.xml").replace(b"80.00", b"81.00")).url
    page = client.get(url)
    assert "it says 81.00 GBP, and we sent 80.00 GBP" in words(page)
    assert payment("ANA").end_to_end_id in words(page)
    assert "Book 2 results" not in words(page)
    client.post(url)
    assert not ResultFile.objects.exists() and set(states().values()) == {"sent"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html/>", "none of camt.053"),
        (b"a,b\r\n", "the header lacks"),
        (b"", "The submitted file is empty"),
    ],
)
def test_what_cannot_be_read_is_said_beside_the_field(run: PayRun, content: bytes, said: str) -> None:
    response = load(at_desk(fiona()), content)
    assert response.status_code == 200
    assert said in words(response)


def test_money_that_came_back_stands_first_with_its_reason(run: PayRun) -> None:
    take(written("camt053_02.xml"))
    client = at_desk(fiona())
    url = load(client, written("camt053_08.xml")).url
    text = words(client.get(url))
    assert "1 payment, £80.00, came back and is owed again" in text
    assert "The account is closed. (AC04, Konto erloschen)" in text
    assert "The account is closed. (AC04, Konto erloschen)" in words(client.post(url, follow=True))


def test_a_file_that_was_imported_before_leads_to_that_import(run: PayRun) -> None:
    file = take(written("camt053_02.xml"))
    client = at_desk(felix())
    page = client.get(load(client, written("camt053_02.xml")).url)
    assert "This file was imported before." in words(page)
    assert reverse("admin:payouts_resultfile_change", args=[file.pk]) in links(page)
    assert "Book" not in words(page).partition("What would be booked")[2]


def test_a_large_file_is_handed_to_a_worker(run: PayRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 1)
    client = at_desk(fiona())
    client.post(load(client, written("camt053_02.xml")).url)
    job = Run.objects.get(kind=jobs.RUN_KIND)
    assert (job.state, job.parameters["name"]) == ("queued", "bank.xml")
    assert not ResultFile.objects.exists()


def test_what_somebody_else_loaded_up_is_not_shown(run: PayRun) -> None:
    url = load(at_desk(fiona()), written("camt053_02.xml")).url
    assert at_desk(felix()).get(url).status_code == 302
    assert at_desk(felix()).get(reverse("admin:payouts_resultfile_look", args=["made-up"])).status_code == 302


def test_the_file_is_handed_out_as_it_came_to_who_may_settle_and_that_is_on_record(run: PayRun) -> None:
    content = written("camt053_02.xml")
    file = take(content)
    url = reverse("admin:payouts_resultfile_content", args=[file.pk])
    response = at_desk(felix()).get(url)
    assert response.content == content and "no-store" in response["Cache-Control"]
    assert AuditEvent.objects.get(action="results.file_taken").actor == felix()
    for name in (UPLOAD, LIST, "admin:payouts_resultfile_reconcile"):
        assert at_desk(mats()).get(reverse(name)).status_code == 403
    assert at_desk(mats()).get(url).status_code == 403


def test_the_page_over_all_runs_shows_a_difference_of_zero_and_one_that_is_not(run: PayRun) -> None:
    take(written("camt053_02.xml"))
    client, url = at_desk(felix()), reverse("admin:payouts_resultfile_reconcile")
    text = words(client.get(url))
    assert "The difference is zero in every run shown." in text
    assert "£360.00 £360.00 £240.00 £0.00 £0.00 £120.00 £0.35 £0.00" in text
    type(payment("CLEO")).objects.filter(pk=payment("CLEO").pk).update(state="settled")
    text = words(client.get(url, {"entity": LegalEntity.objects.get().pk}))
    assert "Some runs do not agree." in text and "£240.00" in text


def test_the_last_step_of_a_run_shows_from_what_was_owed_to_what_arrived(run: PayRun) -> None:
    take(table(*(f"{payment(code).end_to_end_id},settled,,,,," for code in states())))
    text = words(at_desk(felix()).get(reverse("admin:payouts_payrun_stage", args=[run.pk, "reconcile"])))
    assert "The bank has answered about every payment." in text
    assert "Left the partners' balances £360.00" in text
