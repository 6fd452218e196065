"""Know which task carries on which kind of run. Downstream apps register here (in `prm/wiring.py`), so runs know nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prm.runs.models import Run

_tasks: dict[str, str] = {}
_addresses: dict[str, Callable[[Run], str]] = {}


def register(kind: str, task_name: str) -> None:
    """Let runs of `kind` be worked on by the Celery task `task_name`, which takes `run_id`."""
    if _tasks.setdefault(kind, task_name) != task_name:
        raise ValueError(f"Runs of kind {kind!r} already belong to {_tasks[kind]}.")


def task_for(kind: str) -> str | None:
    """Return the task for `kind`, or None when such runs are only worked on by the command that starts them."""
    return _tasks.get(kind)


def learn_address(kind: str, address: Callable[[Run], str]) -> None:
    """Let what came of runs of `kind` be shown on a page of their own."""
    _addresses[kind] = address


def address_of(run: Run) -> str:
    """Return where what came of a run is shown, nothing when it has no page of its own."""
    return _addresses[run.kind](run) if run.kind in _addresses else ""
