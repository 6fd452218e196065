import io
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError
from django.utils import timezone

from prm.lib.errors import Refused
from prm.runs import lifecycle, working
from prm.runs.choices import RunState
from prm.runs.models import Run
from prm.runs.progress import Cancelled, Lost, Reporter, Snapshot
from prm.runs.terminal import Bar, Lines, bar, clock_text, figures
from tests.factories.prm import NOW, RunFactory


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def snap(**values: Any) -> Snapshot:
    return Snapshot(**{"phase": "reading", "done": 8412, "total": 11090, "seconds": 40.0, **values})


@pytest.mark.parametrize(
    ("now", "text"),
    [
        # 8412/40 s = 210/s; 2678 left at 210.3/s = 12.7 s.
        (snap(failed=3), "8,412/11,090   75 %  210/s  eta 0:13  failed 3"),
        (snap(done=11090), "11,090/11,090  100 %  277/s"),
        (snap(total=None), "8,412  210/s"),
        (snap(total=0, done=0, seconds=0.0), "0/0"),
        # 1 of 11090 after two seconds: below 3 % and below five seconds, so no guess.
        (snap(done=1, seconds=2.0, skipped=1), "1/11,090    0 %  0/s  skipped 1"),
        (snap(done=12000), "12,000/11,090  100 %  300/s"),
    ],
)
def test_figures_of_a_phase(now: Snapshot, text: str) -> None:
    assert figures(now) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (13, "0:13"), (754, "12:34"), (3725, "1:02:05")])
def test_spans_read_like_a_clock(seconds: int, text: str) -> None:
    assert clock_text(seconds) == text


def test_a_bar_is_filled_by_the_percent() -> None:
    assert bar(snap(done=50, total=100, seconds=1.0)).startswith("reading [##########----------] 50/100")


def test_a_terminal_sees_one_bar_per_phase_drawn_over_itself() -> None:
    stream, clock = io.StringIO(), Clock()
    outlet = Bar(stream, clock=clock)
    outlet.show(snap(done=1))
    outlet.show(snap(done=2))
    clock.seconds = 0.2
    outlet.show(snap(done=3))
    outlet.close(snap(done=4))
    written = stream.getvalue()
    assert written.count("\r") == 3
    assert "2/11,090" not in written
    assert written.endswith("\n")


def test_a_log_sees_a_line_every_ten_seconds_and_one_at_the_end() -> None:
    stream, clock = io.StringIO(), Clock()
    outlet = Lines(stream, clock=clock)
    for second in range(25):
        clock.seconds = float(second)
        outlet.show(snap(done=second, seconds=1.0))
    outlet.close(snap(done=25, seconds=25.0))
    lines = stream.getvalue().splitlines()
    assert [line.split("/")[0] for line in lines] == ["reading: 10", "reading: 20", "reading: 25"]
    assert lines[-1].endswith("in 25.0 s")


@pytest.mark.django_db
class TestReporter:
    @pytest.fixture
    def run(self) -> Run:
        run = lifecycle.claim(RunFactory(phases=["reading", "writing"]).pk, at=timezone.now())
        assert run is not None
        return run

    def test_the_row_is_written_at_most_once_a_second(self, run: Run, django_assert_num_queries: Any) -> None:
        clock = Clock()
        reporter = Reporter(run, clock=clock)
        reporter.phase("reading", total=1000)
        with django_assert_num_queries(0):
            for _row in range(500):
                reporter.advance()
        clock.seconds = 1.0
        with django_assert_num_queries(2):
            reporter.advance(failed=1, skipped=2)
        stored = Run.objects.get()
        assert (stored.phase, stored.done, stored.total, stored.failed, stored.skipped) == (
            "reading",
            501,
            1000,
            1,
            2,
        )

    def test_failures_add_up_over_phases_while_counts_begin_anew(self, run: Run) -> None:
        reporter = Reporter(run)
        reporter.phase("reading", total=3)
        reporter.advance(3, failed=2)
        reporter.phase("writing", total=1)
        assert (reporter.now.step, reporter.now.steps, reporter.now.done) == (2, 2, 0)
        reporter.advance(failed=1)
        reporter.finish()
        stored = Run.objects.get()
        assert (stored.phase, stored.done, stored.failed) == ("writing", 1, 3)

    def test_being_asked_to_stop_is_noticed_at_the_next_beat(self, run: Run) -> None:
        clock = Clock()
        reporter = Reporter(run, clock=clock)
        lifecycle.request_cancel(run, at=NOW)
        reporter.advance()
        clock.seconds = 1.0
        with pytest.raises(Cancelled):
            reporter.advance()

    def test_a_worker_that_lost_the_run_is_stopped_and_writes_nothing(self, run: Run) -> None:
        clock = Clock()
        reporter = Reporter(run, clock=clock)
        Run.objects.update(owner="somebody else")
        clock.seconds = 1.0
        with pytest.raises(Lost):
            reporter.advance(7)
        assert Run.objects.get().done == 0

    def test_without_a_run_only_the_outlet_hears(self, django_assert_num_queries: Any) -> None:
        stream = io.StringIO()
        with django_assert_num_queries(0):
            reporter = Reporter(outlet=Lines(stream))
            reporter.phase("reading", total=2)
            reporter.advance(2)
            reporter.note("one remark")
            reporter.finish()
        assert stream.getvalue().splitlines()[0] == "one remark"
        assert "2/2" in stream.getvalue()

    def test_the_log_keeps_its_end(self, run: Run) -> None:
        reporter = Reporter(run)
        for number in range(300):
            reporter.note(f"line {number} " + "x" * 1000)
        reporter.finish()
        log = Run.objects.get().log_tail
        assert len(log) <= lifecycle.LOG_LIMIT
        assert "line 299" in log


@pytest.mark.django_db
class TestWorking:
    def test_the_result_of_the_job_is_kept(self) -> None:
        run = working.work(RunFactory().pk, lambda run, reporter: {"title": run.title})
        assert run is not None
        assert (run.state, run.result) == (RunState.FINISHED, {"title": "Close October 2026"})

    def test_rows_that_failed_are_said_in_the_state(self) -> None:
        def job(run: Run, reporter: Reporter) -> None:
            reporter.phase("reading", total=2)
            reporter.advance(2, failed=1)

        run = working.work(RunFactory().pk, job)
        assert run is not None
        assert run.state == RunState.FINISHED_WITH_ERRORS

    def test_a_second_worker_does_nothing(self) -> None:
        row, calls = RunFactory(), []
        working.work(row.pk, lambda run, reporter: calls.append(1))
        assert working.work(row.pk, lambda run, reporter: calls.append(2)) is None
        assert calls == [1]

    def test_a_refusal_ends_the_run_with_its_words(self) -> None:
        def job(run: Run, reporter: Reporter) -> None:
            reporter.keep(read=7)
            raise Refused("The month is closed.", code="closed")

        run = working.work(RunFactory().pk, job)
        assert run is not None
        assert (run.state, run.result) == (RunState.FAILED, {"read": 7, "refused": "closed"})
        assert run.log_tail == "The month is closed."

    def test_an_error_ends_the_run_without_its_text_and_passes_on(self) -> None:
        def job(run: Run, reporter: Reporter) -> None:
            raise ValueError("secret in row 7")

        row = RunFactory()
        with pytest.raises(ValueError, match="row 7"):
            working.work(row.pk, job)
        row.refresh_from_db()
        assert row.state == RunState.FAILED
        assert row.log_tail == "Stopped by an error (ValueError)."

    def test_a_database_that_is_away_leaves_the_run_to_the_sweep(self) -> None:
        def job(run: Run, reporter: Reporter) -> None:
            raise OperationalError("server closed the connection")

        row = RunFactory()
        with pytest.raises(OperationalError):
            working.work(row.pk, job)
        row.refresh_from_db()
        assert row.state == RunState.RUNNING

    def test_a_worker_told_to_stop_puts_the_run_back_without_counting_it_against_the_run(self) -> None:
        def job(run: Run, reporter: Reporter) -> None:
            raise SoftTimeLimitExceeded

        run = working.work(RunFactory().pk, job)
        assert run is not None
        run.refresh_from_db()
        assert (run.state, run.attempts, run.owner) == (RunState.QUEUED, 0, "")

    def test_an_interrupted_command_is_cancelled(self) -> None:
        def job(reporter: Reporter) -> None:
            raise KeyboardInterrupt

        row = RunFactory(is_resumable=False)
        with pytest.raises(KeyboardInterrupt):
            working.work_here(row, job)
        row.refresh_from_db()
        assert (row.state, row.log_tail) == (RunState.CANCELLED, "Interrupted.")
