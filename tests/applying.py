"""The public form as a visitor fills it in, for tests that need somebody to have applied."""

from __future__ import annotations

from django.http import HttpResponse
from django.test import Client
from lxml import etree

YOU = {
    "full_name": "Ana Lima",
    "email": "ana@lima.example",
    "phone": "+351 21 000 0000",
    "company": "Lima & Sons <Reviews>",
    "country": "Portugal",
}
AUDIENCE = {
    "website": "lima.example",
    "audience": "9,000 readers",
    "how_promote": "With a comparison page\r\nand a newsletter.",
}


def fill_in(client: Client, slug: str, **changes: object) -> str:
    """Answer every step of a program's standard form and return the page on which the answers are checked."""
    for step, answers in (("you", YOU), ("audience", AUDIENCE)):
        mine = {name: changes.get(name, value) for name, value in answers.items()}
        extra = {"leave_empty": changes.get("leave_empty", "")} if step == "you" else {}
        answer = client.post(f"/p/{slug}/apply/{step}/", {**mine, **extra})
        assert answer.status_code == 302, answer.content.decode()
    page = client.get(f"/p/{slug}/apply/check/")
    assert page.status_code == 200, page
    return page.content.decode()


def hidden(page: str | bytes, name: str) -> str:
    """Return the value of a hidden field, as a browser would send it back."""
    tree = etree.HTML(page if isinstance(page, str) else page.decode())
    found = tree.xpath(f"//main//input[@type='hidden'][@name='{name}']/@value")
    assert found, f"no hidden {name}"
    return str(found[0])


def send(client: Client, slug: str, page: str, **changes: str) -> HttpResponse:
    """Accept the terms shown on `page` and send."""
    data = {"accept": "on", "terms": hidden(page, "terms"), **changes}
    return client.post(f"/p/{slug}/apply/check/", {name: value for name, value in data.items() if value})
