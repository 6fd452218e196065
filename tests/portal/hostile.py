"""A hostile stranger at the keyboard: it opens a page, fills every field of its forms with what breaks careless programs, and looks whether
any of it came alive. It finds the fields in the page itself, so a field added later is tried too."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, urljoin

from django.http import HttpResponse
from django.test import Client
from lxml import etree

from prm.mail.models import OutgoingMail

# Ugly, and yet text people may write; each is kept and shown as it was typed, or refused with a reason.
LEGAL = (
    "<script>pwn()</script>",
    '<img src=x onerror="pwn()" id=pwn>',
    "<svg/onload=pwn()>",
    '"\' autofocus onfocus=pwn() id=pwn x="',
    "</textarea></title><b id=pwn>",
    "<!-- --><style>*{x:expression(pwn())}</style>",
    "&lt;b id=pwn&gt; &amp;amp;",
    "{{ 7919|add:7907 }}",
    '{% load static %}{% now "Y" %}',
    "${7919*7907} #{7919*7907} <%= 7919*7907 %>",
    "%(email)s %s %d %%",
    "{0} {email} {self.__class__.__mro__}",
    '=HYPERLINK("http://evil.example","pay")',
    "+1+1",
    "-2+3",
    "@SUM(1,1)",
    "＝1+1 ＋1 －1 ＠x",
    "'; DROP TABLE partners_partner; --",
    '" OR 1=1 /*',
    "\\' \\\" \\",
    "../../../../etc/passwd",
    "..\\..\\boot.ini",
    "javascript:pwn()",
    "data:text/html,<script>pwn()</script>",
    "zero\u200bwidth\u200djoin\ufeff",
    "right\u200fmark\u061c",
    "🧨👩‍👩‍👧‍👦🏴‍☠️ Ｚ̶̧͎̯a͒l͍g͐o",
    "[link](javascript:pwn())",
    "null None undefined NaN",
    "AKIA ٠١٢٣ Ⅻ ﬃ ſ K ı İ ß",
)
# Nobody types these; they may be refused, cleaned or made harmless, and never break a page, a header or the database.
ILLEGAL = (
    "a\0b",
    "a\ud800b",
    "Subject\r\nBcc: eve@evil.example\r\n\r\n<b id=pwn>",
    "line\nbreak\u2028and\x0bmore\x85",
    "\u202eexe.fdp\u2066",
    "\x1b[31mred\x07\x08",
    "\ufdd0\uffff",
    "x" * 9000,
    "9" * 400,
    " \t\u00a0\u3000 ",
    "-1e400",
    "\udcff\udc80=1",
)
SAYS_TEXT = ("text", "search", "textarea")
TYPED = {"email": "ines@rocha.example", "url": "https://rocha.example/", "tel": "+351 21 000 0000"}


@dataclass(frozen=True)
class Form:
    """A form of a page: where it goes, what a browser would send untouched, and what can be typed into."""

    action: str
    values: dict[str, list[str]]
    kinds: dict[str, str]
    longest: dict[str, int]

    def filled(self, typed: Mapping[str, str]) -> dict[str, list[str]]:
        values = copy.deepcopy(self.values)
        values.update({name: [text] for name, text in typed.items()})
        return values


def legal_rounds(room: Mapping[str, int]) -> list[dict[str, str]]:
    """Return what to type so that every legal one stands whole in some field, each field getting as many as it has room for.

    No two fields begin with the same; at least two rounds are made, so that a field gets several beginnings.
    """
    rounds: list[dict[str, str]] = []
    missing = {each for each in LEGAL if len(each) <= max(room.values(), default=0)}
    while len(rounds) < 2 or missing:
        # The field with most room begins with the first that is missing.
        first = next((number for number, each in enumerate(LEGAL) if each in missing), len(rounds) * 7)
        fields = sorted(room, key=lambda name: -room[name])
        typed = {name: _packed(first + 5 * number, room[name]) for number, name in enumerate(fields)}
        for text in typed.values():
            missing -= {each for each in missing if each in text}
        rounds.append(typed)
    return rounds


def _packed(start: int, most: int) -> str:
    """Return the legal ones from `start` on in one line, as many as fit, and half of them at most."""
    text = LEGAL[start % len(LEGAL)][:most].strip()
    for number in range(start + 1, start + len(LEGAL) // 2):
        longer = f"{text} {LEGAL[number % len(LEGAL)]}"
        if len(longer) > most:
            break
        text = longer
    return text


def forms_of(response: HttpResponse, address: str) -> list[Form]:
    """Return the forms in the page's main part that send something."""
    tree = etree.HTML(response.content.decode())
    return [
        _form(each, address) for each in tree.xpath("//main//form[translate(@method, 'POST', 'post')='post']")
    ]


def post(client: Client, address: str, values: Mapping[str, Iterable[str]], **extra: str) -> HttpResponse:
    """Send a form as a browser would, byte by byte: lone surrogates and all."""
    parts = [f"{_bytes(name)}={_bytes(each)}" for name, given in values.items() for each in given]
    return client.generic(
        "POST", address, "&".join(parts), content_type="application/x-www-form-urlencoded", **extra
    )


def alive(content: bytes | str) -> list[str]:
    """Return what in a page was ours to be shown and came alive instead."""
    text = content if isinstance(content, str) else content.decode()
    found = [
        each for each in ("62615533", "15826", "__mro__', ", "<class '") if each in text.replace(",", "")
    ]
    if not text.strip():
        return found
    tree = etree.HTML(text)
    found += [f"#{each.tag}" for each in tree.xpath("//*[@id='pwn']")]
    found += [str(name) for name in tree.xpath("//@*[starts-with(name(), 'on')]")]
    found += [each.text for each in tree.xpath("//script|//style") if "pwn" in (each.text or "")]
    for name in ("href", "src", "action", "formaction"):
        for value in tree.xpath(f"//@{name}"):
            if "".join(value.lower().split()).startswith(("javascript:", "data:text")):
                found.append(f"{name}={value}")
    return found


def attack(client: Client, address: str, *, only: str = "", skip: tuple[str, ...] = ()) -> list[str]:
    """Fill in every form of a page that has text to be typed, with everything; return what went wrong, nothing being the aim."""
    page = client.get(address)
    assert page.status_code in (200, 410), (address, page.status_code)
    wrong, tried = list(alive(page.content)), 0
    for form in forms_of(page, address):
        texts = [name for name, kind in form.kinds.items() if name not in skip]
        if not texts or only not in form.action:
            continue
        tried += 1
        usual = {name: _usual(form, name) for name in texts}
        room = {name: form.longest.get(name, 9999) for name in texts if usual[name] is None}
        for said in legal_rounds(room):
            wrong += _send(
                client, form, {name: said.get(name, usual[name] or "") for name in texts}, is_kept=True
            )
        for start in range(0, len(ILLEGAL), min(max(len(texts), 2), 4)):
            typed = {name: ILLEGAL[(start + number) % len(ILLEGAL)] for number, name in enumerate(texts)}
            wrong += _send(client, form, typed, is_kept=False)
    assert tried, f"nothing to type at {address}"
    return wrong


def wrong_mails() -> list[str]:
    """Return what is wrong with the mails that would leave."""
    wrong: list[str] = []
    for mail in OutgoingMail.objects.all():
        for line in (mail.subject, mail.to):
            if len(line.splitlines()) != 1 or "\0" in line:
                wrong.append(f"{mail.kind}: {line!r}")
        wrong += [f"{mail.kind}: {each}" for each in alive(mail.html) if not each.startswith("#style")]
        if "15826" in mail.text:
            wrong.append(f"{mail.kind}: text")
    return wrong


def _send(client: Client, form: Form, typed: dict[str, str], *, is_kept: bool) -> list[str]:
    answer = post(client, form.action, form.filled(typed))
    said = f"{form.action} {typed!r:.300}"
    if answer.status_code >= 500:
        return [f"{answer.status_code} {said}"]
    if answer.status_code in (301, 302):
        after = urljoin(form.action, answer["Location"])
        if not after.startswith("/"):
            return [f"leads away: {after} {said}"]
        answer = client.get(after)
        if answer.status_code >= 500:
            return [f"{answer.status_code} after {said}"]
        return [f"{each} after {said}" for each in alive(answer.content)]
    wrong = [f"{each} {said}" for each in alive(answer.content)]
    if is_kept and answer.status_code == 422:
        shown = {name: text for each in forms_of(answer, form.action) for name, text in each.values.items()}
        for name, text in typed.items() if shown.keys() & typed.keys() else ():
            if form.kinds[name] in SAYS_TEXT and " ".join(shown.get(name, [""])[0].split()) != " ".join(
                text.split()
            ):
                wrong.append(f"{name} is lost: {shown.get(name)!r:.200} {said}")
    return wrong


def _usual(form: Form, name: str) -> str | None:
    """Return what passes a field that asks for more than text, so that the texts beside it are kept; None for any text."""
    kind = form.kinds[name]
    if name.endswith("phone"):
        return TYPED["tel"]
    if kind in TYPED:
        return TYPED[kind]
    if kind in ("number", "date", "datetime-local"):
        return form.values.get(name, [""])[0]
    return None


def _bytes(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"))


def _form(tree: etree._Element, address: str) -> Form:
    values: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    longest: dict[str, int] = {}
    buttons = tree.xpath(".//button[not(@type) or @type='submit']")
    if buttons and buttons[0].get("name"):
        values[str(buttons[0].get("name"))] = [str(buttons[0].get("value", ""))]
    for field in tree.xpath(".//input[@name]|.//textarea[@name]|.//select[@name]"):
        name, kind = str(field.get("name")), str(field.get("type") or "text")
        if name == "leave_empty":
            continue
        if field.get("maxlength"):
            longest[name] = int(field.get("maxlength"))
        if field.tag == "textarea":
            kinds[name] = "textarea"
            values[name] = [(field.text or "").removeprefix("\n")]
        elif field.tag == "select":
            options = [each.get("value", "") for each in field.xpath(".//option")]
            picked = field.xpath(".//option[@selected]/@value") or [each for each in options if each]
            values[name] = [str(each) for each in picked[:1]]
        elif kind in ("radio", "checkbox"):
            if kind == "checkbox" or name not in values or field.get("checked") is not None:
                values[name] = [str(field.get("value", "on"))]
        elif kind == "hidden":
            values[name] = [str(field.get("value", ""))]
        elif kind not in ("file", "submit"):
            kinds[name] = kind
            values[name] = [str(field.get("value", ""))]
    return Form(urljoin(address, tree.get("action") or address), values, kinds, longest)
