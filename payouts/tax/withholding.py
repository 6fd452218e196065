"""Keep which share of a partner's payments goes to the tax office, and from when to when. One row holds on any day; the pay run computes
the amount, once per payment."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partners.models import Partner
from payouts.models import Withholding
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

_CENT = Decimal("0.01")


class BadPercent(Refused):
    message = _("Write a percentage from 0 to 100 with at most two decimals.")
    field = "rate"


class BasisMissing(Refused):
    message = _("Name the law, treaty or certificate it rests on.")
    field = "basis"


class StartsTooEarly(Refused):
    message = _("Another rate holds on that day: choose a day after %(day)s.")
    field = "starts_on"


class EndsTooEarly(Refused):
    message = _("It must end after the day it began.")
    field = "ends_on"


class AlreadyEnded(Refused):
    message = _("This rate has ended already.")


def rate_on(partner: Partner, day: date) -> Withholding | None:
    """Return what is withheld from a payment on `day`, None for nothing."""
    return on(day, partner_ids=[partner.pk]).get(partner.pk)


def on(day: date, *, partner_ids: list[int]) -> dict[int, Withholding]:
    """Return what is withheld from payments on `day`, by partner; who is missing pays nothing."""
    found = Withholding.objects.on(day).filter(partner__in=partner_ids).order_by("starts_on", "pk")
    return {row.partner_id: row for row in found}


@transaction.atomic
def set_rate(
    partner: Partner, *, rate: Decimal, basis: str, starts_on: date, by: User, at: datetime
) -> Withholding:
    """Withhold `rate` percent of payments from a day on; what held until then ends that day.

    Raises: Forbidden, BadPercent, BasisMissing, StartsTooEarly.
    """
    policy.require(by, "manage_tax")
    reason = " ".join(basis.split())
    if not (0 <= rate <= 100) or rate != rate.quantize(_CENT):
        raise BadPercent
    if not reason:
        raise BasisMissing
    partner = Partner.objects.lock().get(pk=partner.pk)
    later = Withholding.objects.filter(partner=partner).filter(
        Q(starts_on__gte=starts_on) | Q(ends_on__gt=starts_on)
    )
    busy = later.order_by("-starts_on").first()
    if busy is not None:
        raise StartsTooEarly(params={"day": max(busy.starts_on, busy.ends_on or busy.starts_on).isoformat()})
    Withholding.objects.filter(partner=partner, ends_on=None).update(ends_on=starts_on)
    row = Withholding.objects.create(
        partner=partner, rate=rate, basis=reason, starts_on=starts_on, set_at=at, set_by=by
    )
    audit.record(by, "withholding.set", row, at=at, rate=rate, basis=reason, starts_on=starts_on.isoformat())
    return row


@transaction.atomic
def end(withholding: Withholding, *, ends_on: date, by: User, at: datetime) -> Withholding:
    """Withhold nothing more from `ends_on` on.

    Raises: Forbidden, EndsTooEarly, AlreadyEnded.
    """
    policy.require(by, "manage_tax")
    if ends_on <= withholding.starts_on:
        raise EndsTooEarly
    if not Withholding.objects.filter(pk=withholding.pk, ends_on=None).update(ends_on=ends_on):
        raise AlreadyEnded
    withholding.refresh_from_db()
    audit.record(by, "withholding.ended", withholding, at=at, ends_on=ends_on.isoformat())
    return withholding
