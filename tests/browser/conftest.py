"""A real Chromium in front of the real site. Whatever a test does with a page, the page must not complain: an error in the console, a
script that fails or a breach of the content policy fails the test.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from tests.portal.scene import NOW

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 15_000

Opener = Callable[..., Page]


class Watch:
    """Hears what the pages of one test complain about; `forgive` names answers that a test provokes on purpose."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.forgive: set[int] = set()

    def over(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        status = re.search(r"responded with a status of (\d+)", message.text)
        if status is None or int(status[1]) not in self.forgive:
            self.complaints.append(f"{message.location.get('url')}: {message.text}")

    def _response(self, response: Response) -> None:
        if response.request.resource_type != "document" or "html" not in response.headers.get(
            "content-type", ""
        ):
            return
        if directives(response.headers.get("content-security-policy", "")) != POLICY:
            self.complaints.append(f"{response.url}: another content policy than the site's")


def directives(policy: str) -> set[str]:
    """Take a content policy apart; the order of its directives means nothing."""
    return {" ".join(part.split()) for part in policy.split(";") if part.strip()}


POLICY = directives(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Start the machine's own Chromium once for this folder."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    # The driver keeps an event loop in this thread, which Django takes for asynchronous code; nothing here is.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def travel() -> Iterator[time_machine.Traveller]:
    """Set the clock of the whole process, the site included, to the moment of the scene; it runs on from there."""
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


@pytest.fixture
def site(live_server: LiveServer, settings: Settings) -> str:
    """Run the site on a port of its own. Staff get in by password: the second factor has its own tests."""
    settings.SITE_URL = live_server.url
    settings.PRM_STAFF_MFA = False
    return str(live_server.url)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fail the test at its end when a page complained."""
    watching = Watch()
    yield watching
    assert watching.complaints == []


@pytest.fixture
def open_page(chromium: Browser, site: str, watch: Watch) -> Iterator[Opener]:
    """Open a page in a browser profile of its own, as another person would; arguments are the profile's."""
    contexts = []

    def opened(**options: Any) -> Page:
        words = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options}
        context = chromium.new_context(base_url=site, **words)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        watch.over(page)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Opener) -> Page:
    """One page, at the width of a desk."""
    return open_page()
