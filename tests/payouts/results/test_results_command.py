"""Finance scripts what the bank says, and a script learns from the exit code how it went."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from payouts.choices import PayRunState
from payouts.models import PaymentResult, PayRun, ResultFile
from payouts.results import jobs
from prm.runs import lifecycle, working
from prm.runs.models import Run
from prm.runs.progress import Reporter
from tests.payouts.results.bank import APRIL_7, on_its_way, owed, payment, states, table, written
from tests.people import fiona
from tiers.models import LegalEntity

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> PayRun:
    return on_its_way(owed())


def command(name: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and what was printed."""
    out = StringIO()
    try:
        call_command(
            name, *arguments, "--json", "--no-progress", "--by", fiona().email, stdout=out, stderr=StringIO()
        )
        code = 0
    except CommandError as ended:
        code = ended.returncode
    return code, json.loads(out.getvalue() or "{}")


def on_disk(folder: Path, content: bytes, name: str = "bank.xml") -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def test_a_file_is_tried_booked_and_known_again(run: PayRun, tmp_path: Path) -> None:
    path = on_disk(tmp_path, written("camt053_02.xml"))
    code, told = command("import_results", path, "--dry-run")
    figures = {"rows": 5, "settled": 2, "came_back": 0, "known": 0, "foreign": 2, "waiting": 1}
    assert (code, {name: told[name] for name in figures}) == (0, figures)
    assert told["sums"] == {"settled": {"GBP": "240.00"}, "came_back": {}, "fees": {"GBP": "0.35"}}
    assert not ResultFile.objects.exists() and not Run.objects.filter(kind=jobs.RUN_KIND).exists()
    code, told = command("import_results", path, "--entity", "HG")
    assert (code, {name: told[name] for name in figures}, told["imported_before"]) == (0, figures, False)
    assert told["sums"]["settled"] == {"GBP": "240.00"}
    code, told = command("import_results", path)
    assert (code, told["imported_before"], ResultFile.objects.count()) == (0, True, 1)


def test_a_file_that_does_not_match_ends_with_one_and_books_nothing(run: PayRun, tmp_path: Path) -> None:
    path = on_disk(tmp_path, written("camt053_02.xml").replace(b"80.00", b"81.00"))
    code, told = command("import_results", path)
    assert (code, told["code"]) == (1, "mismatch")
    assert "it says 81.00 GBP, and we sent 80.00 GBP" in told["error"]
    code, told = command("import_results", path, "--dry-run")
    assert (code, [fault["row"] for fault in told["faults"]]) == (3, [1])
    assert not PaymentResult.objects.exists()


def test_wrong_use_ends_with_two(run: PayRun, tmp_path: Path) -> None:
    assert command("import_results", str(tmp_path / "nothing.xml"))[0] == 2
    assert command("import_results", on_disk(tmp_path, b"x"), "--entity", "XX")[0] == 2


def test_an_import_that_is_under_way_ends_with_four(run: PayRun, tmp_path: Path) -> None:
    lifecycle.start(jobs.RUN_KIND, title="x", at=datetime.now(UTC), subject="HG:results", inline=True)
    code, told = command("import_results", on_disk(tmp_path, written("camt053_02.xml")))
    assert (code, told["state"]) == (4, "already_running")
    assert not ResultFile.objects.exists()


def test_a_run_is_settled_by_hand_with_the_banks_code_for_what_failed(run: PayRun) -> None:
    name = payment("BEN").end_to_end_id
    code, told = command(
        "settle_pay_run", run.public_id, "--failed", f"{name}=AC04", "--booked-on", "2026-04-06"
    )
    assert (code, told["settled"], told["came_back"]) == (0, 2, 1)
    assert (payment("BEN").failure_code, payment("BEN").failure_reason) == ("AC04", "The account is closed.")
    assert told["pay_run_state"] == PayRunState.RECONCILED
    assert {str(each.booked_on) for each in PaymentResult.objects.all()} == {"2026-04-06"}
    assert command("settle_pay_run", run.public_id, "--booked-on", "6.4.2026")[0] == 2


def test_a_worker_books_a_large_file_and_one_that_comes_after_it_finds_it_done(run: PayRun) -> None:
    entity = LegalEntity.objects.get()
    content = table(*(f"{payment(code).end_to_end_id},settled,,,,," for code in states()))
    word = jobs.keep(content, at=APRIL_7)
    job = jobs.start(entity, word=word, name="april.csv", by=fiona(), at=APRIL_7)
    working.work(job.pk, lambda run, reporter: jobs.carry_out(run, reporter, at=APRIL_7))
    job.refresh_from_db()
    assert (job.state, job.done, job.result["settled"]) == ("finished", 3, 3)
    with pytest.raises(jobs.NoLongerHere):
        jobs.kept(word)
    assert jobs.carry_out(job, Reporter(), at=APRIL_7)["file"] == ResultFile.objects.get().public_id


@pytest.mark.parametrize("word", ["", "../../etc/passwd", "01J00000000000000000000000"])
def test_only_what_was_kept_can_be_asked_for(word: str) -> None:
    with pytest.raises(jobs.NoLongerHere):
        jobs.kept(word)
