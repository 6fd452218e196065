"""What a status is made of: a word with an icon, a tone and, where it helps, a sentence. The words themselves stand in `portal.status` and
`portal.status_tiers`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

NEUTRAL, OK, INFO, WARN, BAD = "neutral", "ok", "info", "warn", "bad"


@dataclass(frozen=True)
class StatusWord:
    """One status as a reader meets it; `tone` is one of neutral, ok, info, warn, bad."""

    label: str
    icon: str
    tone: str
    help: str = ""


Words = Mapping[str, StatusWord]


def said(label: StrOrPromise, icon: str, tone: str, help: StrOrPromise = "") -> StatusWord:
    # Lazy texts stand in for str until `word` turns them into the reader's language.
    return StatusWord(cast("str", label), icon, tone, cast("str", help))
