"""Join refunds to the sales they name. What is refunded of a sale never exceeds the sale, and a refund that arrives before its sale
waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Sum
from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from prm.lib.events import announce
from prm.lib.money import Money
from referrals.choices import ConversionState, CreditReason
from referrals.customers import among
from referrals.events import ConversionsAttributed
from referrals.facts import Event, Key
from referrals.models import Conversion, Credit
from tiers.choices import EventKind


class NotASale(Refused):
    """The event a refund names is a refund itself, or was declined."""

    message = _("The event %(original)s cannot be refunded.")
    code = "not_a_sale"
    field = "original_event_id"


class OtherCurrencyThanSale(Refused):
    """A refund is in another currency than its sale."""

    message = _("The refund is in %(given)s but the sale was in %(expected)s.")
    field = "currency"


class MoreThanSold(Refused):
    """The refunds of a sale would add up to more than the sale."""

    message = _("Only %(left)s of this sale is left to refund.")
    field = "amount"


@dataclass
class Original:
    """A sale held under lock while refunds are counted against it."""

    pk: int
    kind: str
    state: str
    amount: Money
    refunded_minor: int = 0

    def take(self, amount: Money, *, name: str) -> None:
        """Count one more refund.

        Raises: NotASale, OtherCurrencyThanSale, MoreThanSold.
        """
        if self.kind == EventKind.REFUND or self.state == ConversionState.REJECTED:
            raise NotASale(params={"original": name})
        if amount.currency != self.amount.currency:
            raise OtherCurrencyThanSale(params={"given": amount.currency, "expected": self.amount.currency})
        left = self.amount.minor - self.refunded_minor
        if amount.minor > left:
            raise MoreThanSold(params={"left": str(Money(left, amount.currency))})
        self.refunded_minor += amount.minor

    def give_back(self, amount: Money) -> None:
        """Count one refund less, one that turned out not to be ours."""
        self.refunded_minor -= amount.minor

    @property
    def state_now(self) -> str:
        """Return the state the counted refunds put the sale in."""
        if self.refunded_minor == 0:
            return ConversionState.RECORDED
        whole = self.refunded_minor == self.amount.minor
        return ConversionState.REFUNDED if whole else ConversionState.PARTIALLY_REFUNDED


def lock_originals(events: Iterable[Event]) -> dict[Key, Original]:
    """Lock the sales that the refunds among `events` name, those that have arrived, and count what is refunded of them.

    The lock is the weak one: rows that only point at the sale, such as commission, do not wait for it.
    """
    keys = {event.original_key for event in events if event.original_external_id}
    return _hold(among(keys)) if keys else {}


def link_waiting(sales: dict[Key, Original], *, at: datetime) -> list[int]:
    """Join the refunds that waited for `sales`, which the caller holds; return those that got a credit.

    One that is more than what is left of its sale is declined; it was taken in before anybody could know.
    """
    waiting = Conversion.objects.waiting_for_original().filter(among(sales, field="original_external_id"))
    rows = waiting.select_for_update(of=("self",), no_key=True).order_by("pk")
    joined: dict[int, int] = {}
    for refund in sorted(rows, key=lambda row: (row.occurred_at, row.external_id)):
        original = sales[refund.source, refund.original_external_id]
        state = ConversionState.RECORDED
        try:
            original.take(refund.amount, name=refund.original_external_id)
        except Refused:
            state = ConversionState.REJECTED
        moved = Conversion.objects.filter(pk=refund.pk, original=None).update(
            original_id=original.pk, state=state
        )
        if moved and state == ConversionState.RECORDED:
            joined[refund.pk] = original.pk
    return copy_credits(joined, at=at)


def copy_credits(originals: dict[int, int], *, at: datetime) -> list[int]:
    """Credit refunds (keys) as their sales (values) are credited; return the refunds that have a credit now."""
    if not originals:
        return []
    by_sale: dict[int, list[Credit]] = {}
    for credit in Credit.objects.filter(conversion__in=set(originals.values())).order_by("pk"):
        by_sale.setdefault(credit.conversion_id, []).append(credit)
    occurred = dict(Conversion.objects.filter(pk__in=originals).values_list("pk", "occurred_at"))
    copies = [
        Credit(
            conversion_id=refund,
            membership_id=credit.membership_id,
            role=credit.role,
            share=credit.share,
            reason=CreditReason.ORIGINAL,
            code_id=credit.code_id,
            click_id=credit.click_id,
            occurred_at=occurred[refund],
            attributed_at=at,
        )
        for refund, sale in sorted(originals.items())
        for credit in by_sale.get(sale, ())
    ]
    Credit.objects.bulk_create(copies)
    return sorted({copy.conversion_id for copy in copies})


def write_states(originals: Iterable[Original]) -> None:
    """Write the state of every sale whose refunds have moved it; the caller holds the sales."""
    for original in sorted(originals, key=lambda row: row.pk):
        if original.state not in (original.state_now, ConversionState.REJECTED):
            Conversion.objects.filter(pk=original.pk).update(state=original.state_now)


def waiting_and_ready() -> list[Key]:
    """Return the keys of sales that have arrived while a refund was still waiting for them, at most 500."""
    arrived = Conversion.objects.filter(
        source=OuterRef("source"), external_id=OuterRef("original_external_id")
    )
    rows = Conversion.objects.waiting_for_original().filter(Exists(arrived)).order_by("pk")
    return list(rows.values_list("source", "original_external_id")[:500])


@transaction.atomic
def sweep(*, at: datetime) -> int:
    """Join refunds and sales that two workers recorded at the same moment; return how many sales were found.

    Recording joins them whenever it sees both; only two transactions that cannot see each other leave this work.
    """
    keys = waiting_and_ready()
    if not keys:
        return 0
    sales = _hold(among(keys))
    credited = link_waiting(sales, at=at)
    write_states(sales.values())
    if credited:
        announce(ConversionsAttributed(tuple(credited)))
    return len(sales)


def _hold(condition: object) -> dict[Key, Original]:
    rows = Conversion.objects.filter(condition).select_for_update(of=("self",), no_key=True).order_by("pk")
    held = {row.pk: row for row in rows}
    refunded = dict(
        Conversion.objects.filter(original__in=held)
        .exclude(state=ConversionState.REJECTED)
        .values_list("original")
        .annotate(minor=Sum("amount_minor"))
    )
    return {
        (row.source, row.external_id): Original(pk, row.kind, row.state, row.amount, int(refunded.get(pk, 0)))
        for pk, row in held.items()
    }
