"""Issue the statements a month still misses, after a close that was interrupted or for a member that was added later. A month that is
open has none yet, and a balance that a later statement already carries on is never given another one before it."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts import periods, statements
from payouts.choices import PeriodState
from payouts.models import Period, Statement
from prm.accounts import policy
from prm.lib.db import persistently
from prm.lib.errors import Refused
from prm.lib.periods import Month
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User


class MonthStillOpen(Refused):
    message = _("%(month)s of %(program)s is still open. Close it: that issues its statements.")
    field = "month"


class LaterStatementOut(Refused):
    message = _(
        "%(partner)s has statement %(number)s of a later month already, which carries its balance on."
    )


def period_of(program: Program, month: Month) -> Period:
    """Return the month, which is being closed or closed.

    Raises: MonthStillOpen.
    """
    shut = Period.objects.filter(program=program, year=month.year, month=month.month).exclude(
        state=PeriodState.OPEN
    )
    period = shut.select_related("program").first()
    if period is None:
        raise MonthStillOpen(params={"month": str(month), "program": program.name})
    return period


def missing(period: Period) -> models.QuerySet[Membership]:
    """Return the memberships that belong on the month and have no statement of it in force."""
    mine = Statement.objects.in_force().filter(membership=models.OuterRef("pk"), period=period)
    return periods.members_of(period).exclude(models.Exists(mine))


def issue(membership: Membership, period: Period, *, by: User, at: datetime) -> Statement:
    """Issue the statement one membership misses, as the close of its month would have.

    Raises: Forbidden, LaterStatementOut, payouts.fx.NoRate.
    """
    policy.require(by, "issue_statements")
    later = models.Q(period__year__gt=period.year) | models.Q(
        period__year=period.year, period__month__gt=period.month
    )
    out = Statement.objects.in_force().filter(later, membership=membership).first()
    if out is not None:
        raise LaterStatementOut(params={"partner": membership.partner.name, "number": out.number})
    if (
        period.state == PeriodState.CLOSED
    ):  # it takes no postings any more: what came since is in the open month
        return persistently(partial(statements.issue, membership, period=period, at=at))
    return persistently(partial(periods.settle_membership, membership, period, at=at))
