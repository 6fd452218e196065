"""How a language is read where we are: English dates come as 22 Nov 2026, as they do in the portal."""

_REGIONS = {"en": "en-gb"}


def locale_for(language: str) -> str:
    """Return the locale to write amounts and days in for a reader of `language`."""
    return _REGIONS.get(language, language)
