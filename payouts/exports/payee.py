"""What files need to know of whom a payment goes to: the account in the shape of its kind, and whether a person or a company holds it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from payouts.choices import PaymentMethodKind, TaxStatus
from payouts.models import Payment, TaxProfile


def details_of(payment: Payment) -> dict[str, str]:
    """Return what the kind of account needs besides an IBAN, such as `routing_number` or `email`."""
    known = json.loads(payment.details) if payment.details else {}
    return {name: str(value) for name, value in known.items()}


def account_text(payment: Payment) -> str:
    """Return the account on one line, for files people read."""
    details = details_of(payment)
    if payment.kind == PaymentMethodKind.BANK_IBAN:
        return payment.iban
    if payment.kind == PaymentMethodKind.US_ACCOUNT:
        names = ("routing_number", "account_number", "account_type")
        return " ".join(details[name] for name in names if name in details)
    if payment.kind in (PaymentMethodKind.PAYPAL, PaymentMethodKind.WISE):
        return details.get("email", "")
    return " ".join(details.get("instructions", "").split())


def held_by_people(payments: Iterable[Payment], *, at: datetime) -> frozenset[int]:
    """Return the partners among the payees who are private persons by the tax profile in force at `at`."""
    partners = {payment.membership.partner_id for payment in payments}
    private = TaxProfile.objects.in_force(at=at).filter(status=TaxStatus.PRIVATE, partner__in=partners)
    return frozenset(private.values_list("partner", flat=True))
