"""The lines of a statement as they are printed and stored: every commission, then everything else that moved the balance. Together they
are the difference between the two balances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from payouts.explained import subject
from payouts.models import Commission, Period, Statement, StatementLine
from payouts.statements.movements import Moved

_BATCH = 500


def printed(
    commissions: Sequence[Commission], others: Sequence[Moved], period: Period
) -> list[StatementLine]:
    """Return the lines in the order they are listed, without their statement."""
    lines = chain(
        (_of_commission(line, period) for line in commissions), (_of_moved(moved, period) for moved in others)
    )
    found = []
    for position, line in enumerate(lines, start=1):
        line.position = position
        found.append(line)
    return found


def copied(statement: Statement) -> list[StatementLine]:
    """Return the lines of a statement once more, without their statement."""
    found = list(statement.lines.order_by("position"))
    for line in found:
        line.pk, line.statement_id = None, None  # type: ignore[assignment]  # put on another one before it is saved
        line._state.adding = True
    return found


def put_on(statement: Statement, lines: Iterable[StatementLine]) -> None:
    """Store the lines under their statement."""
    found = list(lines)
    for line in found:
        line.statement = statement
    StatementLine.objects.bulk_create(found, batch_size=_BATCH)


def _of_commission(line: Commission, period: Period) -> StatementLine:
    return StatementLine(
        commission=line,
        occurred_at=line.effective_at,
        order_id=subject.order_text(line),
        customer=subject.masked_customer(line),
        kind=line.kind,
        base_minor=line.base_minor,
        rate=line.rate,
        flat_minor=line.flat_minor,
        amount_minor=line.amount_minor,
        from_earlier_period=line.effective_at < period.starts_at,
    )


def _of_moved(moved: Moved, period: Period) -> StatementLine:
    return StatementLine(
        transaction_id=moved.transaction_id,
        occurred_at=moved.effective_at,
        order_id=moved.text,
        customer="",
        kind=moved.kind,
        base_minor=moved.base.minor if moved.base is not None else 0,
        rate=moved.rate,
        flat_minor=0,
        amount_minor=moved.amount.minor,
        from_earlier_period=moved.effective_at < period.starts_at,
    )
