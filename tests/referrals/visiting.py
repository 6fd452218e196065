"""Visits to links as a web server hands them over, to the layer before Django; and where their clicks wait."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core import signals
from django.db import close_old_connections

from prm.wsgi import application
from referrals import drain
from referrals.models import Click

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"


@dataclass(frozen=True)
class Told:
    """What was answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def visit(path: str, *, method: str = "GET", query: str = "", **changes: Any) -> Told:
    """Ask the whole application, links and Django, for a path; `changes` are keys of the environment."""
    asked: list[Any] = []
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": "testserver",
        "HTTP_USER_AGENT": FIREFOX,
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": BytesIO(),
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **changes,
    }
    # Django's own handler would close the connection the test has its transaction on.
    signals.request_started.disconnect(close_old_connections)
    try:
        body = b"".join(application(environ, lambda status, headers, *_: asked.append((status, headers))))
    finally:
        signals.request_started.connect(close_old_connections)
    ((status, headers),) = asked
    return Told(int(status.split()[0]), headers, body)


def written() -> list[Click]:
    """Return the clicks there are, those that waited included."""
    drain.drain()
    return list(Click.objects.order_by("click_id"))
