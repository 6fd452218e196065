"""Close a program's month: only when it is over, everything in it is rated, and the months before it are closed. Closing
releases what is due and issues one statement per membership; it can be stopped at any point and called again."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts import fx, month_lines, release, statements
from payouts.calendar import for_posting as for_posting
from payouts.calendar import month_of
from payouts.choices import AccountKind, AdjustmentState, CommissionState, PeriodState, StatementKind
from payouts.models import Adjustment, Commission, Dispute, Entry, Pause, Period, Statement
from payouts.tax import mandates
from prm import audit
from prm.accounts import policy
from prm.lib.db import persistently
from prm.lib.errors import Refused
from prm.lib.periods import Month, months_between
from referrals.models import Credit
from tiers.choices import FxMoment
from tiers.models import Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from prm.accounts.models import User


class MonthNotOver(Refused):
    message = _("%(month)s is not over yet in %(zone)s.")
    field = "month"


class EarlierMonthOpen(Refused):
    message = _("Close %(month)s first.")
    field = "month"


class BeforeFirstMonth(Refused):
    message = _("The first month of this program is %(month)s.")
    field = "month"


class EventsNotRated(Refused):
    message = _(
        "%(count)s events up to the end of %(month)s are not rated yet. Workers are on it; try again shortly."
    )
    field = "month"


class LinesInReview(Refused):
    message = _(
        "%(count)s commissions up to the end of %(month)s are still in review. Decide about them first."
    )
    field = "month"


class RateMissing(Refused):
    message = _(
        "Statements need the exchange rate from %(base)s to %(quote)s for %(day)s. Import the rates or enter it first."
    )
    field = "month"


class InvoiceNotPossible(Refused):
    message = _("The self-billed invoice of %(partner)s cannot be written: %(why)s")
    field = "month"


def preconditions(program: Program, month: Month, *, at: datetime) -> list[Refused]:
    """Return everything that keeps the month from being closed at `at`, in the order people fix it."""
    found: list[Refused] = []
    ends_at = month.ends_at(program.zone)
    if at < ends_at:
        found.append(MonthNotOver(params={"month": str(month), "zone": program.time_zone}))
    first = _first_month(program)
    if first is not None and month < first:
        # Closing it would make every month since then one that has to be closed in its turn.
        found.append(BeforeFirstMonth(params={"month": str(first)}))
    earlier = _first_open_before(program, month)
    if earlier is not None:
        found.append(EarlierMonthOpen(params={"month": str(earlier)}))
    unrated = Credit.objects.unrated().filter(membership__program=program, occurred_at__lt=ends_at).count()
    if unrated:
        found.append(EventsNotRated(params={"count": unrated, "month": str(month)}))
    in_review = Commission.objects.filter(
        membership__program=program, state=CommissionState.IN_REVIEW, effective_at__lt=ends_at
    ).count()
    if in_review:
        found.append(LinesInReview(params={"count": in_review, "month": str(month)}))
    if program.fx_moment == FxMoment.STATEMENT:
        day = {"day": month.last_on.isoformat()}
        for base, quote in fx.missing_for(program, on=month.last_on):
            found.append(RateMissing(params={"base": base, "quote": quote, **day}))
    last_instant = ends_at - datetime.resolution
    for partner, why in mandates.impossible(program, at=last_instant):
        found.append(InvoiceNotPossible(params={"partner": partner.name, "why": str(why)}))
    return found


def open_matters(program: Program, month: Month) -> dict[str, int]:
    """Count what is undecided and does not keep the month open: whatever comes of it is booked in a later one."""
    ends_at = month.ends_at(program.zone)
    mine = models.Q(membership__program=program)
    return {
        "disputes": Dispute.objects.open().filter(mine, opened_at__lt=ends_at).count(),
        "adjustments": Adjustment.objects.filter(
            mine, state=AdjustmentState.PROPOSED, proposed_at__lt=ends_at
        ).count(),
        "pauses": Pause.objects.open().filter(mine, paused_at__lt=ends_at).count(),
    }


def close(
    program: Program,
    month: Month,
    *,
    by: User,
    at: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> Period:
    """Close `month` of `program` and issue its statements; a closed month is returned as it is.

    `progress` is told how many memberships are done and how many there are.
    Raises: Forbidden, MonthNotOver, BeforeFirstMonth, EarlierMonthOpen, EventsNotRated, LinesInReview, RateMissing,
        InvoiceNotPossible.
    """
    policy.require(by, "close_periods")
    first = _first_month(program)
    if first is not None and month < first:  # asked before the row exists: it would become the first month
        raise BeforeFirstMonth(params={"month": str(first)})
    period = month_of(program, month)
    if period.state == PeriodState.CLOSED:
        return period
    _begin(period, month, by=by, at=at)
    members = list(members_of(period))
    for done, membership in enumerate(members, start=1):
        persistently(partial(settle_membership, membership, period, at=at))
        if progress is not None:
            progress(done, len(members))
    return _finish(period, by=by, at=at)


def members_of(period: Period) -> models.QuerySet[Membership]:
    """Return the memberships that get a statement for the month: all that had joined before it ended, and not left before
    it began, and any other that has money in it."""
    joined = models.Q(joined_at__lt=period.ends_at) & (
        models.Q(ended_at=None) | models.Q(ended_at__gte=period.starts_at)
    )
    with_money = models.Q(
        pk__in=Commission.objects.filter(period__program=period.program).values("membership")
    ) | models.Q(accounts__program=period.program, accounts__kind=AccountKind.PAYABLE)
    return (
        Membership.objects.filter(program=period.program)
        .filter(joined | with_money)
        .select_related("program__legal_entity", "partner")
        .distinct()
        .order_by("pk")
    )


@transaction.atomic
def settle_membership(membership: Membership, period: Period, *, at: datetime) -> Statement:
    """Write what the month brings the membership, release what it owes and issue its statement, together or not at all."""
    Membership.objects.lock().get(pk=membership.pk)
    issued = Statement.objects.in_force().filter(membership=membership, period=period).first()
    if issued is not None:
        return issued  # a close that goes on: what came due since then belongs to the next month
    month_lines.post(membership, period, at=at)
    last_instant = period.ends_at - datetime.resolution
    release.release_membership(membership, until=last_instant, at=at, into=period)
    return statements.issue(membership, period=period, at=at)


@transaction.atomic
def _begin(period: Period, month: Month, *, by: User, at: datetime) -> None:
    """Shut the month for everything but releases, once, if nothing speaks against it."""
    locked = Period.objects.filter(pk=period.pk).lock().get()
    if locked.state != PeriodState.OPEN:
        return  # an interrupted close goes on where it stopped
    for refusal in preconditions(period.program, month, at=at):
        raise refusal
    Period.objects.filter(pk=period.pk, state=PeriodState.OPEN).update(state=PeriodState.CLOSING)
    audit.record(by, "period.closing", period, at=at)


@transaction.atomic
def _finish(period: Period, *, by: User, at: datetime) -> Period:
    locked = Period.objects.filter(pk=period.pk).lock().get()
    if locked.state == PeriodState.CLOSING:
        locked.state = PeriodState.CLOSED
        # Somebody else who closes the same month may have begun later and issued some of its statements.
        last = Statement.objects.filter(period=locked).aggregate(last=models.Max("issued_at"))["last"]
        locked.closed_at, locked.closed_by = max(at, last or at), by
        locked.control_totals = control_totals(locked)
        locked.save(update_fields=["state", "closed_at", "closed_by", "control_totals"])
        audit.record(by, "period.closed", locked, at=at, totals=locked.control_totals)
    return locked


def control_totals(period: Period) -> dict[str, int]:
    """Return counts and sums of the month, in minor units, to be compared again at any time; entries also by kind and currency.

    Statements count as the close issued them: what is corrected or issued afterwards leaves the totals as they were.
    """
    lines = Commission.objects.filter(period=period).aggregate(
        n=models.Count("pk"), total=models.Sum("amount_minor")
    )
    first = Statement.objects.filter(period=period, kind=StatementKind.STATEMENT, corrects=None)
    if period.closed_at is not None:
        first = first.filter(issued_at__lte=period.closed_at)
    issued = first.aggregate(n=models.Count("pk"), total=models.Sum("closing_minor"))
    entries = Entry.objects.filter(transaction__period=period)
    posted = entries.aggregate(n=models.Count("pk"), total=models.Sum("amount_minor"))
    by_kind = (
        entries.order_by().values_list("transaction__kind", "currency").annotate(models.Sum("amount_minor"))
    )
    return {
        "commission_lines": lines["n"],
        "commission_minor": lines["total"] or 0,
        "statements": issued["n"],
        "closing_minor": issued["total"] or 0,
        "entries": posted["n"],
        "entries_minor": posted["total"] or 0,
        **{f"{kind}_minor_{currency}": total for kind, currency, total in by_kind},
    }


def _first_open_before(program: Program, month: Month) -> Month | None:
    """Return the earliest month before `month` that is not closed, from the program's first month on.

    A month in which nothing happened counts too: its statements keep the chain of balances without holes.
    """
    first = _first_month(program)
    if first is None:
        return None
    states = {period.as_month: period.state for period in Period.objects.filter(program=program)}
    return next(
        (each for each in months_between(first, month.previous()) if states.get(each) != PeriodState.CLOSED),
        None,
    )


def _first_month(program: Program) -> Month | None:
    """Return the month the books of the program begin with: its first posting's or its first member's."""
    starts = [Month(*pair) for pair in Period.objects.filter(program=program).values_list("year", "month")]
    joined = Membership.objects.filter(program=program).aggregate(first=models.Min("joined_at"))["first"]
    if joined is not None:
        starts.append(Month.of(joined, program.zone))
    return min(starts, default=None)
