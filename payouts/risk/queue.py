"""What waits for somebody to look at: cases that should have been decided by now, and signals nobody has put into a case or set aside."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from payouts.choices import RiskSeverity
from payouts.models import RiskCase, RiskSignal
from payouts.models.risk import RiskCaseQuerySet
from prm.lib.periods import local_day
from tiers.models import Program


def overdue(*, at: datetime) -> RiskCaseQuerySet:
    """Return the open cases whose day is over where their program is."""
    late = models.Q(pk__in=[])
    waiting = RiskCase.objects.open().filter(review_on__lte=at.date())
    for program in Program.objects.filter(memberships__risk_cases__in=waiting).distinct():
        late |= models.Q(membership__program=program, review_on__lt=local_day(at, program.zone))
    return RiskCase.objects.open().filter(late)


def cases_open() -> int:
    """Return how many cases nobody has decided."""
    return RiskCase.objects.open().count()


def signals_waiting() -> dict[str, int]:
    """Return how many signals wait, those of low severity apart."""
    free = RiskSignal.objects.unseen().order_by()
    return {
        "waiting": free.exclude(severity=RiskSeverity.LOW).count(),
        "waiting_low": free.filter(severity=RiskSeverity.LOW).count(),
    }
