"""Texts a bank takes: the Latin letters, digits and signs of the SEPA character set. Letters with accents lose them, other scripts
are transliterated, and what is left over becomes a space."""

from __future__ import annotations

import re

from text_unidecode import unidecode  # type: ignore[import-untyped]

_OUTSIDE = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")


def bank_text(text: str, limit: int) -> str:
    """Return `text` in the SEPA character set, on one line, cut at `limit`.

    No doubled slash and none at either end, which banks refuse in references.
    """
    spelled = _OUTSIDE.sub(" ", unidecode(text.replace("&", "+")))
    joined = re.sub(r"/{2,}", "/", " ".join(spelled.split()))
    return joined[:limit].strip("/ ")
