"""Fill in pages as people do: open them, type over what stands in a form, send it with everything else it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.test import Client
from lxml import html

from tests.desk import words


def submit(
    client: Client, address: str, given: Mapping[str, object] | None = None, *, form: str = "", **more: object
) -> Any:
    """Open a page and send the form that has all the fields typed into; `form` names one by its action instead."""
    typed = {**(given or {}), **more}
    page = client.get(address)
    assert page.status_code == 200, (address, page.status_code, page.get("Location"))
    chosen = _form(page.content, form, typed)
    values: dict[str, Any] = {}
    for name, value in chosen.form_values():
        if "__prefix__" not in name:
            values.setdefault(name, []).append(value)
    action = chosen.get("action") or address
    return client.post(action, {**values, **typed}, HTTP_REFERER=address)


def went_on(answer: Any) -> str:
    """Return where a form that was taken led to; say what the page complained about when it was not."""
    assert answer.status_code == 302, words(answer)[:2000]
    return str(answer["Location"])


def _form(content: bytes, action: str, typed: dict[str, object]) -> html.FormElement:
    forms: Sequence[html.FormElement] = html.fromstring(content.decode()).xpath("//main//form")
    for each in forms:
        if (each.method or "").upper() != "POST":
            continue
        names = {*each.fields.keys(), *each.xpath(".//button/@name")}
        # A row more comes from the row that the page keeps for it.
        asked = {name if name in names else re.sub(r"-\d+-", "-__prefix__-", name) for name in typed}
        if (action and action in (each.get("action") or "")) or (not action and asked <= names):
            return each
    raise AssertionError(f"no form has {', '.join(typed) or action}")
