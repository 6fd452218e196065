"""Start, claim, end and rescue long jobs. Every move is one conditional UPDATE, so of two workers only one succeeds."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from prm.lib.bell import ring, ring_now
from prm.lib.errors import Refused
from prm.lib.events import announce
from prm.runs import registry
from prm.runs.choices import OPEN_STATES, RunState
from prm.runs.models import SILENCE, Run

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
LOG_LIMIT = 8_000


class AlreadyRunning(Refused):
    """The same job about the same thing is under way."""

    message = _("This is already running.")

    def __init__(self, run: Run | None) -> None:
        super().__init__()
        self.run = run


@dataclass(frozen=True)
class RunEnded:
    """A run came to an end, well or not."""

    run_id: int


def start(
    kind: str,
    *,
    title: str,
    at: datetime,
    by: AbstractBaseUser | None = None,
    subject: str = "",
    phases: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
    inline: bool = False,
) -> Run:
    """Put a job in the queue and ring its worker on commit; the same idempotency key answers with the first job.

    With `inline` the caller works on it itself (a management command): no worker is rung, and none takes it over.

    Raises: AlreadyRunning.
    """
    if idempotency_key is not None:
        earlier = Run.objects.filter(idempotency_key=idempotency_key).first()
        if earlier is not None:
            return earlier
    if subject:
        _give_up_abandoned(kind, subject, at=at)
    try:
        with transaction.atomic():
            run = Run.objects.create(
                kind=kind,
                title=title,
                subject=subject,
                phases=[str(phase) for phase in phases],
                parameters=dict(parameters or {}),
                idempotency_key=idempotency_key,
                is_resumable=not inline,
                created_by_id=by.pk if by is not None else None,
                created_at=at,
            )
    except IntegrityError as error:
        return _lost_the_race(kind, subject, idempotency_key, error)
    if not inline:
        ring_worker(run)
    return run


def ring_worker(run: Run) -> None:
    """Ask the task registered for this kind of run to work on it once the transaction has committed."""
    task_name = registry.task_for(run.kind)
    if task_name is not None:
        ring(task_name, run_id=run.pk)


def claim(run_id: int, *, at: datetime) -> Run | None:
    """Take a waiting or abandoned job for this worker; None when somebody else has it or it has ended."""
    owner = secrets.token_hex(8)
    taken = (
        Run.objects.filter(pk=run_id)
        .claimable(at=at)
        .update(state=RunState.RUNNING, owner=owner, heartbeat_at=at, attempts=F("attempts") + 1)
    )
    if not taken:
        return None
    Run.objects.filter(pk=run_id, started_at=None).update(started_at=at)
    return Run.objects.get(pk=run_id, owner=owner)


def end(
    run: Run, *, state: RunState, at: datetime, result: Mapping[str, Any] | None = None, note: str = ""
) -> bool:
    """Bring the job this worker holds to its end; False when the worker had lost it."""
    log = _tail(run.log_tail, note)
    with transaction.atomic():
        ended = Run.objects.filter(pk=run.pk, owner=run.owner, state=RunState.RUNNING).update(
            state=state, finished_at=at, heartbeat_at=at, result=dict(result or {}), log_tail=log
        )
        if ended:
            announce(RunEnded(run.pk))
    run.refresh_from_db()
    return bool(ended)


def put_back(run: Run, *, at: datetime) -> None:
    """Return the job this worker holds to the queue, for another worker to carry on with."""
    with transaction.atomic():
        back = Run.objects.filter(pk=run.pk, owner=run.owner, state=RunState.RUNNING).update(
            state=RunState.QUEUED, owner="", heartbeat_at=at, attempts=F("attempts") - 1
        )
        if back:
            ring_worker(run)


def request_cancel(run: Run, *, at: datetime) -> bool:
    """Ask a job to stop after its current batch; one that nobody has taken yet stops at once."""
    waiting = Run.objects.filter(pk=run.pk, state=RunState.QUEUED).update(
        state=RunState.CANCELLED, cancel_requested_at=at, finished_at=at
    )
    asked = Run.objects.filter(pk=run.pk, state=RunState.RUNNING, cancel_requested_at=None).update(
        cancel_requested_at=at
    )
    run.refresh_from_db()
    return bool(waiting or asked)


def retry(run: Run, *, at: datetime) -> bool:
    """Hand a job that failed, was stopped or has gone silent to a worker once more; it goes on where it was.

    Raises: AlreadyRunning when the same job was started anew meanwhile.
    """
    again = Q(state__in=(RunState.FAILED, RunState.CANCELLED)) | Q(
        state=RunState.RUNNING, heartbeat_at__lt=at - SILENCE
    )
    try:
        with transaction.atomic():
            back = Run.objects.filter(again, pk=run.pk, is_resumable=True).update(
                state=RunState.QUEUED,
                owner="",
                attempts=0,
                finished_at=None,
                cancel_requested_at=None,
                heartbeat_at=at,
            )
            if back:
                ring_worker(run)
    except IntegrityError as error:
        raise AlreadyRunning(None) from error
    run.refresh_from_db()
    return bool(back)


def sweep(*, at: datetime, limit: int = 100) -> int:
    """Ring again for jobs that nobody works on, and give up those that cannot go on; return how many were touched.

    Rows another transaction holds are passed by: a worker writing its progress is alive.
    """
    touched = 0
    with transaction.atomic():
        silent = (
            Run.objects.silent(at=at).order_by("pk").select_for_update(skip_locked=True, of=("self",))[:limit]
        )
        for run in silent:
            touched += 1
            if not _rescue(run, at=at):
                _give_up(run, at=at)
    return touched


def _rescue(run: Run, *, at: datetime) -> bool:
    """Hand a silent job to its worker again, if there is one and it has not failed too often."""
    task_name = registry.task_for(run.kind)
    if task_name is None or not run.is_resumable or run.attempts >= MAX_ATTEMPTS:
        return False
    # The heartbeat moves so that the next sweeps let the bell be heard first.
    Run.objects.filter(pk=run.pk).update(state=RunState.QUEUED, owner="", heartbeat_at=at)
    transaction.on_commit(lambda: ring_now(task_name, run_id=run.pk), robust=True)
    return True


def _give_up(run: Run, *, at: datetime) -> None:
    """End a job that nobody can carry on with."""
    note = f"Given up after {run.attempts} attempts: whoever worked on it is gone."
    ended = (
        Run.objects.filter(pk=run.pk, state__in=OPEN_STATES, owner=run.owner)
        .silent(at=at)
        .update(state=RunState.FAILED, finished_at=at, log_tail=_tail(run.log_tail, note))
    )
    if ended:
        logger.warning("Run %s (%s) was given up.", run.public_id, run.kind)
        announce(RunEnded(run.pk))


def _give_up_abandoned(kind: str, subject: str, *, at: datetime) -> None:
    """End a command's job whose process is gone, so that it does not stand in the way of the next one."""
    for run in (
        Run.objects.filter(kind=kind, subject=subject, is_resumable=False).silent(at=at).order_by("pk")
    ):
        with transaction.atomic():
            _give_up(run, at=at)


def _lost_the_race(kind: str, subject: str, key: str | None, error: IntegrityError) -> Run:
    """Tell which of the two unique rules refused the new row."""
    first = Run.objects.filter(idempotency_key=key).first() if key is not None else None
    if first is not None:
        return first
    running = Run.objects.open().filter(kind=kind, subject=subject).first() if subject else None
    if running is None:
        raise error
    raise AlreadyRunning(running)


def _tail(log: str, line: str) -> str:
    """Return the end of `log` with `line` after it."""
    return f"{log}\n{line}".strip()[-LOG_LIMIT:]
