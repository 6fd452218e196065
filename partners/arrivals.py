"""See to applications that have just begun to count: rules are asked first, and what they leave to people is given to somebody."""

from __future__ import annotations

import logging
from datetime import datetime

from partners import assignment, eligibility
from partners.choices import ApplicationState
from partners.models import Application

log = logging.getLogger(__name__)
AT_ONCE = 200


def receive(application: Application, *, at: datetime) -> None:
    """Ask the rules about an application, and give it to an account manager unless they decided."""
    eligibility.decide(application, at=at)
    application.refresh_from_db(fields=["state"])
    if application.state in ApplicationState.undecided():
        assignment.assign_by_itself(application, at=at)


def sweep(*, at: datetime) -> int:
    """Find applications nobody saw to: the bell was missed, or nobody had room. Return how many were looked at."""
    missed = set(eligibility.missed(at=at).values_list("pk", flat=True)[:AT_ONCE])
    waiting = assignment.unassigned().values_list("pk", flat=True)[:AT_ONCE]
    found = Application.objects.filter(pk__in=missed | set(waiting)).order_by("submitted_at", "pk")
    seen = 0
    for application in found:
        try:
            receive(application, at=at)
        except Exception:
            log.exception("Application %s could not be seen to.", application.public_id)
        seen += 1
    return seen
