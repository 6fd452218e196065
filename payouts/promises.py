"""Count how often the days partners were told were kept: a line ready to pay by the first day ever told, a statement sent to the bank by its due
day. What was never promised, or whose day has not come, is in neither number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import Count, DateField, DateTimeField, F, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, TruncDate

from payouts.choices import CommissionState, PaymentState, StatementKind, StatementState
from payouts.models import Commission, PayableDateChange, Payment, Statement
from prm.lib.periods import local_day, start_of_day

if TYPE_CHECKING:
    from tiers.models import Program

_WAITS = (CommissionState.ON_HOLD, CommissionState.PAUSED, CommissionState.IN_REVIEW)


@dataclass(frozen=True, slots=True)
class Kept:
    """Promises whose day came in a stretch of days: how many were due, and how many of them were kept."""

    due: int = 0
    kept: int = 0

    @property
    def late(self) -> int:
        return self.due - self.kept

    @property
    def share(self) -> Decimal | None:
        """Return the part that was kept; nothing when nothing was promised."""
        return Decimal(self.kept) / self.due if self.due else None

    def __add__(self, other: Kept) -> Kept:
        return Kept(self.due + other.due, self.kept + other.kept)


def lines_kept(programs: Iterable[Program], first: date, last: date, *, at: datetime) -> Kept:
    """Count the lines of these programs whose first told day lies between two days, both included, and has come."""
    total = Kept()
    for program in programs:
        lines = _promised_lines(program, first, last, at=at)
        found = lines.aggregate(due=Count("pk"), kept=Count("pk", filter=_in_time()))
        total += Kept(found["due"], found["kept"])
    return total


def late_lines(program: Program, first: date, last: date, *, at: datetime) -> QuerySet[Commission]:
    """Return the lines of a program that were not ready by the first day told, with `promised_on` and `ready_on`."""
    is_late = Q(ready_on=None) | Q(ready_on__gt=F("promised_on")) | Q(state__in=_WAITS)
    lines = _promised_lines(program, first, last, at=at).filter(is_late)
    found = lines.select_related("membership__partner", "membership__program", "conversion")
    return found.order_by("promised_on", "pk")  # type: ignore[misc]  # annotated above


def statements_kept(programs: Iterable[Program], first: date, last: date, *, at: datetime) -> Kept:
    """Count the statements of these programs due between two days, both included, whose day has come or that were sent."""
    total = Kept()
    for program in programs:
        statements = _due_statements(program, first, last, at=at)
        found = statements.aggregate(due=Count("pk"), kept=Count("pk", filter=_sent_in_time()))
        total += Kept(found["due"], found["kept"])
    return total


def late_statements(program: Program, first: date, last: date, *, at: datetime) -> QuerySet[Statement]:
    """Return the statements of a program that were not sent to the bank by their due day, with `sent_on`."""
    is_late = Q(sent_on=None) | Q(sent_on__gt=F("due_on")) | Q(execute_on__gt=F("due_on"))
    statements = _due_statements(program, first, last, at=at).filter(is_late)
    return statements.select_related("membership__partner", "period").order_by("due_on", "pk")


def _promised_lines(program: Program, first: date, last: date, *, at: datetime) -> QuerySet[Commission]:
    """Return the lines that add money, were told a day when they were born, and whose first told day is over or kept.

    A line computed after its day, because its event came in late, was promised nothing.
    """
    zone = program.zone
    moved = PayableDateChange.objects.filter(commission=OuterRef("pk")).order_by("pk")
    first_told = Subquery(moved.values("was_payable_at")[:1], output_field=DateTimeField())
    starts_at, ends_at = start_of_day(first, zone), start_of_day(date.fromordinal(last.toordinal() + 1), zone)
    span = {"gte": starts_at, "lt": ends_at}
    near = Q(**{f"payable_at__{name}": value for name, value in span.items()}) | Q(
        pk__in=PayableDateChange.objects.filter(
            commission__membership__program=program,
            **{f"was_payable_at__{name}": value for name, value in span.items()},
        ).values("commission")
    )
    lines = (
        Commission.objects.filter(near, membership__program=program, amount_minor__gt=0)
        .annotate(promised_at=Coalesce(first_told, F("payable_at")))
        .filter(promised_at__gte=starts_at, promised_at__lt=ends_at, computed_at__lt=F("promised_at"))
        .annotate(
            promised_on=TruncDate("promised_at", tzinfo=zone, output_field=DateField()),
            ready_on=TruncDate("released_in__posted_at", tzinfo=zone, output_field=DateField()),
        )
    )
    return lines.filter(Q(promised_on__lt=local_day(at, zone)) | ~Q(state__in=_WAITS))


def _in_time() -> Q:
    return Q(ready_on__lte=F("promised_on")) & ~Q(state__in=_WAITS)


def _due_statements(program: Program, first: date, last: date, *, at: datetime) -> QuerySet[Statement]:
    gone = Payment.objects.filter(
        statement=OuterRef("pk"), state__in=[PaymentState.SENT, PaymentState.SETTLED]
    ).order_by()
    sent_at = gone.values("statement").annotate(first=Min("sent_at")).values("first")
    execute_on = gone.values("statement").annotate(first=Min("pay_run__execute_on")).values("first")
    statements = (
        Statement.objects.filter(membership__program=program, due_on__range=(first, last))
        .filter(kind=StatementKind.STATEMENT)
        .exclude(state=StatementState.CREDITED)
        .annotate(sent_at=Subquery(sent_at, output_field=DateTimeField()), execute_on=Subquery(execute_on))
        .annotate(sent_on=TruncDate("sent_at", tzinfo=program.zone, output_field=DateField()))
    )
    return statements.filter(Q(due_on__lt=local_day(at, program.zone)) | Q(sent_on__isnull=False))


def _sent_in_time() -> Q:
    """Return the condition that the bank was told in time, and to pay in time."""
    return Q(sent_on__lte=F("due_on"), execute_on__lte=F("due_on"))
