"""What portal tests share: the two partners of the scene and a browser that stands at its moment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import translation

from tests.portal.scene import NOW, Scene, busy_partner, new_partner


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A page asked for in another language leaves it active in the thread; the next test starts without."""
    with translation.override("en"):
        yield


@pytest.fixture
def busy(db: None, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr("portal.rooms.clock", lambda: NOW)
    return busy_partner()


@pytest.fixture
def newcomer(db: None, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr("portal.rooms.clock", lambda: NOW)
    return new_partner()


def signed_in(scene: Scene) -> Client:
    client = Client()
    client.force_login(scene.ana)
    return client
