"""Say what tax is withheld from: what a payment pays less the VAT in it, because VAT is the partner's to hand on and no income. A payment
pays all that was stated until its month, hence the VAT since the last one."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Sum

from payouts.choices import AccountKind, PaymentState, TransactionKind
from payouts.models import Entry, Payment, Period
from prm.lib.money import Money

_OUT = (PaymentState.SENT, PaymentState.SETTLED)


def base_of(amount: Money, vat_minor: int) -> Money:
    """Return the part of a payment that tax is withheld from: never less than nothing, and never more than all of it."""
    return Money(min(max(amount.minor - vat_minor, 0), amount.minor), amount.currency)


def vat_within(months: Mapping[int, Period]) -> dict[int, int]:
    """Return the VAT, in minor units, that no payment has paid yet at the end of a month, by membership; three queries in all."""
    paid: dict[int, int] = {}
    payments = Payment.objects.filter(membership__in=months, state__in=_OUT).order_by()
    month_of = ("statement__period__year", "statement__period__month")
    for member, year, month in payments.values_list("membership", *month_of).distinct():
        before = _number(months[member].year, months[member].month)
        if _number(year, month) < before:  # the month's own payment is the one that is asked about
            paid[member] = max(paid.get(member, 0), _number(year, month))
    found: dict[int, int] = {}
    for side, sign in (("credit", 1), ("debit", -1)):
        owner, kind = f"{side}__membership", f"{side}__kind"
        rows = (
            Entry.objects.filter(
                **{f"{owner}__in": list(months), kind: AccountKind.PAYABLE},
                transaction__kind=TransactionKind.VAT,
            )
            .order_by()
            .values_list(owner, "transaction__period__year", "transaction__period__month")
            .annotate(Sum("amount_minor"))
        )
        for member, year, month, minor in rows:
            last = _number(months[member].year, months[member].month)
            if paid.get(member, 0) < _number(year, month) <= last:
                found[member] = found.get(member, 0) + sign * minor
    return found


def _number(year: int, month: int) -> int:
    return year * 12 + month
