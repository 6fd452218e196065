"""News after the commit: who hears it, who does not, and that a listener's trouble stays its own."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest
from django.db import transaction

from prm.lib.events import announce, subscribe, subscribed, unsubscribe


@dataclass(frozen=True)
class Happened:
    pk: int


@dataclass(frozen=True)
class HappenedToo(Happened):
    pass


@pytest.mark.django_db(transaction=True)
def test_listeners_hear_after_the_commit_and_never_after_a_rollback() -> None:
    heard: list[object] = []
    with subscribed(Happened, heard.append):
        with transaction.atomic():
            announce(Happened(1))
            assert heard == []
        assert heard == [Happened(1)]
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            announce(Happened(2))
            raise ZeroDivisionError
        announce(Happened(3))
    announce(Happened(4))
    assert heard == [Happened(1), Happened(3)]


@pytest.mark.django_db(transaction=True)
def test_a_failing_listener_is_logged_and_the_others_still_hear(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[object] = []

    def fail(event: Happened) -> None:
        raise RuntimeError("the broker is down")

    listening = subscribed(Happened, fail), subscribed(Happened, heard.append)
    with listening[0], listening[1], caplog.at_level(logging.ERROR), transaction.atomic():
        announce(Happened(1))
    assert heard == [Happened(1)]
    assert "A listener of Happened failed" in caplog.text
    assert "the broker is down" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_only_events_of_the_very_class_are_heard_and_subscribing_twice_changes_nothing() -> None:
    heard: list[object] = []
    subscribe(Happened, heard.append)
    first = heard.append
    with subscribed(HappenedToo, first):
        announce(Happened(1))
        announce(HappenedToo(2))
    unsubscribe(Happened, heard.append)
    assert heard == [Happened(1), HappenedToo(2)]

    def listen(event: Happened) -> None:
        heard.append(event)

    subscribe(Happened, listen)
    subscribe(Happened, listen)
    announce(Happened(3))
    unsubscribe(Happened, listen)
    announce(Happened(4))
    assert heard[2:] == [Happened(3)]
