"""Put a message in the outbox. It is rendered and stored in the caller's transaction, so it is sent when that commits and not otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import css_inline
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.template.loader import render_to_string
from django.utils import translation

from prm.lib.bell import ring
from prm.mail.models import OutgoingMail

SEND_TASK = "mail.send"
KIND = re.compile(r"[a-z][a-z0-9_]*")
_inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)


_is_quiet: ContextVar[bool] = ContextVar("_is_quiet", default=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Let verbs do their work inside the block without writing to anybody.

    For history that is brought in: what happened last year was told last year.
    """
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


class UnsafeHeader(ValueError):
    """A subject or an address carries a line break, which would start a header of a stranger's choosing."""


def queue(
    kind: str,
    *,
    to: str,
    context: Mapping[str, Any],
    key: str,
    language: str = "en",
    about: str = "",
) -> OutgoingMail | None:
    """Store the message `kind` for `to` and ring the worker on commit; the same `key` answers with the first message.

    Inside `quiet()` nothing is stored and the answer is None.

    `kind` names the folder of the three templates: `emails/<kind>/{subject.txt,body.txt,body.html}`.

    Raises: UnsafeHeader, ValidationError for an address that is none.
    """
    if not KIND.fullmatch(kind):
        raise ValueError(f"{kind!r} does not name a folder of e-mail templates.")
    _refuse_line_breaks(to)
    validate_email(to)
    if _is_quiet.get():
        return None
    subject, text, html = render(kind, context=context, language=language)
    mail, created = OutgoingMail.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "to": to,
            "language": language,
            "subject": subject,
            "text": text,
            "html": html,
            "about": about,
        },
    )
    if created:
        ring(SEND_TASK, mail_id=mail.pk)
    return mail


def render(kind: str, *, context: Mapping[str, Any], language: str) -> tuple[str, str, str]:
    """Return subject, text and HTML of the message `kind` in `language`."""
    with translation.override(language):
        values = {**frame(language), **context}
        subject = render_to_string(f"emails/{kind}/subject.txt", values).strip()
        _refuse_line_breaks(subject)
        values["subject"] = subject
        text = render_to_string(f"emails/{kind}/body.txt", values).strip() + "\n"
        html = _inliner.inline(render_to_string(f"emails/{kind}/body.html", values))
    return subject, text, html


def frame(language: str) -> dict[str, Any]:
    """Return the values every message may use: who writes, where we live, which language."""
    return {
        "brand_name": getattr(settings, "PRM_BRAND_NAME", "Partner program"),
        "site_url": str(getattr(settings, "SITE_URL", "")).rstrip("/"),
        "language": language,
    }


def _refuse_line_breaks(text: str) -> None:
    if any(character in text for character in "\r\n\x00\u2028\u2029\x85\x0b\x0c"):
        raise UnsafeHeader("A subject or an address may not contain a line break.")


__all__ = ["UnsafeHeader", "ValidationError", "queue", "quiet", "render"]
