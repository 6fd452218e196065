"""Decide which VAT an invoice of a partner to a legal entity carries, from the two countries and the partner's status. The partner is the
one who supplies: the place of a service between businesses is where the entity sits (Directive 2006/112/EC, articles 44 and 196)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from stdnum.fr import siren, siret

from payouts.choices import TaxStatus, VatMode
from payouts.tax.rates import EU, standard_rate
from prm.lib.errors import Refused
from prm.lib.money import Money
from prm.lib.vat import BadVatNumber as BadVatNumber
from prm.lib.vat import checked_number as checked_number

if TYPE_CHECKING:
    from tiers.models import LegalEntity

NOTHING = Decimal("0.00")


class BadRegistrationNumber(Refused):
    message = _("A SIREN has 9 digits and a SIRET 14; the check digit of this one is wrong.")
    field = "registration_number"


@dataclass(frozen=True, slots=True)
class Vat:
    """What VAT is charged: the mode, and the rate in percent, which is zero unless it is charged."""

    mode: VatMode
    rate: Decimal = NOTHING

    def on(self, net: Money) -> Money:
        """Return the VAT on an amount, rounded once."""
        return amount_on(net, self.rate)


def amount_on(net: Money, rate: Decimal) -> Money:
    """Return the VAT of a document: `rate` percent of its taxable sum, rounded half away from zero once."""
    return net.portion(rate / 100)


def mode_for(
    legal_entity: LegalEntity, country: str, status: str, *, has_number: bool = True, on: date
) -> Vat:
    """Return what a partner in `country` charges the legal entity on a day.

    The special scheme of the country of the entity for small businesses is left to staff: an exempt business is exempt, whichever
    country the entity sits in.
    """
    buyer = legal_entity.country_code
    if status == TaxStatus.SMALL_BUSINESS:
        return Vat(VatMode.EXEMPT)
    if status != TaxStatus.BUSINESS:
        return Vat(VatMode.OUTSIDE_SCOPE)
    if country == buyer:
        rate = standard_rate(country, on=on)
        return Vat(VatMode.DOMESTIC, rate.quantize(NOTHING)) if rate else Vat(VatMode.OUTSIDE_SCOPE)
    if country in EU and buyer in EU and has_number:
        return Vat(VatMode.REVERSE_CHARGE)
    return Vat(VatMode.OUTSIDE_SCOPE)


def checked_registration(text: str, country: str, vat_number: str) -> str:
    """Return a registration number; a French one is the SIREN, which its VAT number ends in.

    Raises: BadRegistrationNumber.
    """
    plain = " ".join(text.split())
    if country != "FR":
        return plain
    if not plain:
        return vat_number[-9:] if siren.is_valid(vat_number[-9:]) else ""
    digits = plain.replace(" ", "")
    if siren.is_valid(digits):
        return digits
    if siret.is_valid(digits):
        return digits[:9]
    raise BadRegistrationNumber
