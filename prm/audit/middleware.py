"""Give every request an id that its audit events, log lines and answer share. The id is ours: a caller cannot choose it."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from prm.audit import context


class RequestIdMiddleware:
    """Names each request and says the name in the `X-Request-ID` header of the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request under a fresh id."""
        request_id = secrets.token_hex(12)
        with context.request(request_id):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id
        return response
