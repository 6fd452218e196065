"""Do the work of a run from claim to end. However the job ends, the row says so, and a job that was interrupted goes on later."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from prm.lib.errors import Refused
from prm.runs import lifecycle
from prm.runs.choices import RunState
from prm.runs.models import Run
from prm.runs.progress import Cancelled, Lost, Outlet, Reporter

logger = logging.getLogger(__name__)

Job = Callable[[Reporter], Mapping[str, Any] | None]


def work(run_id: int, job: Callable[[Run, Reporter], Mapping[str, Any] | None]) -> Run | None:
    """Let a worker do `job`; None when another one has the run. This is the one call of a task.

    A refusal ends the run as failed with its words. A database that is away, or a worker told to stop, leaves the run
    for the next worker: `job` is written to be safe to repeat.
    """
    run = lifecycle.claim(run_id, at=timezone.now())
    if run is None:
        return None
    try:
        _do(run, lambda reporter: job(run, reporter), outlet=None)
    except Lost:
        logger.warning("Run %s was taken over by another worker.", run.public_id)
    except SoftTimeLimitExceeded:
        lifecycle.put_back(run, at=timezone.now())
    except Refused as refusal:
        logger.info("Run %s was refused: %s", run.public_id, refusal)
    return run


def work_here(run: Run, job: Job, *, outlet: Outlet | None = None) -> Run:
    """Do `job` in this process, as a management command does; what it raises passes on to the caller.

    Raises: AlreadyRunning, Refused, whatever `job` raises.
    """
    held = lifecycle.claim(run.pk, at=timezone.now())
    if held is None:
        raise lifecycle.AlreadyRunning(run)
    try:
        _do(held, job, outlet=outlet)
    except KeyboardInterrupt:
        _end(held, RunState.CANCELLED, note="Interrupted.")
        raise
    return held


def _do(run: Run, job: Job, *, outlet: Outlet | None) -> None:
    reporter = Reporter(run, outlet=outlet)
    try:
        result = job(reporter)
        reporter.finish()
    except Cancelled:
        _end(run, RunState.CANCELLED, note="Stopped on request.", result=reporter.extra)
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded, Lost):
        raise
    except Refused as refusal:
        _end(run, RunState.FAILED, note=str(refusal), result={**reporter.extra, "refused": refusal.code})
        raise
    except Exception as error:
        # The kind of error only: its text may carry what a stranger put in a file.
        _end(
            run, RunState.FAILED, note=f"Stopped by an error ({type(error).__name__}).", result=reporter.extra
        )
        raise
    else:
        state = RunState.FINISHED_WITH_ERRORS if reporter.failed_in_all else RunState.FINISHED
        _end(run, state, result={**reporter.extra, **(result or {})})


def _end(run: Run, state: RunState, *, note: str = "", result: Mapping[str, Any] | None = None) -> None:
    lifecycle.end(run, state=state, at=timezone.now(), result=result, note=note)
