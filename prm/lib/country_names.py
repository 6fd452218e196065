"""The countries people choose from, in their language. What is stored is the English name, which back office, statements and bank files
read; a code or a name unknown here is shown as well as it can be."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from prm.lib import l10n
from prm.lib.countries import is_code


@lru_cache(maxsize=16)
def choices(locale: str) -> tuple[tuple[str, str], ...]:
    """Return English name and own name of every country, in the alphabetical order of the language."""
    names = l10n.locale_of(locale).territories
    found = [(english, names.get(code, english)) for english, code in _codes().items()]
    return tuple(sorted(found, key=lambda pair: _sort_key(pair[1])))


def name(country: str, locale: str) -> str:
    """Return the name of a country, given by its English name or its code; anything else is returned as it is."""
    code = _codes().get(country, country)
    return l10n.locale_of(locale).territories.get(code, country) if is_code(code) else country


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    names = l10n.locale_of("en").territories
    return {name: code for code, name in names.items() if is_code(code)}


def _sort_key(text: str) -> str:
    # Ł has no decomposition; everything else sorts under its base letter.
    plain = unicodedata.normalize("NFKD", text.replace("Ł", "L").replace("ł", "l"))
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()
