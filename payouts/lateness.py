"""Find payments that are late: a statement whose payment date has passed while nothing for it is on its way."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef

from payouts.choices import PaymentState, StatementState
from payouts.models import Payment, Statement
from payouts.models.statement import StatementQuerySet


def late_statements(*, at: datetime) -> StatementQuerySet:
    """Return the issued statements that should have been paid before the day of `at`."""
    under_way = Payment.objects.filter(
        # A payment keeps naming the statement it was made for, which may have been corrected since.
        statement__membership=OuterRef("membership"),
        statement__period=OuterRef("period"),
        state__in=[PaymentState.SENT, PaymentState.SETTLED],
    )
    return Statement.objects.filter(
        state=StatementState.ISSUED, due_on__lt=at.date(), closing_minor__gt=0
    ).exclude(Exists(under_way))
