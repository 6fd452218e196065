"""Add the account a partner is paid to. A new account replaces the old one, waits before it is used, and both the old and the new
contacts hear of it, because changed bank details are how salaries and commissions get stolen."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from stdnum import bic as stdnum_bic
from stdnum import iban as stdnum_iban
from stdnum import numdb
from stdnum.exceptions import ValidationError as NotANumber

from partners.choices import TeamRole
from partners.models import Partner
from partners.readers import Reader
from payouts import notices
from payouts.choices import PaymentMethodKind
from payouts.models import PaymentMethod
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.fields import blind_index
from prm.lib.money import UnknownCurrency, exponent

if TYPE_CHECKING:
    from prm.accounts.models import User

COOLING_HOURS = 72
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


class BadHolder(Refused):
    message = _("Write the name of the account holder as the bank knows it, up to 70 characters.")
    field = "holder"


class BadCurrency(Refused):
    message = _("%(currency)s is not a currency we can pay in.")
    field = "currency"


class NotYourMoney(Refused):
    message = _("Only an owner or a finance member of the partner may set its bank account.")


@transaction.atomic
def add(
    partner: Partner, *, currency: str, holder: str, iban: str, by: User, at: datetime, bic: str = ""
) -> PaymentMethod:
    """Make this account the one `partner` is paid to in `currency`, from some days on, in place of the one before.

    The same account again changes nothing.

    Raises: NotYourMoney, BadIban and its kinds, BadBic, BadHolder, BadCurrency.
    """
    require_may_set(partner, by)
    number, name, bank = checked_iban(iban), _checked_holder(holder), _checked_bic(bic)
    _check_currency(currency)
    partner = Partner.objects.lock().get(pk=partner.pk)
    before = PaymentMethod.objects.current().lock().filter(partner=partner, currency=currency).first()
    index = blind_index(number)
    if before is not None and (before.account_index, before.holder, before.bic) == (index, name, bank):
        return before
    if before is not None:
        PaymentMethod.objects.filter(pk=before.pk, replaced_at=None).update(replaced_at=at, replaced_by=by)
    method = PaymentMethod.objects.create(
        partner=partner,
        currency=currency,
        payout_currency=currency,
        kind=PaymentMethodKind.BANK_IBAN,
        holder=name,
        iban=number,
        ending=number[-4:],
        account_index=index,
        bic=bank,
        added_at=at,
        added_by=by,
        usable_at=at + timedelta(hours=getattr(settings, "PRM_METHOD_COOLING_HOURS", COOLING_HOURS)),
    )
    audit.record(by, "payment_method.added", method, at=at, ending=method.ending, replaces=before)
    notices.tell_bank_details_changed(method, also=_who_added(before))
    return method


def require_may_set(partner: Partner, by: User) -> None:
    """Let owners and finance members of the partner through, and staff who confirm payment methods.

    Raises: NotYourMoney.
    """
    roles = [TeamRole.OWNER, TeamRole.FINANCE]
    is_ours = partner.members.current().filter(user=by, role__in=roles).exists()
    if not is_ours and not policy.may(by, "confirm_payment_methods"):
        raise NotYourMoney


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
    if not "02" <= number[2:4] <= "98" or _remainder(number) != 1:
        raise WrongCheckDigits
    try:
        # National checks are left out: the library refuses genuine Belgian numbers.
        stdnum_iban.validate(number, check_country=False)
    except NotANumber as error:
        raise BadIban from error
    return number


def _length_in(country: str) -> int | None:
    [found, *_rest] = numdb.get("iban").info(country + "00" + "0" * 30)
    structure = found[1].get("bban")
    if structure is None:
        return None
    return 4 + sum(int(size) for size in re.findall(r"([0-9]+)!", structure))


def _remainder(number: str) -> int:
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97


def _checked_bic(text: str) -> str:
    if not text.strip():
        return ""
    try:
        return stdnum_bic.validate(text)
    except NotANumber as error:
        raise BadBic from error


def _checked_holder(text: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > 70 or any(unicodedata.category(character)[0] == "C" for character in name):
        raise BadHolder
    return name


def _check_currency(currency: str) -> None:
    try:
        exponent(currency)
    except UnknownCurrency as error:
        raise BadCurrency(params={"currency": currency[:10]}) from error


def _who_added(before: PaymentMethod | None) -> list[Reader]:
    if (
        before is None
        or not before.added_by.is_active
        or policy.may(before.added_by, "confirm_payment_methods")
    ):
        return []
    person = before.added_by
    return [Reader(person.email, person.language, person.get_full_name())]
