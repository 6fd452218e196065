"""Check texts that are written in several languages. English is always there where a text is needed, and what is empty is not kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused


class EnglishMissing(Refused):
    message = _("Write at least the English text.")


class TextTooLong(Refused):
    message = _("Write up to %(longest)s characters.")


def by_language(
    texts: Mapping[str, str] | None, *, name: str, longest: int, needed: bool = False, lines: bool = False
) -> dict[str, str]:
    """Return texts by language, without blanks around them; on one line each unless `lines`.

    `name` is what fields are called: a refusal stands at `<name>_<language>`.

    Raises: EnglishMissing, TextTooLong.
    """
    found: dict[str, str] = {}
    for code, _label in settings.LANGUAGES:
        text = _cleaned(str((texts or {}).get(code, "")), lines=lines)
        if len(text) > longest:
            raise TextTooLong(field=f"{name}_{code}", params={"longest": longest})
        if text:
            found[code] = text
    if needed and "en" not in found:
        raise EnglishMissing(field=f"{name}_en")
    return found


def _cleaned(text: str, *, lines: bool) -> str:
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    kept = "".join(each for each in plain if each in "\n\t" or unicodedata.category(each)[0] != "C")
    return kept.strip() if lines else " ".join(kept.split())
