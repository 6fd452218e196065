import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from prm.lib.errors import Refused
from prm.runs import lifecycle
from prm.runs.choices import RunState
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.models import Run
from prm.runs.progress import Cancelled, Reporter
from tests.factories.prm import UserFactory

pytestmark = pytest.mark.django_db
Job = Callable[[Reporter], Mapping[str, Any]]


class Close(RunCommand):
    has_dry_run = True
    job: Job

    def plan(self, options: Mapping[str, Any]) -> Plan:
        return Plan("close", "Close October", subject="per_1", phases=("reading",))

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.job(reporter)


def run(job: Job, **options: Any) -> tuple[int, str, str]:
    """Run the command and return its exit code and what it wrote."""
    out, err = io.StringIO(), io.StringIO()
    command = Close(stdout=out, stderr=err)  # type: ignore[arg-type]
    command.job = job
    try:
        call_command(command, **options)
    except CommandError as error:
        return error.returncode, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def read(reporter: Reporter, *, failed: int = 0) -> Mapping[str, Any]:
    reporter.phase("reading", total=3)
    reporter.advance(3, failed=failed)
    return {"rows": 3}


def test_a_good_end_is_0_with_the_result_on_stdout_and_progress_on_stderr() -> None:
    code, out, err = run(read, json=True)
    result = json.loads(out)
    stored = Run.objects.get()
    assert code == 0
    assert (result["state"], result["rows"], result["run"]) == ("finished", 3, stored.public_id)
    assert "reading: 3/3  100 %" in err


def test_without_json_a_sentence_is_printed() -> None:
    assert "rows: 3" in run(read)[1]


def test_row_errors_are_3_and_the_result_is_still_printed() -> None:
    code, out, _err = run(lambda reporter: read(reporter, failed=1), json=True)
    assert code == 3
    assert json.loads(out)["failed"] == 1
    assert Run.objects.get().state == RunState.FINISHED_WITH_ERRORS


def test_a_refusal_is_1_with_its_code() -> None:
    def job(reporter: Reporter) -> Mapping[str, Any]:
        raise Refused("The month is closed.", code="closed")

    code, out, _err = run(job, json=True)
    assert code == 1
    assert json.loads(out) == {"state": "failed", "error": "The month is closed.", "code": "closed"}
    assert Run.objects.get().state == RunState.FAILED


def test_the_same_command_twice_at_once_is_4() -> None:
    def job(reporter: Reporter) -> Mapping[str, Any]:
        return {"inner": run(read, json=True)[0]}

    code, out, _err = run(job, json=True)
    assert code == 0
    assert json.loads(out)["inner"] == 4
    assert Run.objects.count() == 1


def test_being_stopped_is_1_and_says_that_what_was_done_is_kept() -> None:
    def job(reporter: Reporter) -> Mapping[str, Any]:
        raise Cancelled

    assert run(job)[0] == 1
    assert Run.objects.get().state == RunState.CANCELLED


def test_an_unknown_person_is_2_and_nothing_is_recorded() -> None:
    assert run(read, by="nobody@example.org")[0] == 2
    assert Run.objects.count() == 0


def test_an_argument_that_makes_no_sense_is_2() -> None:
    assert UsageError("No such month.").returncode == 2


def test_the_person_named_is_kept_with_the_run() -> None:
    fiona = UserFactory(email="fiona@example.org")
    run(read, by="FIONA@example.org")
    assert Run.objects.get().created_by == fiona


def test_a_dry_run_records_no_run() -> None:
    code, out, _err = run(lambda reporter: read(reporter, failed=1), json=True, dry_run=True)
    assert code == 3
    assert json.loads(out) == {"state": "finished_with_errors", "dry_run": True, "failed": 1, "rows": 3}
    assert Run.objects.count() == 0


def test_a_command_does_not_ring_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[Any] = []
    monkeypatch.setattr(lifecycle, "ring", lambda *args, **kwargs: rung.append(args))
    run(read)
    assert rung == []
