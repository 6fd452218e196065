"""Carry the id of the current request to whoever records something. Outside a request the id is None."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request_id: ContextVar[str | None] = ContextVar("prm_request_id", default=None)


def current_request_id() -> str | None:
    """Return the id of the request being served, if one is."""
    return _request_id.get()


@contextmanager
def request(request_id: str | None) -> Iterator[None]:
    """Serve one request under `request_id`."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)
