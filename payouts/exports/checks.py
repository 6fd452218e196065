"""What a file for a bank or a payment provider must get right beyond its form. A file in which one of these is found is never stored:
the refusal names the code, the payment and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from stdnum import bic as stdnum_bic
from stdnum import iban as stdnum_iban
from stdnum.exceptions import ValidationError as NotANumber
from stdnum.us import rtn

from prm.lib.errors import Refused

_EMAIL = re.compile(r"[A-Za-z0-9_][^@\s,;\"']*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_OUTSIDE = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_NAMED = 3

SENTENCES: dict[str, Promise] = {
    "unreadable": _("the file cannot be read: %(detail)s"),
    "unknown_message": _("%(detail)s is not a message banks take from us"),
    "wrong_count": _("the file says %(detail)s"),
    "wrong_sum": _("the control sum is wrong: %(detail)s"),
    "repeated_batch": _("two batches have the id %(detail)s"),
    "mixed_currencies": _("one batch holds several currencies: %(detail)s"),
    "date_passed": _(
        "the payment date %(detail)s has passed; cancel the run and prepare it with a later one"
    ),
    "not_a_bank_day": _("banks do not pay on the day asked for; the next one is %(detail)s"),
    "bad_iban": _("the IBAN is wrong"),
    "bad_bic": _("%(detail)s is not a BIC"),
    "pays_itself": _("it goes to the account it comes from"),
    "outside_sepa": _("%(detail)s is outside the SEPA area"),
    "wrong_charges": _("SEPA payments share charges, and this one says %(detail)s"),
    "bad_characters": _("banks refuse these characters: %(detail)s"),
    "bad_slashes": _("banks refuse a reference with slashes like these: %(detail)s"),
    "missing_name": _("a name is missing"),
    "missing_id": _("the end-to-end id is missing"),
    "repeated_id": _("the end-to-end id is used twice"),
    "repeated_payment": _("another one pays the same amount to the same account with the same reference"),
    "address_incomplete": _("the address needs a town and a country, and lacks %(detail)s"),
    "address_unstructured": _("the address is written in free lines, which banks refuse since November 2026"),
    "wrong_decimals": _("%(detail)s has the wrong number of decimals"),
    "not_positive": _("the amount is %(detail)s"),
    "amount_too_large": _("%(detail)s is more than one payment can carry"),
    "differs_from_books": _("the file says %(detail)s"),
    "wrong_currency": _("%(detail)s cannot be sent this way"),
    "missing_us_bank": _(
        "the legal entity needs the routing number of its US bank and its company id there (%(detail)s)"
    ),
    "bad_routing_number": _("the routing number is wrong"),
    "bad_account_number": _("the account number is not one: up to 17 letters and digits"),
    "bad_account_type": _("the account is neither checking nor savings"),
    "bad_email": _("%(detail)s is not an e-mail address"),
    "id_too_long": _("the id has %(detail)s characters, more than the provider takes"),
    "no_decimals_taken": _("the provider takes whole amounts only in this currency, not %(detail)s"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `payment` names the payment, and is empty when the whole file is meant."""

    code: str
    payment: str = ""
    detail: str = ""

    def __str__(self) -> str:
        sentence = str(SENTENCES[self.code]) % {"detail": self.detail}
        return f"{self.payment}: {sentence}" if self.payment else sentence


class FileRefused(Refused):
    message = _("The file was not made. %(problems)s.")

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(code=problems[0].code, params={"problems": _listed(self.problems)})


def refuse_if(problems: Iterable[Problem]) -> None:
    """Let a file pass in which nothing is wrong.

    Raises: FileRefused.
    """
    found = list(problems)
    if found:
        raise FileRefused(found)


def is_iban(text: str) -> bool:
    """Say whether `text` is an IBAN as banks give them out, without spaces.

    The check digits run from 02 to 98: the others satisfy the remainder and are never given out. National checks are left out,
    because the library refuses genuine Belgian numbers.
    """
    if not _IBAN.fullmatch(text) or not "02" <= text[2:4] <= "98":
        return False
    try:
        stdnum_iban.validate(text, check_country=False)
    except NotANumber:
        return False
    return True


def is_bic(text: str) -> bool:
    """Say whether `text` has the shape of a BIC, in capitals."""
    try:
        return str(stdnum_bic.validate(text)) == text
    except NotANumber:
        return False


def is_routing_number(text: str) -> bool:
    """Say whether `text` is the routing number of a US bank, by its check digit."""
    try:
        return str(rtn.validate(text)) == text and text.isascii()
    except NotANumber:
        return False


def is_email(text: str) -> bool:
    """Say whether a payment provider can take `text` for an address."""
    return len(text) <= 127 and text.isascii() and _EMAIL.fullmatch(text) is not None


def outside_character_set(text: str) -> str:
    """Return the characters of `text` that the SEPA character set does not have, each once."""
    return "".join(dict.fromkeys(_OUTSIDE.findall(text)))


def _listed(problems: Sequence[Problem]) -> str:
    named = "; ".join(str(problem) for problem in islice(problems, _NAMED))
    further = len(problems) - _NAMED
    return (
        named
        if further <= 0
        else str(_("%(named)s; and %(count)s more")) % {"named": named, "count": further}
    )
