"""Live the year's months as finance lives them: close each month that is over, prepare and approve the pay run, send and settle it.
The newest run is left on its way and some matters wait, so that the house is met in the middle of its work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta

from demo import matters
from demo.people import FINANCE_APPROVES, FINANCE_PREPARES
from payouts import pay_runs, periods
from payouts.exports.bank_days import next_bank_day
from payouts.models import PayRun
from prm.lib.periods import Month, months_between
from prm.mail.outbox import quiet
from tiers.models import LegalEntity, Program


def live(
    entity: LegalEntity, programs: list[Program], *, first: Month, now: datetime, tell: Callable[[str], None]
) -> list[Month]:
    """Close every month from `first` on that is over at `now`, and pay it; return the months closed."""
    zone = programs[0].zone
    over = [month for month in months_between(first, Month.of(now, zone)) if month.ends_at(zone) <= now]
    eventful = over[-3:]
    for month in over:
        if month in eventful:
            _before(eventful.index(month), month.ends_at(zone), now=now)
        # Only the newest month writes to people: a house that opens does not send a year of mails.
        with nullcontext() if month == over[-1] else quiet():
            _live_month(entity, programs, month, now=now, is_last=month == over[-1])
        tell(str(month))
    if over:
        matters.leave_waiting(over[-1], now=now)
    return over


def _before(number: int, over: datetime, *, now: datetime) -> None:
    """Let happen what comes before one of the last three months is closed and paid."""
    with quiet():
        if number == 0:
            matters.agree(at=over - timedelta(days=20))
        if number == 2:
            matters.send_back(at=over - timedelta(days=8))
        entered_at = _not_after(now, over + timedelta(days=1, hours=9))
        matters.enter_rate(number, on=entered_at.date(), at=entered_at)


def _live_month(
    entity: LegalEntity, programs: list[Program], month: Month, *, now: datetime, is_last: bool
) -> None:
    opened = month.ends_at(programs[0].zone)
    closed_at = _not_after(now, opened + timedelta(hours=8))
    for program in programs:
        periods.close(program, month, by=FINANCE_PREPARES.user(), at=closed_at)
    # A month whose balances are all below the minimum has no run: everything is carried to the next.
    with suppress(pay_runs.NothingToPay):
        pay(entity, month, opened=opened, now=now, is_last=is_last)


def pay(entity: LegalEntity, month: Month, *, opened: datetime, now: datetime, is_last: bool) -> PayRun:
    """Prepare, approve, send and settle the run for `month`; the last one stays on its way."""
    prepares, approves = FINANCE_PREPARES.user(), FINANCE_APPROVES.user()
    execute_on = next_bank_day(month.next().first_on.replace(day=14), "GBP")
    run = pay_runs.prepare(
        entity,
        currency="GBP",
        execute_on=execute_on,
        by=prepares,
        at=_not_after(now, opened + timedelta(days=2, hours=10)),
    )
    if now < opened + timedelta(days=3, hours=11):
        return run
    looked_at = opened + timedelta(days=2, hours=11)
    pay_runs.acknowledge_all(run, note="Looked at, as agreed with the partner.", by=prepares, at=looked_at)
    run = pay_runs.approve(run, by=approves, at=opened + timedelta(days=3, hours=11))
    sent_at = datetime(execute_on.year, execute_on.month, execute_on.day, 9, tzinfo=UTC) - timedelta(days=1)
    if now < sent_at:
        return run
    pay_runs.export(run, by=prepares, at=sent_at)
    if not is_last:
        pay_runs.settle(run, by=approves, at=sent_at + timedelta(days=3), reference=f"BANK-{month}")
    return PayRun.objects.get(pk=run.pk)


def _not_after(limit: datetime, instant: datetime) -> datetime:
    return min(limit, instant)
