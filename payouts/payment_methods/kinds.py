"""Check what each kind of payment method needs and bring it into one form: what is kept, what is shown of it, and by what the same
account is recognised. Of what is kept only the ending is ever shown."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from payouts.choices import PaymentMethodKind
from payouts.payment_methods.ibans import checked_bic, checked_iban
from prm.lib.errors import Refused
from prm.lib.fields import blind_index

LONGEST_INSTRUCTIONS = 500
_HIDDEN = "•••"
_SEPARATORS = re.compile(r"[\s.\-]+")
# Where the routing numbers of American banks begin: districts, thrifts, electronic ones, the government and traveller's cheques.
_DISTRICTS = (range(13), range(21, 33), range(61, 73), range(80, 81))


class BadKind(Refused):
    message = _("We cannot pay this way.")
    field = "kind"


class BadRoutingNumber(Refused):
    message = _("A US routing number has 9 digits. Look for it on a cheque or in your online banking.")
    field = "routing_number"


class WrongRoutingDigits(BadRoutingNumber):
    message = _("The check digit of this routing number is wrong: one digit is mistyped or two are swapped.")


class BadAccountNumber(Refused):
    message = _("A US account number has 4 to 17 digits.")
    field = "account_number"


class BadAccountType(Refused):
    message = _("Say whether this is a checking or a savings account.")
    field = "account_type"


class BadAddressOfMail(Refused):
    message = _("Write the e-mail address the account is known by.")
    field = "email"


class BadInstructions(Refused):
    message = _("Write how we can pay you, in up to 500 characters.")
    field = "instructions"


@dataclass(frozen=True)
class Account:
    """A checked account. `details` is JSON text or nothing; `index` is equal for the same account at two partners."""

    kind: str
    ending: str
    index: str
    iban: str = field(default="", repr=False)
    bic: str = ""
    details: str = field(default="", repr=False)


def checked(kind: str, given: Mapping[str, str], *, partner_pk: int) -> Account:
    """Return the account that `given` describes; fields of other kinds are ignored.

    Raises: BadKind and whatever is wrong with a field of the kind.
    """
    check = _CHECKS.get(kind)
    if check is None:
        raise BadKind
    return check(given, partner_pk)


def _iban(given: Mapping[str, str], _partner_pk: int) -> Account:
    number, bic = checked_iban(given.get("iban", "")), checked_bic(given.get("bic", ""))
    return Account(
        PaymentMethodKind.BANK_IBAN, ending=number[-4:], index=blind_index(number), iban=number, bic=bic
    )


def _us_account(given: Mapping[str, str], _partner_pk: int) -> Account:
    routing = checked_routing_number(given.get("routing_number", ""))
    number = _SEPARATORS.sub("", given.get("account_number", ""))
    if not re.fullmatch(r"[0-9]{4,17}", number) or not number.strip("0"):
        raise BadAccountNumber
    kind_of_account = given.get("account_type", "")
    if kind_of_account not in ("checking", "savings"):
        raise BadAccountType
    details = {"routing_number": routing, "account_number": number, "account_type": kind_of_account}
    # Of a short number less is shown, so that what is shown is never most of it.
    shown = number[-4:] if len(number) >= 8 else number[-2:]
    return _account(PaymentMethodKind.US_ACCOUNT, shown, f"{routing}:{number}", details)


def checked_routing_number(text: str) -> str:
    """Return a US routing number without separators.

    Raises: BadRoutingNumber and its kind.
    """
    number = _SEPARATORS.sub("", text)
    if not re.fullmatch(r"[0-9]{9}", number) or not any(int(number[:2]) in each for each in _DISTRICTS):
        raise BadRoutingNumber
    digits = [int(digit) for digit in number]
    if sum(digit * weight for digit, weight in zip(digits, (3, 7, 1) * 3, strict=True)) % 10 or not any(
        digits
    ):
        raise WrongRoutingDigits
    return number


def _by_mail(kind: PaymentMethodKind) -> Callable[[Mapping[str, str], int], Account]:
    def check(given: Mapping[str, str], _partner_pk: int) -> Account:
        address = given.get("email", "").strip()
        try:
            validate_email(address)
        except ValidationError as error:
            raise BadAddressOfMail from error
        if len(address) > 254:
            raise BadAddressOfMail
        return _account(kind, masked_mail(address), address.casefold(), {"email": address})

    return check


def masked_mail(address: str) -> str:
    """Return an address by its first character and its domain."""
    local, _at, domain = address.rpartition("@")
    shown = f"{local[:1]}{_HIDDEN}@{domain}"
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


def _other(given: Mapping[str, str], partner_pk: int) -> Account:
    lines = unicodedata.normalize("NFC", given.get("instructions", "")).strip().splitlines()
    text = "\n".join(" ".join(line.split()) for line in lines)
    if not text or len(text) > LONGEST_INSTRUCTIONS or _has_controls(text.replace("\n", "")):
        raise BadInstructions
    # "Cheque by post" at two partners is no shared account, so the words count for one partner only.
    return _account(PaymentMethodKind.OTHER, "", f"{partner_pk}:{text.casefold()}", {"instructions": text})


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(character)[0] == "C" for character in text)


def _account(kind: PaymentMethodKind, ending: str, same: str, details: Mapping[str, str]) -> Account:
    text = json.dumps(details, ensure_ascii=False, sort_keys=True)
    return Account(kind, ending=ending, index=blind_index(f"{kind.value}:{same}"), details=text)


_CHECKS: Mapping[str, Callable[[Mapping[str, str], int], Account]] = {
    PaymentMethodKind.BANK_IBAN.value: _iban,
    PaymentMethodKind.US_ACCOUNT.value: _us_account,
    PaymentMethodKind.PAYPAL.value: _by_mail(PaymentMethodKind.PAYPAL),
    PaymentMethodKind.WISE.value: _by_mail(PaymentMethodKind.WISE),
    PaymentMethodKind.OTHER.value: _other,
}
