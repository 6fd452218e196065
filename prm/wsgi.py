"""The door for WSGI servers. Wrong settings end the process here with one sentence and exit code 2; visits to tracked links, which are many
and ask for neither session nor page, are answered before Django is.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prm.settings")

Environ = dict[str, Any]
Start = Callable[..., Any]
log = logging.getLogger(__name__)
_LINK = re.compile(r"/r/([A-Za-z0-9-]{1,40})")
_OWN_LINK = re.compile(r"/(?:r/)?([A-Za-z0-9-]{1,40})")
_PICTURE = re.compile(r"/i/([A-Za-z0-9-]{1,40})\.gif")
_NOWHERE = "/r/-"  # no link has this short address: the page that says so is drawn
_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Links:
    """Answers visits to tracked links, and hands everything else on to Django."""

    def __init__(self, site: Callable[[Environ, Start], Iterable[bytes]]) -> None:
        # Only now the settings and models can be read.
        from django.conf import settings
        from django.db import DEFAULT_DB_ALIAS, connections

        from referrals import door

        self.site, self.door, self.settings = site, door, settings
        self.connections, self.database = connections, DEFAULT_DB_ALIAS

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO") or ""
        if self.settings.LINK_HOSTS and self._host(environ) in self.settings.LINK_HOSTS:
            return self._on_own_host(environ, start_response, path)
        if (found := _LINK.fullmatch(path)) is not None:
            return self._follow(environ, start_response, found[1], "/r/")
        if (found := _PICTURE.fullmatch(path)) is not None:
            return self._see(environ, start_response, found[1])
        return self.site(environ, start_response)

    def _on_own_host(self, environ: Environ, start_response: Start, path: str) -> Iterable[bytes]:
        """Answer on a host that serves links and nothing else."""
        if (found := _OWN_LINK.fullmatch(path)) is not None:
            return self._follow(environ, start_response, found[1], "/")
        if (found := _PICTURE.fullmatch(path)) is not None:
            return self._see(environ, start_response, found[1])
        if not path.startswith(self.settings.STATIC_URL):  # what the page that says so is drawn with
            environ["PATH_INFO"] = _NOWHERE
        return self.site(environ, start_response)

    def _follow(self, environ: Environ, start_response: Start, slug: str, path: str) -> Iterable[bytes]:
        reply = None
        if self._is_for_us(environ):
            reply = self._answered(lambda at: self.door.follow(environ, slug.lower(), at=at, path=path))
        if reply is None or reply.is_a_page:
            environ["PATH_INFO"] = f"/r/{slug}"
            return self.site(environ, start_response)
        return self._sent(environ, start_response, reply)

    def _see(self, environ: Environ, start_response: Start, slug: str) -> Iterable[bytes]:
        reply = None
        if self._is_for_us(environ):
            reply = self._answered(lambda at: self.door.see(environ, slug.lower(), at=at))
        if reply is None:
            return self.site(environ, start_response)
        return self._sent(environ, start_response, reply)

    def _is_for_us(self, environ: Environ) -> bool:
        """Say whether a request is a plain visit; Django answers other methods, and sends those on who came without encryption."""
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return False
        return not self.settings.SECURE_SSL_REDIRECT or self._is_encrypted(environ)

    def _is_encrypted(self, environ: Environ) -> bool:
        header = self.settings.SECURE_PROXY_SSL_HEADER
        if header is not None and header[0] in environ:
            return bool(environ[header[0]].split(",", 1)[0].strip() == header[1])
        return environ.get("wsgi.url_scheme") == "https"

    def _answered(self, work: Callable[[datetime], Any]) -> Any:
        """Return the reply, None when something broke: Django then answers, and says what."""
        try:
            return work(datetime.now(UTC))
        except Exception:
            log.exception("A visit to a link could not be answered before Django.")
            return None
        finally:
            self._look_after_connection()

    def _look_after_connection(self) -> None:
        """Close a connection of this thread's that has broken or grown old, as Django does after a request of its own."""
        connection = self.connections[self.database]
        if connection.connection is None or connection.in_atomic_block:
            return
        if connection.vendor != "sqlite" or connection.errors_occurred:
            # To a file it is kept open: opening it costs more than a click.
            connection.close_if_unusable_or_obsolete()

    def _sent(self, environ: Environ, start_response: Start, reply: Any) -> Iterable[bytes]:
        headers = [*reply.headers, ("Content-Length", str(len(reply.body)))]
        if self.settings.SECURE_HSTS_SECONDS and self._is_encrypted(environ):
            headers.append(("Strict-Transport-Security", self._stays_encrypted()))
        start_response(_STATUS[reply.status], headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [reply.body]

    def _stays_encrypted(self) -> str:
        """Return what browsers are to remember, as Django says it on every other page."""
        settings = self.settings
        said = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
        said += ["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []
        said += ["preload"] if settings.SECURE_HSTS_PRELOAD else []
        return "; ".join(said)

    @staticmethod
    def _host(environ: Environ) -> str:
        # With the dot of a full name it is the same host, to Django too.
        return (environ.get("HTTP_HOST") or "").partition(":")[0].removesuffix(".").lower()


application = Links(get_wsgi_application())
