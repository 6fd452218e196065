"""Record that a partner lets a legal entity write its invoices: which text, who agreed, when and from where. A mandate has its own series
of numbers and is ended by either side, never rewritten."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Partner
from payouts import numbers
from payouts.choices import TaxStatus, VatMode
from payouts.models import SelfBillingMandate, TaxProfile
from payouts.tax import agreement, profiles
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User
    from tiers.models import LegalEntity, Program

_SERIES = "mandate"
_ALL_YEARS = 0  # mandates are numbered through
_LONGEST_PREFIX = 16
_ADDRESS = ("street", "postcode", "town")


class OnlyThePartnerAgrees(Refused):
    message = _("Only an owner or a finance member of the partner can agree to self-billing.")


class AnotherVersion(Refused):
    message = _("The agreement has changed since this page was opened. Please read it again.")


class ProfileMissing(Refused):
    message = _("Enter your tax details first.")


class NotForPrivatePersons(Refused):
    message = _("Invoices are for businesses; a private person is paid by statement.")


class AddressMissing(Refused):
    message = _("An invoice needs your full address: street, postcode and town.")


class EntityIncomplete(Refused):
    message = _(
        "%(entity)s cannot write invoices yet: its address or VAT number is missing. We have to complete it."
    )


class AlreadyEnded(Refused):
    message = _("This agreement has ended already.")


def in_force(partner: Partner, legal_entity: LegalEntity, *, at: datetime) -> SelfBillingMandate | None:
    """Return the mandate by which the entity writes the partner's invoices at an instant."""
    found = SelfBillingMandate.objects.filter(
        partner=partner, legal_entity=legal_entity, ended_at=None, agreed_at__lte=at
    )
    return found.order_by("-agreed_at", "-pk").first()


@transaction.atomic
def agree(
    partner: Partner,
    legal_entity: LegalEntity,
    *,
    version: str,
    by: User,
    at: datetime,
    address: str | None = None,
) -> SelfBillingMandate:
    """Record the agreement as shown in the partner's language; the one in force is returned when there is one.

    Raises: OnlyThePartnerAgrees, AnotherVersion, ProfileMissing, NotForPrivatePersons, AddressMissing, EntityIncomplete.
    """
    if not profiles.is_of_the_partner(partner, by):
        raise OnlyThePartnerAgrees
    if version != agreement.VERSION:
        raise AnotherVersion
    partner = Partner.objects.lock().get(pk=partner.pk)
    require_possible(partner, legal_entity, at=at)
    held = in_force(partner, legal_entity, at=at)
    if held is not None:
        return held
    mandate = SelfBillingMandate.objects.create(
        partner=partner,
        legal_entity=legal_entity,
        agreement_version=version,
        agreement_text=agreement.text_for(partner, legal_entity),
        accepts_after_days=agreement.ACCEPTS_AFTER_DAYS,
        series_prefix=_next_prefix(legal_entity),
        agreed_at=at,
        agreed_by=by,
        agreed_from=address or None,
    )
    audit.record(
        by, "mandate.agreed", mandate, at=at, version=version, series=mandate.series_prefix, address=address
    )
    return mandate


def require_possible(partner: Partner, legal_entity: LegalEntity, *, at: datetime) -> None:
    """Let a partner through whose invoices the entity could write now.

    Raises: ProfileMissing, NotForPrivatePersons, AddressMissing, EntityIncomplete.
    """
    _require(partner, profiles.in_force(partner, at=at), legal_entity)


def impossible(program: Program, *, at: datetime) -> list[tuple[Partner, Refused]]:
    """Return the partners of a program whose invoices could not be written at an instant, each with the reason; two queries."""
    mandates = SelfBillingMandate.objects.filter(
        legal_entity=program.legal_entity,
        ended_at=None,
        agreed_at__lte=at,
        partner__memberships__program=program,
    )
    partners = {each.partner_id: each.partner for each in mandates.select_related("partner")}
    standing = TaxProfile.objects.in_force(at=at).filter(partner__in=partners)
    by_partner = {profile.partner_id: profile for profile in standing}
    found: list[tuple[Partner, Refused]] = []
    for pk, partner in sorted(partners.items()):
        try:
            _require(partner, by_partner.get(pk), program.legal_entity)
        except Refused as refusal:
            found.append((partner, refusal))
    return found


def _require(partner: Partner, profile: TaxProfile | None, legal_entity: LegalEntity) -> None:
    if profile is None:
        raise ProfileMissing
    if profile.status == TaxStatus.PRIVATE:
        raise NotForPrivatePersons
    if not all(getattr(partner, name) for name in _ADDRESS):
        raise AddressMissing
    needs_number = profile.vat_mode in (VatMode.DOMESTIC, VatMode.REVERSE_CHARGE)
    is_complete = all(getattr(legal_entity, name) for name in _ADDRESS)
    if not is_complete or (needs_number and not legal_entity.vat_number):
        raise EntityIncomplete(params={"entity": legal_entity.name})


@transaction.atomic
def end(mandate: SelfBillingMandate, *, by: User, at: datetime) -> SelfBillingMandate:
    """Write no more invoices by this mandate; the partner may end it, and staff who manage taxes.

    Raises: Forbidden, AlreadyEnded.
    """
    if not profiles.is_of_the_partner(mandate.partner, by):
        policy.require(by, "manage_tax")
    if not SelfBillingMandate.objects.filter(pk=mandate.pk, ended_at=None).update(ended_at=at, ended_by=by):
        raise AlreadyEnded
    mandate.refresh_from_db()
    audit.record(by, "mandate.ended", mandate, at=at, series=mandate.series_prefix)
    return mandate


def _next_prefix(legal_entity: LegalEntity) -> str:
    """Return the beginning of the numbers of a new mandate, such as HG-SB-0007."""
    number = numbers.draw(legal_entity, series=_SERIES, year=_ALL_YEARS)
    prefix = f"{legal_entity.number_prefix}-SB-{number:04d}"
    # Eight letters and five digits leave no room for the second hyphen.
    return prefix if len(prefix) <= _LONGEST_PREFIX else f"{legal_entity.number_prefix}-SB{number}"
