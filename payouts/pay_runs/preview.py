"""Say what preparing a pay run would give, without preparing it: the real verb is called and everything it wrote is taken back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import transaction

from payouts.choices import LeftOut
from payouts.models import PayRunException
from payouts.pay_runs.prepare import prepare
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.models import User
    from tiers.models import LegalEntity


@dataclass(frozen=True)
class Preview:
    """What a run would pay, and how many are left out for which reason."""

    payments: int
    total: Money
    left_out: dict[LeftOut, int]


def preview(legal_entity: LegalEntity, *, currency: str, execute_on: date, by: User, at: datetime) -> Preview:
    """Return what `prepare` with the same words would give at `at`.

    Raises: what `prepare` raises.
    """
    with transaction.atomic():
        run = prepare(legal_entity, currency=currency, execute_on=execute_on, by=by, at=at)
        reasons = PayRunException.objects.filter(pay_run=run).values_list("reason", flat=True)
        counted = Counter(LeftOut(reason) for reason in reasons)
        transaction.set_rollback(True)
    return Preview(run.payment_count, Money(run.total_minor, run.currency), dict(counted.most_common()))
