"""Tell how far a job is, at most once a second. The row in the database is what pages read; a terminal is told the same numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from django.utils import timezone

from prm.runs.choices import RunState
from prm.runs.lifecycle import LOG_LIMIT
from prm.runs.models import Run

WRITE_EVERY = 1.0
SHOW_RATE_AFTER = 2.0
SHOW_ETA_AFTER = 5.0


class Cancelled(Exception):
    """Somebody asked the job to stop, and it reached a place where it can."""


class Lost(Exception):
    """Another worker holds the job now; this one must not go on."""


@dataclass(frozen=True)
class Snapshot:
    """How far a job is at one moment."""

    phase: str = ""
    step: int = 0
    steps: int = 0
    done: int = 0
    total: int | None = None
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0

    @property
    def percent(self) -> int | None:
        """Return the whole percent done of this phase, None while the total is unknown."""
        return min(100, self.done * 100 // self.total) if self.total else None

    @property
    def per_second(self) -> int | None:
        """Return the pace of this phase, None until it means something."""
        return int(self.done / self.seconds) if self.seconds >= SHOW_RATE_AFTER else None

    @property
    def seconds_left(self) -> int | None:
        """Return a guess at the rest of this phase: after five seconds or three percent, never before."""
        if not self.total or not self.done or self.done > self.total:
            return None
        if self.seconds < SHOW_ETA_AFTER and self.done * 100 < self.total * 3:
            return None
        return round(self.seconds * (self.total - self.done) / self.done)


class Outlet(Protocol):
    """Somewhere progress is shown besides the database."""

    def show(self, now: Snapshot) -> None:
        """Show the current numbers, as often as suits the outlet."""

    def close(self, now: Snapshot) -> None:
        """Show the numbers a phase ends with."""

    def say(self, line: str) -> None:
        """Show a remark."""


class Reporter:
    """What a job tells its progress to. Without a run (a dry run) only the outlet hears it."""

    def __init__(
        self,
        run: Run | None = None,
        *,
        outlet: Outlet | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.run = run
        self.outlet = outlet
        self.failed_in_all = 0
        self.skipped_in_all = 0
        self._clock = clock
        self._now = Snapshot(steps=len(run.phases) if run is not None else 0)
        self._began = self._written = clock()
        self._phase_at = timezone.now()
        self._lines = run.log_tail.splitlines() if run is not None else []
        self._extra: dict[str, Any] = {}

    @property
    def now(self) -> Snapshot:
        """Return the numbers of this moment."""
        return replace(self._now, seconds=self._clock() - self._began)

    @property
    def extra(self) -> Mapping[str, Any]:
        """Return what the job has put aside for its result."""
        return self._extra

    def phase(self, name: str, *, total: int | None = None, done: int = 0) -> None:
        """Begin a phase of `total` things, of which `done` were done by an earlier attempt."""
        if self.outlet is not None and self._now.phase:
            self.outlet.close(self.now)
        steps = self.run.phases if self.run is not None else []
        step = steps.index(name) + 1 if name in steps else self._now.step + 1
        self._now = Snapshot(phase=name, step=step, steps=max(len(steps), step), total=total, done=done)
        self._began = self._clock()
        self._phase_at = timezone.now()
        self._tell()

    def advance(self, done: int = 1, *, failed: int = 0, skipped: int = 0) -> None:
        """Count things done, and those among them that failed or needed nothing.

        Raises: Cancelled, Lost; the caller lets them pass after its batch is committed.
        """
        now = self._now
        self._now = replace(
            now, done=now.done + done, failed=now.failed + failed, skipped=now.skipped + skipped
        )
        self.failed_in_all += failed
        self.skipped_in_all += skipped
        if self._clock() - self._written >= WRITE_EVERY:
            self._tell()
        elif self.outlet is not None:
            self.outlet.show(self.now)

    def note(self, line: str) -> None:
        """Keep a remark in the log of the run; the last ones are kept, and nothing is written before the next beat."""
        self._lines = [*self._lines, line[:500]][-200:]
        if self.outlet is not None:
            self.outlet.say(line)

    def keep(self, **facts: Any) -> None:
        """Put facts aside for the result, shown however the job ends."""
        self._extra.update(facts)

    def finish(self) -> None:
        """Write the last numbers."""
        if self.outlet is not None and self._now.phase:
            self.outlet.close(self.now)
        self._write()

    def _tell(self) -> None:
        self._written = self._clock()
        if self.outlet is not None:
            self.outlet.show(self.now)
        self._write()
        self._stop_if_asked()

    def _write(self) -> None:
        """Write the numbers, as long as this worker still holds the job."""
        if self.run is None:
            return
        now = self._now
        log = "\n".join(self._lines)[-LOG_LIMIT:]
        held = Run.objects.filter(pk=self.run.pk, owner=self.run.owner, state=RunState.RUNNING).update(
            phase=now.phase,
            phase_started_at=self._phase_at,
            done=now.done,
            total=now.total,
            failed=self.failed_in_all,
            skipped=self.skipped_in_all,
            heartbeat_at=timezone.now(),
            log_tail=log,
        )
        self.run.log_tail = log
        if not held:
            raise Lost(self.run.public_id)

    def _stop_if_asked(self) -> None:
        if self.run is None:
            return
        if Run.objects.filter(pk=self.run.pk, cancel_requested_at__isnull=False).exists():
            raise Cancelled(self.run.public_id)
