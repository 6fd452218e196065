import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery, current_app, shared_task
from django.db import IntegrityError, connection, transaction

from prm.lib.events import subscribed
from prm.runs import lifecycle, registry, tasks
from prm.runs.choices import RunState
from prm.runs.lifecycle import MAX_ATTEMPTS, AlreadyRunning, RunEnded
from prm.runs.models import Run
from tests.factories.prm import NOW, RunFactory, UserFactory

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=61)


@shared_task(name="tests.runs.carry_on")
def carry_on(*, run_id: int) -> None:
    RUNG.append(run_id)


RUNG: list[int] = []


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch, eager_tasks: Celery) -> Iterator[list[int]]:
    """The runs whose worker was rung."""
    monkeypatch.setattr(registry, "_tasks", {"close": "tests.runs.carry_on"})
    current_app.finalize()
    RUNG.clear()
    yield RUNG
    RUNG.clear()


def start(**changes: Any) -> Run:
    return lifecycle.start("close", **{"title": "Close October", "at": NOW, **changes})


def test_starting_puts_a_run_in_the_queue_and_rings_its_worker(
    rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    fiona = UserFactory()
    with django_capture_on_commit_callbacks(execute=True):
        run = start(by=fiona, subject="per_1", phases=("rate", "post"), parameters={"month": "2026-10"})
        assert rung == []
    assert (run.state, run.created_by, run.phases, run.parameters) == (
        RunState.QUEUED,
        fiona,
        ["rate", "post"],
        {"month": "2026-10"},
    )
    assert rung == [run.pk]


def test_the_same_thing_cannot_run_twice_at_once_but_may_again_afterwards() -> None:
    first = start(subject="per_1")
    with pytest.raises(AlreadyRunning) as refused:
        start(subject="per_1")
    assert refused.value.run == first
    assert start(subject="per_2").pk != first.pk

    held = lifecycle.claim(first.pk, at=NOW)
    assert held is not None
    lifecycle.end(held, state=RunState.FINISHED, at=NOW)
    assert start(subject="per_1").pk != first.pk


def test_runs_about_nothing_in_particular_may_stand_side_by_side() -> None:
    assert start().pk != start().pk


def test_an_idempotency_key_answers_with_the_first_run() -> None:
    assert start(idempotency_key="a") == start(idempotency_key="a", title="Other")
    assert Run.objects.count() == 1


def test_a_run_is_claimed_by_one_worker_only() -> None:
    run = start()
    held = lifecycle.claim(run.pk, at=NOW)

    assert held is not None
    assert (held.state, held.attempts, held.started_at) == (RunState.RUNNING, 1, NOW)
    assert lifecycle.claim(run.pk, at=NOW + timedelta(seconds=59)) is None


def test_a_run_whose_worker_is_silent_is_taken_over_and_the_first_worker_has_lost_it() -> None:
    run = start()
    first = lifecycle.claim(run.pk, at=NOW)
    second = lifecycle.claim(run.pk, at=LATER)

    assert first is not None
    assert second is not None
    assert (second.attempts, second.started_at) == (2, NOW)
    assert not lifecycle.end(first, state=RunState.FINISHED, at=LATER)
    assert Run.objects.get(pk=run.pk).state == RunState.RUNNING
    assert lifecycle.end(second, state=RunState.FINISHED, at=LATER)


def test_the_end_is_announced_once(django_capture_on_commit_callbacks: Any) -> None:
    heard: list[RunEnded] = []
    run = start()
    held = lifecycle.claim(run.pk, at=NOW)
    assert held is not None
    with subscribed(RunEnded, heard.append), django_capture_on_commit_callbacks(execute=True):
        lifecycle.end(held, state=RunState.FINISHED, at=NOW, result={"lines": 3})
        lifecycle.end(held, state=RunState.FAILED, at=NOW)
    assert heard == [RunEnded(run.pk)]
    assert Run.objects.get(pk=run.pk).result == {"lines": 3}


def test_a_run_nobody_took_stops_at_once_and_one_at_work_is_asked() -> None:
    waiting, working = start(), start()
    held = lifecycle.claim(working.pk, at=NOW)
    assert held is not None

    assert lifecycle.request_cancel(waiting, at=NOW)
    assert lifecycle.request_cancel(held, at=NOW)
    assert not lifecycle.request_cancel(held, at=NOW)
    assert waiting.state == RunState.CANCELLED
    assert (held.state, held.cancel_requested_at) == (RunState.RUNNING, NOW)


class TestSweep:
    def test_a_silent_run_is_handed_to_its_worker_again(
        self, rung: list[int], django_capture_on_commit_callbacks: Any
    ) -> None:
        run = start(at=NOW)
        lifecycle.claim(run.pk, at=NOW)
        with django_capture_on_commit_callbacks(execute=True):
            assert lifecycle.sweep(at=NOW + timedelta(seconds=60)) == 0
            assert lifecycle.sweep(at=LATER) == 1
            assert lifecycle.sweep(at=LATER + timedelta(seconds=30)) == 0
        run.refresh_from_db()
        assert (run.state, rung) == (RunState.QUEUED, [run.pk])

    def test_a_run_whose_bell_was_lost_is_rung_again(
        self, rung: list[int], django_capture_on_commit_callbacks: Any
    ) -> None:
        run = start()
        with django_capture_on_commit_callbacks(execute=True):
            lifecycle.sweep(at=LATER)
        assert rung == [run.pk]

    def test_a_run_that_kills_its_workers_is_given_up(self, rung: list[int]) -> None:
        run, at = start(), NOW
        for _attempt in range(MAX_ATTEMPTS):
            assert lifecycle.claim(run.pk, at=at) is not None
            at += timedelta(seconds=61)
        lifecycle.sweep(at=at)
        run.refresh_from_db()
        assert (run.state, run.finished_at, run.attempts) == (RunState.FAILED, at, MAX_ATTEMPTS)
        assert "Given up" in run.log_tail

    def test_a_command_whose_process_is_gone_is_given_up_and_does_not_stand_in_the_way(
        self, rung: list[int]
    ) -> None:
        gone = start(subject="per_1", inline=True)
        lifecycle.claim(gone.pk, at=NOW)
        with pytest.raises(AlreadyRunning):
            start(subject="per_1", at=NOW + timedelta(seconds=30))

        start(subject="per_1", at=LATER)
        gone.refresh_from_db()
        assert gone.state == RunState.FAILED
        assert rung == []

    def test_a_worker_never_takes_over_a_command(self) -> None:
        run = start(inline=True)
        assert lifecycle.claim(run.pk, at=NOW) is not None
        assert lifecycle.claim(run.pk, at=LATER) is None

    def test_the_task_sweeps(self, rung: list[int]) -> None:
        RunFactory()
        assert tasks.sweep() == 1


class TestRetry:
    def test_a_failed_run_goes_on_where_it_was(
        self, rung: list[int], django_capture_on_commit_callbacks: Any
    ) -> None:
        run = start()
        held = lifecycle.claim(run.pk, at=NOW)
        assert held is not None
        lifecycle.end(held, state=RunState.FAILED, at=NOW)
        with django_capture_on_commit_callbacks(execute=True):
            assert lifecycle.retry(run, at=LATER)
        assert (run.state, run.finished_at, run.attempts, rung) == (RunState.QUEUED, None, 0, [run.pk])

    def test_a_finished_run_is_not_repeated(self) -> None:
        run = RunFactory(state=RunState.FINISHED, finished_at=NOW)
        assert not lifecycle.retry(run, at=LATER)
        assert run.state == RunState.FINISHED

    def test_a_run_that_was_started_anew_meanwhile_is_refused(self) -> None:
        old = RunFactory(state=RunState.FAILED, finished_at=NOW, subject="per_1")
        RunFactory(subject="per_1")
        with pytest.raises(AlreadyRunning):
            lifecycle.retry(old, at=LATER)
        old.refresh_from_db()
        assert old.state == RunState.FAILED


def test_a_kind_belongs_to_one_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_tasks", {})
    registry.register("close", "a.b")
    registry.register("close", "a.b")
    with pytest.raises(ValueError, match="belong to"):
        registry.register("close", "c.d")
    assert registry.task_for("close") == "a.b"
    assert registry.task_for("other") is None


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("runs_run_state_known", {"state": "lost", "finished_at": NOW}),
        ("runs_run_done_not_negative", {"done": -1}),
        ("runs_run_failed_not_negative", {"failed": -1}),
        ("runs_run_skipped_not_negative", {"skipped": -1}),
        ("runs_run_finished_at_matches_state", {"state": "finished"}),
        ("runs_run_finished_at_matches_state", {"finished_at": NOW}),
    ],
)
def test_the_database_refuses(constraint: str, change: dict[str, Any]) -> None:
    run = RunFactory()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(**change)
    run.refresh_from_db()
    assert (run.state, run.done, run.finished_at) == (RunState.QUEUED, 0, None)


def test_runs_run_idempotency_key_unique_refuses_a_key_twice() -> None:
    RunFactory(idempotency_key="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        RunFactory(idempotency_key="a")
    assert Run.objects.count() == 1


def test_runs_run_one_open_per_subject_refuses_a_second_open_run() -> None:
    RunFactory(subject="per_1")
    RunFactory(subject="per_1", state=RunState.FAILED, finished_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        RunFactory(subject="per_1")
    assert Run.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_at_once_one_gets_the_run() -> None:
    run, together, got = RunFactory(), threading.Barrier(8), []

    def reach() -> None:
        together.wait()
        try:
            got.append(lifecycle.claim(run.pk, at=NOW))
        finally:
            connection.close()

    workers = [threading.Thread(target=reach) for _index in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len([held for held in got if held is not None]) == 1
    assert Run.objects.get().attempts == 1
