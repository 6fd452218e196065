"""Keep the address of a partner in parts, as files for banks need it. Only transfers to bank accounts carry one."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Partner
from payouts.choices import PaymentMethodKind
from payouts.payment_methods.verbs import require_may_set
from prm import audit
from prm.lib.countries import code_of, is_code
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

BANK_KINDS = (PaymentMethodKind.BANK_IBAN.value, PaymentMethodKind.US_ACCOUNT.value)
PARTS = ("street", "building_number", "postcode", "town", "country")
_MAY_BE_EMPTY = frozenset({"building_number", "postcode"})  # Ireland and Hong Kong have places without them
_LONGEST = {"street": 70, "building_number": 16, "postcode": 16, "town": 35, "country": 64}


class BadAddress(Refused):
    message = _("The bank needs this part of your address.")


class AddressTooLong(BadAddress):
    message = _("The bank takes up to %(longest)s characters here.")


class BadCountry(BadAddress):
    message = _("Choose the country of your address.")
    field = "country"


@transaction.atomic
def set_address(
    partner: Partner,
    *,
    street: str,
    building_number: str,
    postcode: str,
    town: str,
    country: str,
    by: User,
    at: datetime,
) -> Partner:
    """Keep where the partner is at home, for the files banks get. The same address again changes nothing.

    Raises: NotYourMoney, BadAddress and its kinds, each naming its field.
    """
    require_may_set(partner, by)
    given = dict(zip(PARTS, (street, building_number, postcode, town, country), strict=True))
    parts = {name: _checked(name, text) for name, text in given.items()}
    if not is_code(code_of(parts["country"])):
        raise BadCountry
    partner = Partner.objects.lock().get(pk=partner.pk)
    changed = [name for name in PARTS if getattr(partner, name) != parts[name]]
    if not changed:
        return partner
    for name in changed:
        setattr(partner, name, parts[name])
    partner.save(update_fields=changed)
    audit.record(by, "partner.address_changed", partner, at=at, changed=changed)
    return partner


def missing_parts(partner: Partner) -> list[str]:
    """Return which parts of the address a file for a bank would miss."""
    return [name for name in PARTS if name not in _MAY_BE_EMPTY and not getattr(partner, name).strip()]


def _checked(name: str, text: str) -> str:
    value = " ".join(unicodedata.normalize("NFC", text).split())
    if not value and name not in _MAY_BE_EMPTY:
        raise BadAddress(field=name)
    if len(value) > _LONGEST[name]:
        raise AddressTooLong(field=name, params={"longest": _LONGEST[name]})
    if any(unicodedata.category(character)[0] == "C" for character in value):
        raise BadAddress(field=name)
    return value
