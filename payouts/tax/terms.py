"""Answer which VAT a membership's statement carries. None means that nobody writes an invoice for the partner: its statement has no VAT."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from payouts.choices import TaxStatus, VatMode
from payouts.models import SelfBillingMandate, TaxProfile
from payouts.tax import mandates, profiles, vat
from prm.lib.money import Money

if TYPE_CHECKING:
    from partners.models import Membership


@dataclass(frozen=True, slots=True)
class VatTerms:
    """What an invoice issued now would carry; `note` says in a word why."""

    mode: VatMode
    rate: Decimal
    mandate: SelfBillingMandate
    profile: TaxProfile
    note: str

    def vat_on(self, net: Money) -> Money:
        """Return the VAT on a document's taxable sum, with its sign, rounded once."""
        return vat.amount_on(net, self.rate)


def terms_for(membership: Membership, *, at: datetime) -> VatTerms | None:
    """Return the VAT terms of a membership at an instant.

    What follows from countries is derived for the entity of the membership's own program, by the rates of the day; what staff set by
    hand counts as it was set.
    """
    entity = membership.program.legal_entity
    mandate = mandates.in_force(membership.partner, entity, at=at)
    if mandate is None:
        return None
    profile = profiles.in_force(membership.partner, at=at)
    if profile is None or profile.status == TaxStatus.PRIVATE:
        return None
    if profile.is_set_by_hand:
        return VatTerms(VatMode(profile.vat_mode), profile.vat_rate, mandate, profile, "by_hand")
    day = at.astimezone(membership.program.zone).date()
    found = vat.mode_for(
        entity, profile.country_code, profile.status, has_number=bool(profile.vat_number), on=day
    )
    return VatTerms(found.mode, found.rate, mandate, profile, "derived")
