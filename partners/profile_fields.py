"""Check the single details of a partner's profile and bring each into the form it is kept in. Nothing here asks another service or the
database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from prm.lib import l10n
from prm.lib.countries import code_of, is_code
from prm.lib.errors import Refused

MOST_SPECIALITIES = 12
LONGEST_SPECIALITY = 40
MOST_LANGUAGES = 20
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]{3,37}[0-9]")
_POSTCODES = {
    "AT": r"\d{4}",
    "BE": r"\d{4}",
    "CH": r"\d{4}",
    "DE": r"\d{5}",
    "DK": r"\d{4}",
    "ES": r"\d{5}",
    "FR": r"\d{5}",
    "GB": r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
    "IT": r"\d{5}",
    "NL": r"\d{4} ?[A-Z]{2}",
    "PL": r"\d{2}-\d{3}",
    "PT": r"\d{4}-\d{3}",
    "US": r"\d{5}(-\d{4})?",
}
_ANYWHERE = r"[A-Z0-9][A-Z0-9 -]{1,15}"


class Needed(Refused):
    message = _("This is needed.")


class TooLong(Refused):
    message = _("At most %(longest)s characters.")


class NotPrintable(Refused):
    message = _("There are characters in it that nobody can see. Type it again.")


class BadCountry(Refused):
    message = _("Choose a country from the list.")
    field = "country"


class BadPostcode(Refused):
    message = _("Postcodes of this country look different.")
    field = "postcode"


class BadWebsite(Refused):
    message = _("Write a whole address, such as https://www.example.com.")
    field = "website"


class BadEmail(Refused):
    message = _("Write an e-mail address, such as name@example.com.")
    field = "email"


class BadPhone(Refused):
    message = _("Write a phone number in digits, such as +33 1 23 45 67 89.")
    field = "phone"


class UnknownLanguage(Refused):
    message = _("“%(text)s” is not a language we know. Write it in English, in your language or in itself.")
    field = "languages"


class TooMany(Refused):
    message = _("At most %(most)s of them.")


def one_line(text: str, *, longest: int) -> str:
    """Return `text` on one line without surrounding and doubled blanks.

    Raises: TooLong, NotPrintable.
    """
    value = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.category(each)[0] == "C" for each in value):
        raise NotPrintable
    if len(value) > longest:
        raise TooLong(params={"longest": longest})
    return value


def checked_country(text: str, _country: str = "") -> str:
    """Return a country as it is kept, by its English name.

    Raises: BadCountry.
    """
    code = code_of(text)
    if not is_code(code):
        raise BadCountry
    return str(l10n.locale_of("en").territories[code])


def checked_postcode(text: str, country: str) -> str:
    """Return a postcode in capitals that looks like those of its country.

    Raises: BadPostcode.
    """
    value = text.upper()
    if not re.fullmatch(_POSTCODES.get(country, _ANYWHERE), value):
        raise BadPostcode
    return value


def checked_website(text: str, _country: str = "") -> str:
    """Return a web address; one without a scheme gets https.

    Raises: BadWebsite.
    """
    address = text if "://" in text else f"https://{text}"
    try:
        URLValidator(schemes=["http", "https"])(address)
    except ValidationError as error:
        raise BadWebsite from error
    return address


def checked_email(text: str, _country: str = "") -> str:
    """Return an e-mail address.

    Raises: BadEmail.
    """
    try:
        validate_email(text)
    except ValidationError as error:
        raise BadEmail from error
    return text


def checked_phone(text: str, _country: str = "") -> str:
    """Return a phone number as it was written.

    Raises: BadPhone.
    """
    if not _PHONE.fullmatch(text):
        raise BadPhone
    return text


def checked_specialities(given: str | Iterable[str]) -> list[str]:
    """Return free words, each once, in the order they were given; a text is split at commas and line ends.

    Raises: TooMany, TooLong, NotPrintable.
    """
    found: dict[str, str] = {}
    for each in _split(given):
        word = one_line(each, longest=LONGEST_SPECIALITY)
        if word:
            found.setdefault(word.casefold(), word)
    if len(found) > MOST_SPECIALITIES:
        raise TooMany(params={"most": MOST_SPECIALITIES})
    return list(found.values())


def checked_languages(given: str | Iterable[str]) -> list[str]:
    """Return the codes of languages named by code or name, each once, in the order they were given.

    Raises: UnknownLanguage, TooMany.
    """
    found: dict[str, None] = {}
    for each in _split(given):
        text = one_line(each, longest=60)
        if text:
            found[_code_of_language(text)] = None
    if len(found) > MOST_LANGUAGES:
        raise TooMany(params={"most": MOST_LANGUAGES})
    return list(found)


def language_name(code: str, locale: str = "") -> str:
    """Return a language's name in the reader's language."""
    return str(l10n.locale_of(locale or get_language() or "en").languages.get(code, code))


@lru_cache(maxsize=1)
def language_codes() -> frozenset[str]:
    """Return the codes of the languages one can choose: every one CLDR knows by two letters."""
    return frozenset(code for each in l10n.locale_of("en").languages if len(code := str(each)) == 2)


def _code_of_language(text: str) -> str:
    word = text.casefold()
    if word in language_codes():
        return word
    for locale in dict.fromkeys((get_language() or "en", "en")):
        code = _by_name(locale).get(word)
        if code:
            return code
    code = _by_own_name().get(word)
    if not code:
        raise UnknownLanguage(params={"text": text})
    return code


@lru_cache(maxsize=8)
def _by_name(locale: str) -> dict[str, str]:
    names = l10n.locale_of(locale).languages
    return {str(names[code]).casefold(): code for code in language_codes() if code in names}


@lru_cache(maxsize=1)
def _by_own_name() -> dict[str, str]:
    return {str(l10n.locale_of(code).languages.get(code, code)).casefold(): code for code in language_codes()}


def _split(given: str | Iterable[str]) -> list[str]:
    return re.split(r"[,;\n]", given) if isinstance(given, str) else [str(each) for each in given]
