"""Say how far a run is in words and numbers a page can print. The same numbers the terminal shows, read from the same row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prm.runs import registry
from prm.runs.choices import RunState
from prm.runs.models import Run
from prm.runs.progress import Snapshot

OFTEN_FOR = timedelta(minutes=2)


def snapshot(run: Run) -> Snapshot:
    """Return the numbers of `run` as of its last sign of life."""
    seconds = 0.0
    if run.heartbeat_at is not None and run.phase_started_at is not None:
        seconds = (run.heartbeat_at - run.phase_started_at).total_seconds()
    return Snapshot(
        phase=run.phase,
        step=run.phases.index(run.phase) + 1 if run.phase in run.phases else 0,
        steps=len(run.phases),
        done=run.done,
        total=run.total,
        failed=run.failed,
        skipped=run.skipped,
        seconds=seconds,
    )


def time_left_text(seconds: int | None) -> str:
    """Return "about 40 seconds left", nothing while it is anybody's guess."""
    if not seconds:
        return ""
    if seconds < 60:
        rounded = max(5, round(seconds / 5) * 5)
        return ngettext("about %(count)s second left", "about %(count)s seconds left", rounded) % {
            "count": rounded
        }
    minutes = round(seconds / 60)
    return ngettext("about %(count)s minute left", "about %(count)s minutes left", minutes) % {
        "count": minutes
    }


def context(run: Run, *, at: datetime) -> dict[str, Any]:
    """Return what `components/progress_card.html` asks for."""
    return {
        "run": run,
        "stalled": run.is_silent(at=at),
        "time_left": time_left_text(snapshot(run).seconds_left) if run.state == RunState.RUNNING else "",
        "poll_url": reverse("admin:runs_run_card", args=[run.public_id]),
        "poll_seconds": 2 if run.created_at > at - OFTEN_FOR else 10,
        "retry_url": reverse("admin:runs_run_retry", args=[run.public_id]) if can_retry(run, at=at) else "",
        "result_url": registry.address_of(run),
        "cancel_url": reverse("admin:runs_run_cancel", args=[run.public_id]) if can_cancel(run) else "",
    }


def as_json(run: Run, *, at: datetime) -> dict[str, Any]:
    """Return the progress of `run` as plain values."""
    now = snapshot(run)
    return {
        "id": run.public_id,
        "kind": run.kind,
        "title": run.title,
        "state": run.state,
        "phase": now.phase,
        "step": now.step,
        "steps": now.steps,
        "done": now.done,
        "total": now.total,
        "percent": now.percent,
        "failed": now.failed,
        "skipped": now.skipped,
        "per_second": now.per_second,
        "seconds_left": now.seconds_left,
        "stalled": run.is_silent(at=at),
        "result": run.result,
    }


def announcement(run: Run) -> str:
    """Return the sentence a screen reader hears: it changes with the phase and every ten percent, not with each row."""
    percent = snapshot(run).percent
    if not run.is_open or percent is None:
        return str(run.get_state_display())
    return _("%(phase)s: %(percent)s %%") % {"phase": run.phase, "percent": percent // 10 * 10}


def can_cancel(run: Run) -> bool:
    """Say whether asking the job to stop would do anything."""
    return run.is_open and run.cancel_requested_at is None


def can_retry(run: Run, *, at: datetime) -> bool:
    """Say whether a worker could carry on with a job that failed, was stopped or has gone silent."""
    return run.is_resumable and (run.state in (RunState.FAILED, RunState.CANCELLED) or run.is_silent(at=at))
