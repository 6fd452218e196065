"""What hands and eyes do in a browser test: sign in, look for faults of accessibility, look whether anything sticks out sideways."""

from __future__ import annotations

import re
from functools import cache

from axe_playwright_python.sync_playwright import Axe
from django.core import mail
from playwright.sync_api import Page

from prm.accounts.models import User
from tests.factories.prm import PASSWORD

WIDTHS = (320, 390, 768, 1280)
_AXE = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "resultTypes": ["violations"],
    # Fetching style sheets a second time writes them into the page, which the content policy rightly refuses.
    "preload": False,
}


@cache
def _axe() -> Axe:
    return Axe()


def sign_in(page: Page, user: User) -> None:
    """Sign in with the password, on the page everybody uses."""
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"/(portal|admin)/"))


def sign_in_by_code(page: Page, email: str) -> None:
    """Sign in as somebody without a password: ask for a code and read it from the mail."""
    before = len(mail.outbox)
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Send me a sign-in code").click()
    page.get_by_label("Email").fill(email)
    page.locator("main button[type=submit]").first.click()
    page.get_by_label("Code").wait_for()
    [message] = mail.outbox[before:]
    assert message.to == [email]
    [code] = re.findall(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", str(message.body), re.MULTILINE)
    page.get_by_label("Code").fill(code)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/portal/"))


def faults(page: Page) -> list[str]:
    """Return what axe finds wrong with the page once it is whole: a page still on its way has no title yet."""
    page.wait_for_load_state("load")
    found = _axe().run(page, options=_AXE).response["violations"]
    return [
        f"{page.url}: {fault['id']} ({fault['impact']}): {node['html'][:160]}"
        for fault in found
        for node in fault["nodes"]
    ]


def assert_accessible(page: Page) -> None:
    found = faults(page)
    assert found == [], "\n".join(found)


def sideways(page: Page, widths: tuple[int, ...] = WIDTHS) -> list[str]:
    """Return the widths at which the page would have to be moved sideways to be read."""
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            found.append(f"{page.url}: {needed} pixels at a width of {width}")
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


def assert_no_sideways_scroll(page: Page) -> None:
    found = sideways(page)
    assert found == [], "\n".join(found)
