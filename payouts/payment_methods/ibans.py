"""Check an IBAN and a BIC as far as they check themselves: shape, length in the country, check digits. Whether the account exists only
the bank knows."""

from __future__ import annotations

import re

from django.utils.translation import gettext_lazy as _
from stdnum import bic as stdnum_bic
from stdnum import iban as stdnum_iban
from stdnum import numdb
from stdnum.exceptions import ValidationError as NotANumber

from prm.lib.errors import Refused

_SHAPE = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_SEPARATORS = re.compile(r"[\s.\-]+")


class BadIban(Refused):
    message = _("This is not an IBAN.")
    field = "iban"


class WrongCheckDigits(BadIban):
    message = _("The check digits of this IBAN are wrong: one character is mistyped or two are swapped.")


class WrongIbanLength(BadIban):
    message = _("An IBAN from %(country)s has %(wanted)s characters, this one has %(given)s.")


class UnknownIbanCountry(BadIban):
    message = _("%(country)s is not a country with IBANs.")


class BadBic(Refused):
    message = _("A BIC has 8 or 11 characters, such as DEUTDEFF or BARCGB22XXX.")
    field = "bic"


def checked_iban(text: str) -> str:
    """Return the IBAN in capitals without separators.

    Raises: BadIban and its kinds.
    """
    number = _SEPARATORS.sub("", text).upper()
    if not _SHAPE.fullmatch(number):
        raise BadIban
    country = number[:2]
    wanted = _length_in(country)
    if wanted is None:
        raise UnknownIbanCountry(params={"country": country})
    if len(number) != wanted:
        raise WrongIbanLength(params={"country": country, "wanted": wanted, "given": len(number)})
    # 00, 01 and 99 satisfy the remainder but are never given out: the check digits run from 02 to 98.
    if not "02" <= number[2:4] <= "98" or remainder(number) != 1:
        raise WrongCheckDigits
    try:
        # National checks are left out: the library refuses genuine Belgian numbers.
        stdnum_iban.validate(number, check_country=False)
    except NotANumber as error:
        raise BadIban from error
    return number


def checked_bic(text: str) -> str:
    """Return the BIC in capitals; nothing when none was given.

    Raises: BadBic.
    """
    if not text.strip():
        return ""
    try:
        return stdnum_bic.validate(text)
    except NotANumber as error:
        raise BadBic from error


def remainder(number: str) -> int:
    """Return what is left of an IBAN after division by 97; 1 when its check digits are right."""
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97


def _length_in(country: str) -> int | None:
    [found, *_rest] = numdb.get("iban").info(country + "00" + "0" * 30)
    structure = found[1].get("bban")
    if structure is None:
        return None
    return 4 + sum(int(size) for size in re.findall(r"([0-9]+)!", structure))
