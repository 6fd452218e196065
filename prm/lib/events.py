"""News travels downstream: announce an event, and after the commit everybody who subscribed hears it. A listener that fails is
logged and breaks nothing; whatever it missed, a sweep finds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from django.db import transaction

log = logging.getLogger(__name__)

E = TypeVar("E")
Listener = Callable[[E], object]
_listeners: dict[type, list[Listener[Any]]] = {}


def subscribe(event_class: type[E], listener: Listener[E]) -> None:
    """Call `listener` with every announced event of exactly this class; asking twice changes nothing.

    Called from `prm/wiring.py` only.
    """
    listeners = _listeners.setdefault(event_class, [])
    if listener not in listeners:
        listeners.append(listener)


def unsubscribe(event_class: type[E], listener: Listener[E]) -> None:
    """Stop calling `listener`."""
    _listeners.get(event_class, []).remove(listener)


@contextmanager
def subscribed(event_class: type[E], listener: Listener[E]) -> Iterator[None]:
    """Let `listener` hear events inside the block only."""
    subscribe(event_class, listener)
    try:
        yield
    finally:
        unsubscribe(event_class, listener)


def announce(event: object, *, using: str | None = None) -> None:
    """Tell everybody who subscribed to the event's class, once the transaction has committed.

    Outside a transaction they hear at once; after a rollback, never.
    """
    transaction.on_commit(partial(_deliver, event), using=using, robust=True)


def _deliver(event: object) -> None:
    for listener in tuple(_listeners.get(type(event), ())):
        try:
            listener(event)
        except Exception:
            # The business fact is committed: the listener's trouble must not look like its failure.
            log.exception("A listener of %s failed.", type(event).__name__)
