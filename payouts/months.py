"""Where each program's months stand, and closing one in the background. A month appears here from the first partner's first month on,
whether anything happened in it or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Sum

from partners.models import Membership
from payouts import periods
from payouts.choices import PeriodState
from payouts.models import Commission, Period
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib.money import Money
from prm.lib.periods import Month, months_between
from prm.runs import lifecycle
from prm.runs.models import Run
from prm.runs.progress import Reporter
from referrals.models import Credit
from tiers.models import Program

RUN_KIND = "payouts.close"
PHASE = "Statements"


@dataclass(frozen=True)
class ProgramMonth:
    """One month of one program as finance sees it."""

    program: Program
    month: Month
    state: str
    lines: int
    amount: Money
    period: Period | None
    is_over: bool
    is_next: bool
    has_unrated: bool

    @property
    def can_close(self) -> bool:
        """Say whether nothing speaks against closing the month now."""
        return self.is_over and self.is_next and not self.has_unrated and self.state != PeriodState.CLOSED


def months_of(programs: list[Program], *, at: datetime) -> dict[int, list[ProgramMonth]]:
    """Return every month of `programs` up to the present one, newest first, by program id; four queries in all."""
    ids = [program.pk for program in programs]
    found = {
        (period.program_id, period.as_month): period for period in Period.objects.filter(program__in=ids)
    }
    sums = _sums(ids)
    joined = dict(
        Membership.objects.filter(program__in=ids)
        .order_by()
        .values_list("program")
        .annotate(Min("joined_at"))
    )
    unrated = dict(
        Credit.objects.unrated()
        .filter(membership__program__in=ids)
        .order_by()
        .values_list("membership__program")
        .annotate(Min("occurred_at"))
    )
    return {
        program.pk: _months(program, found, sums, joined.get(program.pk), unrated.get(program.pk), at=at)
        for program in programs
    }


def ready_to_close(*, at: datetime) -> list[ProgramMonth]:
    """Return the months that are over and not closed, of all programs."""
    by_program = months_of(list(Program.objects.order_by("name", "pk")), at=at)
    return [
        each
        for found in by_program.values()
        for each in found
        if each.is_over and each.state != PeriodState.CLOSED
    ]


def start_close(program: Program, month: Month, *, by: User, at: datetime) -> Run:
    """Put the close of a month in the queue, unless something speaks against it already.

    Raises: Forbidden, MonthNotOver, BeforeFirstMonth, EarlierMonthOpen, EventsNotRated, AlreadyRunning.
    """
    policy.require(by, "close_periods")
    closing = Period.objects.filter(
        program=program, year=month.year, month=month.month, state=PeriodState.CLOSING
    )
    if not closing.exists():  # a close that was interrupted goes on whatever has arrived since
        for refusal in periods.preconditions(program, month, at=at):
            raise refusal
    return lifecycle.start(
        RUN_KIND,
        title=f"Close {month} of {program.name}",
        at=at,
        by=by,
        subject=subject_of(program, month),
        phases=[PHASE],
        parameters={"program": program.public_id, "month": str(month)},
    )


def carry_out(run: Run, reporter: Reporter, *, at: datetime) -> Mapping[str, Any]:
    """Close the month a run is about; one that was interrupted goes on where it stopped.

    Raises: Forbidden, MonthNotOver, BeforeFirstMonth, EarlierMonthOpen, EventsNotRated.
    """
    program = Program.objects.get(public_id=run.parameters["program"])
    month = Month.parse(run.parameters["month"])
    if run.created_by_id is None:
        raise LookupError("A month is closed in somebody's name, and this run has none.")
    by = User.objects.get(pk=run.created_by_id)
    members = periods.members_of(Period(program=program, year=month.year, month=month.month))
    reporter.phase(PHASE, total=members.count())
    period = periods.close(program, month, by=by, at=at, progress=lambda done, total: reporter.advance(1))
    return {"program": program.slug, "month": str(month), **period.control_totals}


def latest_run(program: Program, month: Month) -> Run | None:
    """Return the newest run that closed, or is closing, this month."""
    return Run.objects.filter(kind=RUN_KIND, subject=subject_of(program, month)).newest_first().first()


def subject_of(program: Program, month: Month) -> str:
    """Return what runs about this month are filed under."""
    return f"{program.public_id}:{month}"


def _sums(ids: list[int]) -> dict[tuple[int, Month], tuple[int, int]]:
    rows = (
        Commission.objects.filter(period__program__in=ids)
        .order_by()
        .values_list("period__program", "period__year", "period__month")
        .annotate(lines=Count("pk"), minor=Sum("amount_minor"))
    )
    return {(program, Month(year, month)): (lines, minor) for program, year, month, lines, minor in rows}


def _months(
    program: Program,
    found: dict[tuple[int, Month], Period],
    sums: dict[tuple[int, Month], tuple[int, int]],
    joined: datetime | None,
    unrated_since: datetime | None,
    *,
    at: datetime,
) -> list[ProgramMonth]:
    starts = [month for owner, month in found if owner == program.pk]
    if joined is not None:
        starts.append(Month.of(joined, program.zone))
    now = Month.of(at, program.zone)
    rows: list[ProgramMonth] = []
    all_closed_before = True
    for month in months_between(min(starts), max(now, *starts)) if starts else ():
        period = found.get((program.pk, month))
        state = period.state if period is not None else PeriodState.OPEN.value
        lines, minor = sums.get((program.pk, month), (0, 0))
        ends_at = month.ends_at(program.zone)
        rows.append(
            ProgramMonth(
                program=program,
                month=month,
                state=state,
                lines=lines,
                amount=Money(minor, program.currency),
                period=period,
                is_over=ends_at <= at,
                is_next=all_closed_before,
                has_unrated=unrated_since is not None and unrated_since < ends_at,
            )
        )
        all_closed_before = all_closed_before and state == PeriodState.CLOSED
    return rows[::-1]
