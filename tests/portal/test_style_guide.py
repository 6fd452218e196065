"""Every component in one page: it renders in every language, breaks no content policy, and labels what it shows."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation
from lxml import html

from portal.views.style_guide import sample, style_guide
from prm.accounts.models import User

COMPONENTS = Path(settings.BASE_DIR) / "templates" / "components"


@pytest.fixture
def page() -> html.HtmlElement:
    return html.fromstring(rendered())


def rendered(language: str = "en") -> str:
    with translation.override(language):
        request: HttpRequest = RequestFactory().get("/")
        request.user = User(full_name="Ana Applies")
        return render_to_string("portal/style_guide.html", {"guide": sample()}, request=request)


@pytest.mark.parametrize("language", ["en", "fr", "pl"])
def test_it_renders_without_inline_style_script_or_handler(language: str) -> None:
    page = html.fromstring(rendered(language))
    assert not page.xpath("//*[@style]")
    assert not [
        node for node in page.xpath("//script") if (node.text or "").strip() or "src" not in node.attrib
    ]
    assert not [name for node in page.iter() for name in node.attrib if name.lower().startswith("on")]


def test_it_shows_every_component(page: html.HtmlElement) -> None:
    source = "".join(path.read_text() for path in Path(settings.BASE_DIR, "templates").rglob("*.html"))
    # Badges come through their tag; the rest is included by name somewhere.
    unused = [path.name for path in COMPONENTS.glob("*.html") if f"components/{path.name}" not in source]
    assert set(unused) <= {"badge.html"}
    assert page.xpath("//*[contains(@class, 'badge')]")


def test_every_id_is_there_once_and_every_reference_finds_its_id(page: html.HtmlElement) -> None:
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    for attribute in ("aria-labelledby", "aria-describedby", "for", "data-copy"):
        for value in page.xpath(f"//@{attribute}"):
            wanted = set(value.split()) - {"drawer-title"}  # arrives with what is opened in the drawer
            assert wanted <= set(ids), f"{attribute}={value}"


def test_every_control_has_a_name(page: html.HtmlElement) -> None:
    for control in page.xpath("//input[not(@type='hidden')] | //select | //textarea"):
        labelled = page.xpath(f"//label[@for='{control.get('id')}']") or control.xpath("ancestor::label")
        assert labelled or control.get("aria-label"), html.tostring(control)
    for link in page.xpath("//a | //button"):
        assert link.text_content().strip() or link.get("aria-label")


def test_headings_do_not_skip_a_level(page: html.HtmlElement) -> None:
    levels = [int(node.tag[1]) for node in page.iter("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_an_error_leads_to_its_field_and_the_title_says_error() -> None:
    request = RequestFactory().get("/")
    request.user = User(full_name="Ana Applies")
    text = render_to_string(
        "portal/style_guide.html", {"guide": sample(), "form": sample().form}, request=request
    )
    page = html.fromstring(text)
    assert page.findtext(".//title").startswith("Error:")
    targets = page.xpath("//*[contains(@class, 'error-summary')]//a/@href")
    assert targets == ["#id_email", "#id_kind_0"]
    assert all(page.xpath(f"//*[@id='{target[1:]}']") for target in targets)
    (email,) = page.xpath("//input[@name='email']")
    assert (email.get("value"), email.get("aria-invalid")) == ("ines@northwind", "true")
    assert email.get("aria-describedby") == "id_email_helptext id_email_error"


def test_the_copy_button_gives_the_whole_address(page: html.HtmlElement) -> None:
    (button,) = page.xpath("//button[@data-copy]")
    assert button.get("data-text") == "https://go.halden.example/nw"
    assert page.xpath(f"//input[@id='{button.get('data-copy')}']/@readonly")


def test_only_staff_may_open_it(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = User(is_staff=False)
    assert style_guide(request).status_code == 302


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "410", "429", "500"])
def test_an_error_page_needs_no_request_no_database_and_no_script(name: str) -> None:
    text = render_to_string(f"{name}.html")
    page = html.fromstring(text)
    assert len(page.xpath("//h1")) == 1
    assert not page.xpath("//script")
    assert re.search(r"<title>\s*\S", text)
