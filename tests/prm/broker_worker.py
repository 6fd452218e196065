"""A small Celery app on the file broker, started as a process of its own by the broker's tests. Arguments: file, journal, then
`worker`, `publish PREFIX COUNT`.
"""

from __future__ import annotations

import os
import sys
import time

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

TRANSPORT_ALIASES["sqlitefile"] = "prm.broker:Transport"
FILE, JOURNAL = sys.argv[1], sys.argv[2]

app = Celery("broker_worker", broker="sqlitefile://localhost")
app.conf.update(
    broker_transport_options={"path": FILE, "polling_interval": 0.02},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
    timezone="UTC",
)


def note(word: str) -> None:
    # One short write in append mode is atomic: lines of several processes do not mix.
    with open(JOURNAL, "a", buffering=1) as journal:
        journal.write(f"{word} {os.getpid()}\n")


@app.task(name="mark")
def mark(*, word: str, seconds: float = 0.0) -> None:
    note(f"began-{word}")
    time.sleep(seconds)
    note(f"ended-{word}")


if __name__ == "__main__":
    if sys.argv[3] == "worker":
        app.worker_main(
            [
                "worker",
                "--pool",
                "threads",
                "-c",
                "2",
                "-l",
                "error",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            ]
        )
    else:
        for number in range(int(sys.argv[5])):
            mark.delay(word=f"{sys.argv[4]}{number}")
