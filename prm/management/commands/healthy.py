"""Tell a container runtime whether one process of ours is well. The exit code is the answer: 0 well, 1 not."""

from __future__ import annotations

import http.client
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from prm import heartbeat


class Command(BaseCommand):
    help = "Exit with 0 when this machine's web server, worker or beat is well, with 1 when it is not."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("process", choices=["web", "worker", "beat"])
        parser.add_argument("--port", type=int, default=8000, help="port of the web server")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask the process, or the row it keeps fresh."""
        process = options["process"]
        is_well = web_is_ready(options["port"]) if process == "web" else process_is_alive(process)
        if not is_well:
            raise CommandError(f"{process} is not well.")
        self.stdout.write("ok")


def web_is_ready(port: int) -> bool:
    """Tell whether the web server on this machine says that it is ready."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=8)
    try:
        # The site refuses names it does not know, so the question carries its own.
        connection.request("GET", "/readyz", headers={"Host": urlsplit(settings.SITE_URL).netloc})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def process_is_alive(kind: str) -> bool:
    """Tell whether this machine's worker or beat showed itself lately."""
    return heartbeat.is_alive(heartbeat.process_name(kind), at=timezone.now())
