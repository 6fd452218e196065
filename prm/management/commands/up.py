"""Bring the whole site up on this machine: schema, static files, demo data, web, worker and beat. It is safe to run again and again,
and only one of it runs in one folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import os
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from prm import env, heartbeat
from prm.models import Heartbeat
from prm.processes import Supervisor, child_setup

ALREADY_RUNNING = 4
PORTS_TO_TRY = 20
WORKER_PATIENCE = timedelta(seconds=20)


class Command(BaseCommand):
    help = "Prepare the database and run web server, worker and beat until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--bind", default=env.text("PRM_BIND", "127.0.0.1:8000"), help="address:port to listen on"
        )
        parser.add_argument(
            "--no-demo", action="store_true", help="do not load demo data into an empty database"
        )
        parser.add_argument(
            "--prepare-only", action="store_true", help="stop before the processes are started"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, run, and end with the supervisor's exit code."""
        began = time.monotonic()
        host, port = parse_bind(options["bind"])
        # Held until the process ends: two sites in one folder would share a broker and a schedule.
        lock = self._take_lock(Path(settings.VAR))
        with lock:
            try:
                self._prepare(with_demo=not options["no_demo"])
            except KeyboardInterrupt:
                raise CommandError(
                    "Stopped while preparing; the next start goes on from here.", returncode=130
                ) from None
            if options["prepare_only"]:
                return
            port = free_port(host, port)
            sys.exit(self._run(host, port, began))

    def _take_lock(self, var: Path) -> TextIO:
        var.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (var / "up.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"It is already running in {var}.", returncode=ALREADY_RUNNING) from None
        return lock

    def _prepare(self, *, with_demo: bool) -> None:
        call_command("check", stdout=StringIO())
        self._say("schema")
        call_command("migrate", interactive=False, verbosity=0)
        if static_files_changed():
            self._say("static files")
            call_command("collectstatic", interactive=False, verbosity=0, clear=True)
            remember_static_files()
        if with_demo and "demo" in get_commands() and is_empty():
            self._say("demo data (only the first time)")
            self._load_demo()

    def _load_demo(self) -> None:
        """Build the demo beside the database and put it in place when it is whole: half a demo is never left behind."""
        ours, building = Path(settings.VAR) / "prm.sqlite3", Path(settings.VAR) / "building.sqlite3"
        is_ours = settings.DATABASES["default"]["NAME"] == str(ours)
        env = child_env("")
        if is_ours:
            remove_sqlite(building)
            env["DATABASE_URL"] = f"sqlite:///{building}"
            self._manage(env, "migrate", "--verbosity", "0")
        # A process of its own gives its memory back before the site starts.
        self._manage(env, "demo")
        logins = self._manage(env, "demo", "--logins", capture=True)
        (Path(settings.VAR) / "demo_logins.txt").write_text(logins, encoding="utf-8")
        if is_ours:
            connection.close()
            remove_sqlite(ours)
            building.replace(ours)

    def _manage(self, env: dict[str, str], *arguments: str, capture: bool = False) -> str:
        command = [sys.executable, "manage.py", *arguments]
        pipe = subprocess.PIPE if capture else None
        done = subprocess.run(
            command,
            cwd=settings.BASE_DIR,
            env=env,
            stdout=pipe,
            text=True,
            check=False,
            preexec_fn=child_setup,
        )
        if done.returncode:
            raise CommandError(f"manage.py {arguments[0]} ended with exit code {done.returncode}.")
        return done.stdout or ""

    def _run(self, host: str, port: int, began: float) -> int:
        shown_host = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104  only compared
        address = os.environ.get("SITE_URL") or f"http://{shown_host}:{port}"
        site = Supervisor(commands(host, port), env=child_env(address))
        started_at = timezone.now()
        ready = {"shown": False}

        def show_when_ready() -> None:
            if not ready["shown"] and answers(shown_host, port) and works(started_at):
                ready["shown"] = True
                self._say(f"ready after {time.monotonic() - began:.1f} s")
                self._welcome(address)

        code = site.run(on_tick=show_when_ready)
        self._say("stopped")
        return code

    def _welcome(self, address: str) -> None:
        self._say("")
        self._say(f"Open  {address}/")
        with contextlib.suppress(FileNotFoundError):
            for line in (Path(settings.VAR) / "demo_logins.txt").read_text(encoding="utf-8").splitlines():
                self._say(line)
        if "filebased" in settings.EMAIL_BACKEND:
            self._say(f"Mails are written to {settings.EMAIL_FILE_PATH}. Stop with Ctrl-C; the data stays.")

    def _say(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.stdout.write(f"    up | {line}")
            self.stdout.flush()


def parse_bind(text: str) -> tuple[str, int]:
    """Return host and port of `host:port`.

    Raises: CommandError.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise CommandError(
            f"--bind (PRM_BIND) must be address:port, such as 127.0.0.1:8000, not {text!r}.", returncode=2
        )
    return host.strip("[]"), int(port)


def free_port(host: str, first: int) -> int:
    """Return the first port from `first` on that nobody listens on.

    Raises: CommandError.
    """
    for port in range(first, min(first + PORTS_TO_TRY, 65536)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except PermissionError:
                raise CommandError(f"This account may not listen on port {port}.") from None
            except OSError:
                continue
            return port
    raise CommandError(f"No free port on {host} from {first} on.")


def commands(host: str, port: int) -> dict[str, list[str]]:
    """Return the command line of each process."""
    python, var = sys.executable, Path(settings.VAR)
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    celery = [python, "-m", "celery", "-q", "-A", "prm"]
    web = [
        "--log-level",
        "warning",
        "-b",
        bind,
        "-w",
        "1",
        "--threads",
        "8",
        "--graceful-timeout",
        "5",
        "--limit-request-line",
        "8190",
    ]
    quiet = ["-l", "warning", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return {
        # One process with threads: the in-memory cache of the embedded default is then everybody's cache.
        # --preload reads the settings once in the parent, so that wrong ones end it instead of restarting workers for ever.
        "web": [python, "-m", "gunicorn", "prm.wsgi:application", "--preload", "--no-control-socket", *web],
        "worker": [*celery, "worker", "--pool", "threads", "-c", "2", *quiet],
        "beat": [*celery, "beat", "-l", "warning", "-s", str(var / "beat"), "--pidfile="],
    }


def child_env(address: str) -> dict[str, str]:
    """Return the environment of the children: second factors are not asked for on a first look around."""
    ours = {
        "PYTHONUNBUFFERED": "1",
        "PRM_LOG_LEVEL": "WARNING",
        "PYTHONWARNINGS": "ignore:You're running the worker",
    }
    if settings.EMBEDDED:
        ours["PRM_STAFF_MFA"] = "off"
    if address:
        ours["SITE_URL"] = address
    return {**ours, **os.environ}


def is_empty() -> bool:
    """Tell whether no program has been made yet."""
    return not apps.get_model("tiers", "Program").objects.exists()


def remove_sqlite(file: Path) -> None:
    """Remove a database file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def answers(host: str, port: int) -> bool:
    """Tell whether the web server serves pages."""
    web = http.client.HTTPConnection(host, port, timeout=1)
    try:
        web.request("GET", "/livez")
        return web.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        web.close()


def works(since: datetime) -> bool:
    """Tell whether this machine's worker has shown itself since then, or has had long enough to do so."""
    seen = Heartbeat.objects.filter(name=heartbeat.process_name("worker"), seen_at__gte=since).exists()
    connection.close()
    return seen or timezone.now() > since + WORKER_PATIENCE


def static_fingerprint() -> str:
    """Return a short text that changes whenever a static file does."""
    digest = hashlib.sha256()
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name}:{found.st_size}:{found.st_mtime_ns};".encode())
    return digest.hexdigest()


def static_files_changed() -> bool:
    """Tell whether static files must be collected again: hashing and packing them takes seconds, this a blink."""
    mark, manifest = static_mark(), Path(settings.STATIC_ROOT) / "staticfiles.json"
    return not (
        mark.is_file() and manifest.is_file() and mark.read_text(encoding="ascii") == static_fingerprint()
    )


def remember_static_files() -> None:
    """Note which static files were collected."""
    static_mark().write_text(static_fingerprint(), encoding="ascii")


def static_mark() -> Path:
    """Return the file that holds the fingerprint."""
    return Path(settings.VAR) / "static.fingerprint"
