"""Texts that are kept in several languages: {"en": "Gold", "fr": "Or"}. A reader gets the own language, else English, else any."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import get_language


def in_language(texts: Mapping[str, str]) -> str:
    """Return a text in the language in force, else in English, else in any; empty when there is none."""
    language = (get_language() or "en").split("-")[0]
    return texts.get(language) or texts.get("en") or next((text for text in texts.values() if text), "")


def kept(texts: Mapping[str, str], *, languages: tuple[str, ...]) -> dict[str, str]:
    """Return what is kept of typed texts: the known languages that say something, without white space around it."""
    return {code: text.strip() for code, text in texts.items() if code in languages and text.strip()}
