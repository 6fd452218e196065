"""Know a country by its code, its English name or what shops call it. Rules and events that mean the same country then say the same two
letters; what nobody recognises stays as it was written, in capitals."""

from __future__ import annotations

from functools import lru_cache

from prm.lib import l10n

# CLDR lists these beside countries: unions, private use and pseudo-locales.
NO_COUNTRY = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
# What shops and people write besides the names CLDR has.
_ALSO = {
    "eire": "IE",
    "republic of ireland": "IE",
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "usa": "US",
    "united states of america": "US",
    "rsa": "ZA",
    "holland": "NL",
    "the netherlands": "NL",
    "czech republic": "CZ",
    "turkey": "TR",
    "hong kong": "HK",
    "macau": "MO",
    "burma": "MM",
    "ivory coast": "CI",
    "russian federation": "RU",
    "south korea": "KR",
    "republic of korea": "KR",
    "viet nam": "VN",
    "uae": "AE",
}


@lru_cache(maxsize=4096)
def code_of(text: str) -> str:
    """Return the ISO 3166-1 code of a country named by code or English name; an unknown text in capitals."""
    plain = " ".join(text.split())
    if is_code(plain.upper()):
        return plain.upper()
    return _names().get(plain.casefold(), plain.upper())


def is_code(text: str) -> bool:
    """Say whether `text` is the code of a country."""
    return text in _codes()


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    known = (str(each) for each in l10n.locale_of("en").territories)
    return frozenset(
        code
        for code in known
        if len(code) == 2 and code.isascii() and code.isupper() and code not in NO_COUNTRY
    )


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    known = l10n.locale_of("en").territories
    return {str(known[code]).casefold(): code for code in _codes()} | _ALSO
