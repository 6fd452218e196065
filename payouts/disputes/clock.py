"""Until when a line can be questioned, and by when a question is answered. Both are ends of local days in the program's zone, so that a
date on a page always means the whole day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from payouts.models import Commission, Dispute
from prm.lib.periods import end_of_day_after, local_day, start_of_day, working_day_after

if TYPE_CHECKING:
    from tiers.models import Program


def ask_until(line: Commission) -> datetime | None:
    """Return the exclusive end of the window to question `line`; None while it is on no statement and nothing runs.

    The days that a statement promises hold, whatever the program says since.
    """
    if line.statement is None:
        return None
    program = line.membership.program
    days = line.statement.facts.get("dispute_days", program.dispute_days)
    return end_of_day_after(line.statement.issued_at, days, program.zone)


def can_be_asked(line: Commission, *, at: datetime) -> bool:
    """Say whether the window is open, whoever asks."""
    until = ask_until(line)
    return until is None or at < until


def open_about(line: Commission) -> Dispute | None:
    """Return the question about `line` that is not decided yet."""
    return Dispute.objects.open().filter(commission=line).first()


def answer_by(program: Program, at: datetime) -> datetime:
    """Return the end of the working day by which a question asked at `at` is answered."""
    day = working_day_after(local_day(at, program.zone), program.answer_days)
    return start_of_day(day + timedelta(days=1), program.zone)


def last_day(until: datetime, program: Program) -> date:
    """Return the day people read for an exclusive end."""
    return local_day(until - datetime.resolution, program.zone)
