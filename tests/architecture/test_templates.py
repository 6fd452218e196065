"""What every page keeps to: it compiles, somebody uses it, and the content policy finds nothing to forbid in it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from django.template import engines
from django.template.utils import get_app_template_dirs

from tests.architecture.house import ROOT, listing, short, sources, templates

FOLDER = ROOT / "templates"
HANDLERS = {"400.html", "403.html", "404.html", "500.html", "403_csrf.html", "410.html", "429.html"}
# Mail programs and the PDF printer read no style sheet of ours: their style stands in the page and is inlined or embedded.
OWN_STYLE = ("emails/", "documents/")
FORBIDDEN = {
    "an inline style": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=\s*[\"']", re.IGNORECASE),
    "a style block": re.compile(r"<style\b", re.IGNORECASE),
    "a script without src": re.compile(r"<script(?![^>]*\bsrc\s*=)(?![^>]*application/json)", re.IGNORECASE),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "a file of another host": re.compile(
        r"<(?:script|img|link|iframe)\b[^>]*(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE
    ),
    "the safe filter": re.compile(r"\|\s*safe\b(?!seq)|{%\s*autoescape off"),
}


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def html_templates() -> list[str]:
    return [name_of(path) for path in templates() if path.suffix == ".html"]


@cache
def everything_that_names_templates() -> str:
    pages = [path.read_text(encoding="utf-8") for path in templates()]
    return "\n".join([*pages, *(path.read_text(encoding="utf-8") for path in sources())])


def test_every_template_compiles() -> None:
    failed = {}
    for path in templates():
        if path.suffix not in {".html", ".txt", ".xml", ".svg"}:
            continue
        try:
            engines["django"].get_template(name_of(path))
        except Exception as error:
            failed[name_of(path)] = str(error)
    assert not failed, listing(failed)


def test_no_page_breaks_the_content_policy() -> None:
    found = []
    for name in html_templates():
        text = (FOLDER / name).read_text(encoding="utf-8")
        for what, pattern in FORBIDDEN.items():
            if "style" in what and name.startswith(OWN_STYLE):
                continue
            found += [
                f"{name}:{text[: hit.start()].count(chr(10)) + 1}: {what}" for hit in pattern.finditer(text)
            ]
    assert not found, listing(found)


@pytest.mark.parametrize(
    "page",
    [
        '<p style="color:red">',
        "<a onclick='x()'>",
        "<script>1</script>",
        "<style>p{}</style>",
        '<img src="https://x/y.png">',
        "{{ x|safe }}",
    ],
)
def test_the_rule_about_pages_bites(page: str) -> None:
    assert any(pattern.search(page) for pattern in FORBIDDEN.values())


def is_override(name: str) -> bool:
    installed = [
        Path(folder) for folder in get_app_template_dirs("templates") if "site-packages" in Path(folder).parts
    ]
    return any((folder / name).exists() for folder in installed)


def is_email_part(name: str) -> bool:
    # outbox.queue() is told the event; the three parts lie in its folder.
    folder = Path(name).parent
    return (
        folder.parts[:1] == ("emails",)
        and len(folder.parts) == 2
        and f'"{folder.name}"' in everything_that_names_templates()
    )


def is_admin_page(name: str) -> bool:
    # The admin looks for admin/<app>/<model>/<page>.html by itself.
    return (
        re.fullmatch(
            r"admin/[a-z]+/[a-z]+/(change_form|change_list|delete_confirmation|object_history|submit_line)\.html",
            name,
        )
        is not None
    )


def test_no_template_is_left_over() -> None:
    unused = [
        name
        for name in map(name_of, templates())
        if name not in HANDLERS
        and name not in everything_that_names_templates()
        and not (is_override(name) or is_email_part(name) or is_admin_page(name))
    ]
    assert not unused, listing(unused)


def test_every_email_has_three_parts() -> None:
    folders = (
        [path for path in (FOLDER / "emails").iterdir() if path.is_dir()]
        if (FOLDER / "emails").exists()
        else []
    )
    incomplete = {
        short(folder): sorted(p.name for p in folder.iterdir())
        for folder in folders
        if not {"subject.txt", "body.txt", "body.html"} <= {p.name for p in folder.iterdir()}
    }
    assert not incomplete, listing(incomplete)


def test_every_form_that_posts_carries_a_token() -> None:
    bare = [
        name
        for name in html_templates()
        for form in re.findall(
            r"<form\b.*?</form>", (FOLDER / name).read_text(encoding="utf-8"), re.DOTALL | re.IGNORECASE
        )
        if re.search(r"method\s*=\s*[\"']?post", form, re.IGNORECASE)
        and "csrf_token" not in form
        and "{{ slot" not in form
    ]
    assert not bare, listing(bare)
