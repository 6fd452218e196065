"""Check a VAT number as far as it checks itself: shape, length and check digit of its country. Whether it was given out, only a tax
office knows; a country without a rule here keeps what was written when it is made of letters and digits."""

from __future__ import annotations

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from stdnum import exceptions, get_cc_module
from stdnum.ch import vat as swiss
from stdnum.eu import vat as union
from stdnum.gb import vat as british
from stdnum.no import mva as norwegian

from prm.lib import l10n
from prm.lib.errors import Refused

# Greece writes EL on its VAT numbers and GR everywhere else.
EU = frozenset(
    ("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
     "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK")
)  # fmt: skip
LONGEST = 20


class BadVatNumber(Refused):
    message = _("This is not a VAT number of %(country)s: letters or digits stand where they may not.")
    code = "bad_vat_number"
    field = "vat_number"


class WrongVatLength(BadVatNumber):
    message = _("A VAT number of %(country)s is longer or shorter than this one.")
    code = "bad_vat_number"


class WrongVatCheckDigit(BadVatNumber):
    message = _("This number has a wrong check digit: one character is mistyped or two are swapped.")
    code = "bad_vat_number"


def checked_number(text: str, country: str) -> str:
    """Return a VAT number in the form documents carry, its country's letters in front; the empty text stays empty.

    Raises: BadVatNumber and its kinds.
    """
    plain = "".join(text.split()).upper()
    if not plain:
        return ""
    values: dict[str, object] = {"country": _name(country)}
    try:
        number = _normal(plain, country)
    except exceptions.InvalidLength as error:
        raise WrongVatLength(params=values) from error
    except exceptions.InvalidChecksum as error:
        raise WrongVatCheckDigit(params=values) from error
    except exceptions.ValidationError as error:
        raise BadVatNumber(params=values) from error
    if len(number) > LONGEST:
        raise WrongVatLength(params=values)
    if not number.isascii():
        raise BadVatNumber(params=values)
    return number


def _normal(text: str, country: str) -> str:
    if country in EU:
        prefix = "EL" if country == "GR" else country
        return str(union.validate(text if text.startswith(prefix) else prefix + text))
    if country == "GB":
        return f"GB{british.validate(text)}"
    if country == "CH":
        return str(swiss.validate(text))
    if country == "NO":
        return f"NO{norwegian.validate(text)}"
    elsewhere = get_cc_module(country, "vat") if country else None
    return str(elsewhere.validate(text)) if elsewhere else _letters_and_digits(text)


def _letters_and_digits(text: str) -> str:
    if not text.replace("-", "").replace(".", "").isalnum():
        raise exceptions.InvalidFormat
    return text


def _name(country: str) -> str:
    """Return the country in the reader's language, the code where it has no name."""
    names = l10n.locale_of(get_language() or "en").territories
    return str(names.get(country, country))
