"""Keep who a partner is to the tax office. A change ends the row in force and begins the next one, and whichever VAT follows from country
and status is derived here, so that nobody has to know the rules to enter them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.choices import TeamRole
from partners.models import Partner
from payouts.choices import TaxStatus, VatMode
from payouts.models import TaxProfile
from payouts.tax import vat
from payouts.tax.rates import EU, has_vat
from prm import audit
from prm.accounts import policy
from prm.lib import countries
from prm.lib.errors import Refused
from tiers.models import LegalEntity

if TYPE_CHECKING:
    from prm.accounts.models import User

_FACTS = (
    "country_code",
    "status",
    "vat_mode",
    "vat_rate",
    "vat_number",
    "registration_number",
    "exemption_reason",
    "needs_form",
    "is_set_by_hand",
)
_MOST = Decimal(50)


class NotYourTaxes(Refused):
    message = _("Only an owner or a finance member of the partner may set its tax details.")


class UnknownCountry(Refused):
    message = _("Choose the country the business is taxed in.")
    field = "country_code"


class UnknownStatus(Refused):
    message = _("Choose one of the statuses.")
    field = "status"


class VatNumberMissing(Refused):
    message = _("A business registered for VAT has a VAT number.")
    field = "vat_number"


class NumberMissing(Refused):
    message = _(
        "A small business gives its VAT number or its registration number: its invoices must name one."
    )
    field = "registration_number"


class NotAbroad(Refused):
    message = _(
        "A business in the EU, Great Britain, Switzerland or Norway is registered for VAT or a small business."
    )
    field = "status"


class BadRate(Refused):
    message = _(
        "Domestic VAT has a rate above 0 and up to 50 percent with two decimals; other modes have none."
    )
    field = "vat_rate"


class ReasonMissing(Refused):
    message = _("Say why no VAT is charged.")
    field = "exemption_reason"


@dataclass(frozen=True, slots=True)
class TaxFacts:
    """What somebody enters. `mode` and `rate` are set by staff alone; left out, they follow from the rest."""

    country_code: str
    status: str
    vat_number: str = ""
    registration_number: str = ""
    exemption_reason: str = ""
    needs_form: bool | None = None
    mode: str = ""
    rate: Decimal | None = None


def require_may_set(partner: Partner, by: User) -> None:
    """Let owners and finance members of the partner through, and staff who manage taxes.

    Raises: NotYourTaxes.
    """
    if not is_of_the_partner(partner, by) and not policy.may(by, "manage_tax"):
        raise NotYourTaxes


def is_of_the_partner(partner: Partner, by: User) -> bool:
    """Say whether `by` is an owner or a finance member of the partner."""
    roles = [TeamRole.OWNER, TeamRole.FINANCE]
    return partner.members.current().filter(user=by, role__in=roles).exists()


def in_force(partner: Partner, *, at: datetime) -> TaxProfile | None:
    """Return the profile that holds at an instant."""
    return TaxProfile.objects.in_force(at=at).filter(partner=partner).order_by("-starts_at", "-pk").first()


def entities_of(partner: Partner) -> list[LegalEntity]:
    """Return the legal entities that pay the partner, the one it joined first in front."""
    found = partner.memberships.select_related("program__legal_entity").order_by("joined_at", "pk")
    return list({each.program.legal_entity_id: each.program.legal_entity for each in found}.values())


@transaction.atomic
def set_profile(partner: Partner, facts: TaxFacts, *, by: User, at: datetime) -> TaxProfile:
    """End the partner's tax profile and begin another one; the same facts again change nothing.

    Raises: NotYourTaxes, UnknownCountry, UnknownStatus, BadVatNumber, BadRegistrationNumber, VatNumberMissing, NumberMissing,
    NotAbroad, BadRate, ReasonMissing, Forbidden.
    """
    require_may_set(partner, by)
    if facts.mode or facts.needs_form is not None:
        policy.require(by, "manage_tax")
    partner = Partner.objects.lock().get(pk=partner.pk)
    before = in_force(partner, at=at)
    values = columns_for(partner, checked(facts), before=before, on=at.date())
    if before is not None and all(getattr(before, name) == values[name] for name in _FACTS):
        # Whoever was asked again and answers the same has looked, which is what was asked for.
        audit.record(by, "tax_profile.confirmed", before, at=at)
        return before
    if before is not None:
        TaxProfile.objects.filter(pk=before.pk, ends_at=None).update(ends_at=at)
    profile = TaxProfile.objects.create(partner=partner, starts_at=at, set_at=at, set_by=by, **values)
    # Statements and the partner's page show the number from there; it has one source from now on.
    Partner.objects.filter(pk=partner.pk).update(vat_number=profile.vat_number)
    audit.record(
        by,
        "tax_profile.set",
        profile,
        at=at,
        replaces=before,
        country=profile.country_code,
        status=profile.status,
        vat_mode=profile.vat_mode,
        vat_rate=profile.vat_rate,
        by_hand=profile.is_set_by_hand,
    )
    return profile


def checked(facts: TaxFacts) -> TaxFacts:
    """Return the facts with their numbers in normal form.

    Raises: see set_profile.
    """
    country = facts.country_code.strip().upper()
    if not countries.is_code(country):
        raise UnknownCountry
    if facts.status not in TaxStatus.values:
        raise UnknownStatus
    number = vat.checked_number(facts.vat_number, country)
    registration = vat.checked_registration(facts.registration_number, country, number)
    if facts.status == TaxStatus.BUSINESS and has_vat(country) and not number:
        raise VatNumberMissing
    if facts.status == TaxStatus.SMALL_BUSINESS and not (number or registration):
        raise NumberMissing
    if facts.status == TaxStatus.BUSINESS_ABROAD and (country in EU or has_vat(country)):
        raise NotAbroad
    return replace(facts, country_code=country, vat_number=number, registration_number=registration)


def columns_for(
    partner: Partner, facts: TaxFacts, *, before: TaxProfile | None = None, on: date
) -> dict[str, Any]:
    """Return the columns of a profile from checked facts, the VAT derived unless staff chose it.

    Raises: BadRate, ReasonMissing.
    """
    entities = entities_of(partner)
    found = _by_hand(facts) if facts.mode else derived(entities, facts, on=on)
    needs_form = facts.needs_form
    if needs_form is None:
        is_american = any(entity.country_code == "US" for entity in entities)
        needs_form = before.needs_form if before is not None else is_american
    return {
        "country_code": facts.country_code,
        "status": facts.status,
        "vat_mode": found.mode,
        "vat_rate": found.rate,
        "vat_number": facts.vat_number,
        "registration_number": facts.registration_number,
        "exemption_reason": " ".join(facts.exemption_reason.split()),
        "needs_form": needs_form,
        "is_set_by_hand": bool(facts.mode),
    }


def derived(entities: list[LegalEntity], facts: TaxFacts, *, on: date) -> vat.Vat:
    """Return the VAT that follows from the facts, towards the first entity; without one nothing is charged."""
    if not entities:
        return vat.Vat(VatMode.OUTSIDE_SCOPE)
    return vat.mode_for(
        entities[0], facts.country_code, facts.status, has_number=bool(facts.vat_number), on=on
    )


def _by_hand(facts: TaxFacts) -> vat.Vat:
    rate = facts.rate if facts.rate is not None else vat.NOTHING
    is_domestic = facts.mode == VatMode.DOMESTIC
    if facts.mode not in VatMode.values or rate != rate.quantize(vat.NOTHING):
        raise BadRate
    if not (0 < rate <= _MOST if is_domestic else rate == 0):
        raise BadRate
    if facts.mode == VatMode.EXEMPT and not facts.exemption_reason.strip():
        raise ReasonMissing
    return vat.Vat(VatMode(facts.mode), rate.quantize(vat.NOTHING))
