"""Know which task carries on which kind of run. Downstream apps register here (in `prm/wiring.py`), so runs know nobody."""

from __future__ import annotations

_tasks: dict[str, str] = {}


def register(kind: str, task_name: str) -> None:
    """Let runs of `kind` be worked on by the Celery task `task_name`, which takes `run_id`."""
    if _tasks.setdefault(kind, task_name) != task_name:
        raise ValueError(f"Runs of kind {kind!r} already belong to {_tasks[kind]}.")


def task_for(kind: str) -> str | None:
    """Return the task for `kind`, or None when such runs are only worked on by the command that starts them."""
    return _tasks.get(kind)
