"""Know whose tax details have to be looked at again: the partner changed its country or its legal name after they were set. They hold until
somebody confirms or changes them, so nobody is paid by no rule at all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from partners import profiles
from partners.models import Partner
from payouts.models import TaxProfile
from prm.audit.models import AuditEvent

CONFIRMED = "tax_profile.confirmed"
_NEVER = datetime.min.replace(tzinfo=UTC)


def asked_again(partner_ids: Iterable[int], *, at: datetime) -> set[int]:
    """Return those of the partners whose tax details are older than their country or legal name; three queries."""
    standing = {
        row.partner_id: row
        for row in TaxProfile.objects.in_force(at=at).filter(partner__in=list(partner_ids))
    }
    if not standing:
        return set()
    changed = profiles.identity_changed(standing)
    if not changed:
        return set()
    confirmed = _confirmed([row.pk for row in standing.values()])
    return {
        partner_id
        for partner_id, changed_at in changed.items()
        if changed_at > max(standing[partner_id].set_at, confirmed.get(standing[partner_id].pk, _NEVER))
    }


def is_asked_again(partner: Partner, *, at: datetime) -> bool:
    """Say whether the partner has to look at its tax details again."""
    return partner.pk in asked_again([partner.pk], at=at)


def everybody(*, at: datetime) -> set[int]:
    """Return every partner whose tax details wait to be confirmed."""
    changed = AuditEvent.objects.filter(action=profiles.IDENTITY_CHANGED).values_list("object_pk", flat=True)
    return asked_again({int(pk) for pk in changed}, at=at)


def keeps_vat_number(partner: Partner, at: datetime) -> bool:
    """Say whether the VAT number comes from the tax details, which are then its one source."""
    return TaxProfile.objects.in_force(at=at).filter(partner=partner).exists()


def _confirmed(profile_ids: list[int]) -> dict[int, datetime]:
    events = AuditEvent.objects.filter(
        action=CONFIRMED,
        object_type=TaxProfile._meta.label_lower,
        object_pk__in=[str(pk) for pk in profile_ids],
    )
    return {int(pk): at for pk, at in events.order_by("at", "pk").values_list("object_pk", "at")}
