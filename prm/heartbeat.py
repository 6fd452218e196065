"""Record and judge signs of life of worker, beat and the round between them. A process older than `LIMIT` counts as gone."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from datetime import datetime, timedelta
from typing import Any

from celery.beat import PersistentScheduler
from celery.signals import worker_ready, worker_shutting_down
from django.db import Error, connection
from django.utils import timezone

log = logging.getLogger(__name__)
EVERY = 20.0
LIMIT = timedelta(seconds=120)
ROUND = "round"  # beat rang, the broker carried it, a worker answered and the database took the row


def beat(name: str, *, at: datetime) -> None:
    """Record that `name` was alive at `at`."""
    from prm.models import Heartbeat

    Heartbeat.objects.update_or_create(name=name, defaults={"seen_at": at})


def is_alive(name: str, *, at: datetime) -> bool:
    """Tell whether `name` showed itself lately."""
    from prm.models import Heartbeat

    return Heartbeat.objects.filter(name=name, seen_at__gt=at - LIMIT).exists()


def process_name(kind: str) -> str:
    """Return the name of this machine's process of that kind."""
    return f"{kind}@{socket.gethostname()}"[:120]


def _try_beat(name: str) -> None:
    # A heart must not stop because the database paused: the age of the row tells the story.
    try:
        beat(name, at=timezone.now())
    except Error as error:
        log.warning("no heartbeat for %s: %s", name, error)
        with contextlib.suppress(Error):
            connection.close()


class Scheduler(PersistentScheduler):
    """Celery's own scheduler, which also shows that it is alive."""

    _shown = 0.0
    max_interval = 10

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Ring what is due, and show a sign of life now and then."""
        if time.monotonic() - self._shown > EVERY or not self._shown:
            self._shown = time.monotonic()
            _try_beat(process_name("beat"))
        return super().tick(*args, **kwargs)


_stop = threading.Event()


@worker_ready.connect
def _start(**_: Any) -> None:
    _stop.clear()
    threading.Thread(target=_pulse, daemon=True, name="heartbeat").start()


@worker_shutting_down.connect
def _end(**_: Any) -> None:
    _stop.set()


def _pulse() -> None:
    while True:
        _try_beat(process_name("worker"))
        if _stop.wait(EVERY):
            break
    connection.close()
