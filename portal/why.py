"""The drawer “Why this amount”: the explanation every page and document prints, with where the line stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from payouts.explained import line as explained
from payouts.explained.facts import Row as Figure
from payouts.explained.line import Explanation
from payouts.explained.story import Step, payments_of
from payouts.models import Commission
from portal import lines
from portal.status import StatusWord

__all__ = ["Figure", "Step", "Why", "explain", "readable"]


@dataclass(frozen=True)
class Why:
    """The explanation of one line with its status."""

    found: Explanation
    status: StatusWord


def readable(found: QuerySet[Commission]) -> QuerySet[Commission]:
    """Return lines with all that `explain` reads."""
    return explained.readable(found)


def explain(line: Commission, *, at: datetime) -> Why:
    """Return the explanation of a line that came from `readable`."""
    payments = payments_of([line])
    status = lines.status_of(line, line.membership.program.zone, payments)
    return Why(explained.explain(line, at=at, payments=payments), status)
