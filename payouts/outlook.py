"""Say, when a statement is issued, how its balance will be paid: by which method, what will be withheld, and in which currency at
which rate. Nothing here moves money; the pay run computes again on the day it pays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from partners.models import Membership
from payouts import fx
from payouts.models import PaymentMethod, Period, Withholding
from payouts.withheld import base_of, vat_within
from prm.lib.money import Money
from tiers.choices import FxMoment


def method_of(membership: Membership) -> PaymentMethod | None:
    """Return where the partner's balance in the program's currency goes, if it said so."""
    current = PaymentMethod.objects.current()
    return current.filter(partner=membership.partner_id, currency=membership.program.currency).first()


def of_payment(
    membership: Membership,
    period: Period,
    closing: Money,
    method: PaymentMethod | None,
    *,
    at: datetime,
    due_on: date | None,
) -> dict[str, Any]:
    """Return what is expected to be withheld and sent, and the rate where the program fixes it with the statement.

    Raises: payouts.fx.NoRate.
    """
    if due_on is None:
        return {"expected": None, "fx": None}
    rule = Withholding.objects.on(due_on).filter(partner=membership.partner_id).order_by("-starts_on").first()
    withheld = Money(0, closing.currency)
    if rule is not None:
        vat_minor = vat_within({membership.pk: period}).get(membership.pk, 0)
        withheld = base_of(closing, vat_minor).portion(rule.rate / 100)
    sent = closing - withheld
    expected = {
        "withheld_minor": withheld.minor,
        "sent_minor": sent.minor,
        "rate": format(rule.rate.normalize(), "f") if rule is not None else "0",
        "basis": rule.basis if rule is not None else "",
    }
    return {"expected": expected, "fx": _rate(membership, period, sent, method, at=at)}


def _rate(
    membership: Membership, period: Period, sent: Money, method: PaymentMethod | None, *, at: datetime
) -> dict[str, Any] | None:
    if method is None or method.payout_currency == sent.currency:
        return None
    if membership.program.fx_moment != FxMoment.STATEMENT:
        return None
    found = fx.rate_for(sent.currency, method.payout_currency, on=period.as_month.last_on)
    kept = replace(found, row=fx.kept(found, at=at))
    return {
        **kept.facts(),
        "rate_on": kept.on.isoformat(),
        "amount_minor": fx.convert(sent, kept).minor,
        "currency": kept.quote,
    }
