"""What every test may lean on. Nothing here creates rows: factories and the cast do that where a test asks for them."""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from celery import Celery
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from referrals import door, targets
from tests import database

# Machines are shared and noisy: how long an example took to make says nothing about the product.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")

TransactionTestCase._fixture_teardown = database.empty  # type: ignore[attr-defined]


def _has_pango() -> bool:
    # Asked of the loader: importing the PDF library costs two seconds of every run.
    try:
        for library in ("libpango-1.0.so.0", "libpangoft2-1.0.so.0"):
            ctypes.CDLL(library)
    except OSError:
        return False
    return True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip, with its reason in the summary, what this machine or this half of the run cannot do."""
    on_postgresql = "postgres" in os.environ.get("DATABASE_URL", "")
    reasons = {
        "needs_pango": None if _has_pango() else "the Pango libraries are not installed",
        "needs_redis": None if os.environ.get("REDIS_URL") else "runs in the half with Redis",
        "needs_postgresql": None if on_postgresql else "runs in the half with PostgreSQL",
        "browser": _why_no_browser(on_postgresql),
    }
    for item in items:
        if "browser" in Path(str(item.path)).parts:
            item.add_marker(pytest.mark.browser)
        for marker, reason in reasons.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Let the collector of cycles leave alone what stays to the end of the run: models, fields, modules, the tests themselves."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _why_no_browser(on_postgresql: bool) -> str | None:
    if on_postgresql:
        return "browser tests run on the embedded default only"
    return (
        None if shutil.which("chromium") or shutil.which("chromium-browser") else "Chromium is not installed"
    )


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """Build the database; once for all workers of a run on several cores."""
    with django_db_blocker.unblock():
        database.prepare()
    yield
    with django_db_blocker.unblock():
        database.give_back()


@pytest.fixture(autouse=True)
def private_files(settings: Settings, tmp_path: Path) -> None:
    """Give every test its own media and mail folder."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget rate limits and other short memories between tests; where links lead is read each time, but in tests of that memory."""
    monkeypatch.setattr(targets.memory, "seconds", 0.0)
    yield
    cache.clear()
    door.forget()


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Begin and end every test in English: the test client leaves the last reader's language active in the thread."""
    translation.activate("en")
    yield
    translation.deactivate()


@pytest.fixture
def eager_tasks() -> Iterator[Celery]:
    """Run every task where it is rung, at once, with its errors raised."""
    from prm.celery import app

    app.loader.import_default_modules()  # a worker does it at its start; here nobody else does
    before = app.conf.task_always_eager, app.conf.task_eager_propagates
    app.conf.task_always_eager, app.conf.task_eager_propagates = True, True
    yield app
    app.conf.task_always_eager, app.conf.task_eager_propagates = before


@pytest.fixture
def is_postgresql() -> bool:
    """Tell which of the two databases this run is on."""
    return connection.vendor == "postgresql"
