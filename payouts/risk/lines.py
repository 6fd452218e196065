"""Which lines a case is about, and letting them wait. A line that is on hold waits from the moment the case knows it; one that was on its way already
is only listed, and everything else of the partner goes on as ever."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from payouts import pauses
from payouts.choices import CommissionState, PauseCause, RiskKind
from payouts.models import Commission, RiskCase, RiskCaseLine, RiskSignal
from prm.lib.periods import local_day
from referrals.choices import Channel

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from prm.accounts.models import User

NOT_PAID = (CommissionState.ON_HOLD, CommissionState.PAUSED)


def concerned(membership_id: int, signals: Iterable[RiskSignal]) -> QuerySet[Commission]:
    """Return the lines of a membership that signals are about, those that take back included."""
    about = Q(pk__in=[])
    for signal in signals:
        about |= _about(signal)
    lines = Commission.objects.filter(membership=membership_id, conversion__isnull=False)
    return lines.exclude(amount_minor=0).filter(about)


def take_in(case: RiskCase, *, by: User | None, at: datetime) -> list[RiskCaseLine]:
    """Let every line of the case that is on hold wait, and list what is on its way; return the lines that are new in it.

    The caller holds the membership's lock.
    """
    known = {row.commission_id: row for row in case.lines.all()}
    made = []
    for line in concerned(case.membership_id, case.signals.all()).order_by("pk"):
        row = known.get(line.pk)
        if row is None:
            row = RiskCaseLine(case=case, commission=line)
            made.append(row)
        elif row.pause_id is not None:
            continue  # it waits, or a person has let it go on
        if line.state == CommissionState.ON_HOLD:
            row.pause = pauses.pause_line(
                line,
                cause=PauseCause.RISK,
                reason=case.reason,
                review_on=_review_on(case, at),
                by=by,
                at=at,
                tells=False,
            )
            if row.pk:
                row.save(update_fields=["pause"])
    RiskCaseLine.objects.bulk_create(made)
    return made


def resume_all(
    case: RiskCase, *, outcome: str, by: User | None, at: datetime, but: Iterable[int] = ()
) -> int:
    """Let the lines of a case go on with the dates they had, all but those of the conversions named; return how many."""
    waiting = case.lines.filter(pause__ended_at=None, pause__isnull=False).exclude(
        commission__conversion__in=set(but)
    )
    rows = list(waiting.select_related("pause").order_by("pk"))
    for row in rows:
        if row.pause is not None:
            pauses.resume(row.pause, outcome=outcome, by=by, at=at, tells=False)
    return len(rows)


def _review_on(case: RiskCase, at: datetime) -> date:
    """Return the day the case names; a line that comes to a case that is overdue is looked at with it, so on the next day."""
    tomorrow = local_day(at, case.membership.program.zone) + timedelta(days=1)
    return max(case.review_on, tomorrow)


def _about(signal: RiskSignal) -> Q:
    """Return which lines one signal is about."""
    if signal.conversion_id is not None:
        return Q(conversion=signal.conversion_id) | Q(conversion__original=signal.conversion_id)
    kept = signal.evidence
    if "conversions" in kept:
        named = Q(conversion__public_id__in=kept["conversions"])
        return named | Q(conversion__original__public_id__in=kept["conversions"])
    if "since" not in kept:
        return Q(state__in=NOT_PAID)
    since, until = datetime.fromisoformat(kept["since"]), datetime.fromisoformat(kept["until"])
    span = Q(effective_at__gte=since, effective_at__lt=until)
    if signal.kind == RiskKind.LEAKED_CODE:
        return span & Q(credit__code=kept["code_id"])
    if signal.kind == RiskKind.PIXEL:
        return span & Q(conversion__channel=Channel.PIXEL)
    if signal.kind == RiskKind.DISPOSABLE_MAIL:
        return span & Q(conversion__customer__has_disposable_mail=True)
    return span
