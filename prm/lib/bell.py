"""Ring a worker by the name of its task. A bell makes things quick and never certain: whoever rings has a sweep behind it.

A broker that is down is no reason to fail: the work waits in the database for the sweep.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)


def ring(task_name: str, **kwargs: Any) -> None:
    """Ask a worker to run `task_name` with `kwargs` once the current transaction has committed."""
    transaction.on_commit(lambda: ring_now(task_name, **kwargs))


def ring_now(task_name: str, **kwargs: Any) -> bool:
    """Ask a worker to run `task_name` at once; say whether the broker took the message."""
    if current_app.conf.task_always_eager:
        current_app.tasks[task_name].apply(kwargs=kwargs, throw=current_app.conf.task_eager_propagates)
        return True
    try:
        current_app.send_task(task_name, kwargs=kwargs, retry=False, ignore_result=True)
    except Exception:  # the broker's client raises whatever its transport raises
        logger.warning("Could not ring %s; the sweep will find the work.", task_name, exc_info=True)
        return False
    return True
