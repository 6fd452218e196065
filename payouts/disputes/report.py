"""Count what is asked about, by cause and program: how it ended, how much money was in question and corrected, and how long the first
answer took. Every figure is of the questions asked in the span."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import median

from django.db.models import Sum

from payouts.choices import AdjustmentState, DisputeCause, DisputeState
from payouts.models import Adjustment, Dispute
from prm.lib.money import Money

_DAY = timedelta(days=1)


@dataclass
class CauseRow:
    """The questions of one cause in one program; amounts are of lines and adjustments in the program's currency."""

    program: str
    cause: str
    currency: str
    asked: int = 0
    open: int = 0
    accepted: int = 0
    refused: int = 0
    withdrawn: int = 0
    in_question_minor: int = 0
    corrected_minor: int = 0
    waits: list[timedelta] = field(default_factory=list)

    @property
    def label(self) -> str:
        return str(DisputeCause(self.cause).label) if self.cause else ""

    @property
    def in_question(self) -> Money:
        return Money(self.in_question_minor, self.currency)

    @property
    def corrected(self) -> Money:
        return Money(self.corrected_minor, self.currency)

    @property
    def median_days(self) -> Decimal | None:
        """Days to the first answer, to one decimal; None while nothing was answered."""
        if not self.waits:
            return None
        seconds = median(wait // timedelta(seconds=1) for wait in self.waits)
        return days_of(timedelta(seconds=round(seconds)))


def causes(*, since: datetime, until: datetime) -> list[CauseRow]:
    """Return a row for each program and cause with questions asked from `since` on and before `until`."""
    rows: dict[tuple[str, str], CauseRow] = {}
    found = Dispute.objects.filter(opened_at__gte=since, opened_at__lt=until)
    corrected = _corrected(found.values_list("pk", flat=True))
    wanted = found.select_related("membership__program", "commission").order_by("pk")
    for each in wanted.iterator(chunk_size=1000):
        program = each.membership.program
        key = (program.name, each.cause)
        row = rows.setdefault(key, CauseRow(program.name, each.cause, program.currency))
        _count(row, each, corrected.get(each.pk, 0))
    return [rows[key] for key in sorted(rows)]


def totals(rows: Iterable[CauseRow]) -> list[CauseRow]:
    """Return the same figures by program, over all causes."""
    found: dict[str, CauseRow] = {}
    for row in rows:
        total = found.setdefault(row.program, CauseRow(row.program, "", row.currency))
        for name in ("asked", "open", "accepted", "refused", "withdrawn"):
            setattr(total, name, getattr(total, name) + getattr(row, name))
        total.in_question_minor += row.in_question_minor
        total.corrected_minor += row.corrected_minor
        total.waits += row.waits
    return list(found.values())


HEADER = (
    "program",
    "cause",
    "asked",
    "open",
    "accepted",
    "refused",
    "withdrawn",
    "in_question",
    "corrected",
    "currency",
    "median_days_to_first_answer",
)


def cells(rows: Iterable[CauseRow]) -> Iterator[tuple[str, ...]]:
    """Yield rows as the cells of a file."""
    for row in rows:
        days = row.median_days
        yield (
            row.program,
            row.cause,
            *(str(getattr(row, name)) for name in ("asked", "open", "accepted", "refused", "withdrawn")),
            str(row.in_question.decimal()),
            str(row.corrected.decimal()),
            row.currency,
            "" if days is None else str(days),
        )


def days_of(wait: timedelta) -> Decimal:
    """Return a stretch of time in days, to one decimal."""
    exact = Decimal(wait // timedelta(seconds=1)) / Decimal(_DAY // timedelta(seconds=1))
    return exact.quantize(Decimal("0.1"), ROUND_HALF_UP)


def _count(row: CauseRow, each: Dispute, corrected_minor: int) -> None:
    row.asked += 1
    ended = {
        DisputeState.ACCEPTED: "accepted",
        DisputeState.REFUSED: "refused",
        DisputeState.WITHDRAWN: "withdrawn",
    }
    name = ended.get(DisputeState(each.state), "open")
    setattr(row, name, getattr(row, name) + 1)
    if each.commission is not None:
        row.in_question_minor += abs(each.commission.amount_minor)
    row.corrected_minor += corrected_minor
    if each.first_answered_at is not None:
        row.waits.append(each.first_answered_at - each.opened_at)


def _corrected(disputes: Iterable[int]) -> dict[int, int]:
    posted = Adjustment.objects.filter(state=AdjustmentState.POSTED, dispute__in=disputes)
    rows = posted.order_by().values_list("dispute").annotate(minor=Sum("amount_minor"))
    return {dispute: minor for dispute, minor in rows if dispute is not None}
