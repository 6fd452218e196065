"""Say what preparing a pay run would give, without preparing it: the real verb is called and everything it wrote is taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import models, transaction

from payouts.choices import LeftOut
from payouts.models import Payment, PayRun
from payouts.pay_runs.compute import prepare
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.models import User
    from tiers.models import LegalEntity


@dataclass(frozen=True)
class Sums:
    """What a run pays: before tax, the tax kept back, what the banks are told in each currency, and who is left out why."""

    payments: int
    total: Money
    withheld: Money
    sent: tuple[Money, ...]
    left_out: dict[LeftOut, tuple[int, Money]]


def preview(legal_entity: LegalEntity, *, currency: str, execute_on: date, by: User, at: datetime) -> Sums:
    """Return what `prepare` with the same words would give at `at`.

    Raises: what `prepare` raises.
    """
    with transaction.atomic():
        run = prepare(legal_entity, currency=currency, execute_on=execute_on, by=by, at=at)
        found = sums_of(run)
        transaction.set_rollback(True)
    return found


def sums_of(run: PayRun) -> Sums:
    """Return the sums of a run in three queries."""
    payments = Payment.objects.standing().filter(pay_run=run).order_by()
    whole = payments.aggregate(
        count=models.Count("pk"), total=models.Sum("amount_minor"), withheld=models.Sum("withheld_minor")
    )
    sent = payments.order_by("sent_currency").values_list("sent_currency").annotate(models.Sum("sent_minor"))
    left_out = (
        run.exceptions.order_by()
        .values_list("reason")
        .annotate(count=models.Count("pk"), total=models.Sum("amount_minor"))
        .order_by("-count", "reason")
    )
    return Sums(
        payments=whole["count"],
        total=Money(whole["total"] or 0, run.currency),
        withheld=Money(whole["withheld"] or 0, run.currency),
        sent=tuple(Money(minor, currency) for currency, minor in sent),
        left_out={LeftOut(reason): (count, Money(minor, run.currency)) for reason, count, minor in left_out},
    )


def as_words(sums: Sums) -> dict[str, object]:
    """Return the sums as the commands print them."""
    return {
        "payments": sums.payments,
        "total_minor": sums.total.minor,
        "withheld_minor": sums.withheld.minor,
        "sent": _by_currency(sums.sent),
        "left_out": {reason.value: count for reason, (count, _amount) in sums.left_out.items()},
        "left_out_minor": {reason.value: amount.minor for reason, (_count, amount) in sums.left_out.items()},
    }


def _by_currency(amounts: Iterable[Money]) -> dict[str, int]:
    return {amount.currency: amount.minor for amount in amounts}
