"""Tell which statements are about the same month of the same membership: one in force, and those it corrected. A payment keeps naming
the statement it was prepared for, so whoever asks what is paid asks for the family."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import models

from payouts.choices import StatementKind, StatementState
from payouts.models import Statement


def family(statement_ids: Iterable[int]) -> dict[int, set[int]]:
    """Return, for each statement, the ids of all statements of its membership's month, itself included; two queries in all."""
    ids = set(statement_ids)
    found: dict[int, set[int]] = {pk: {pk} for pk in ids}
    corrected = _statements().filter(state=StatementState.CREDITED).values("membership", "period", "currency")
    same = corrected.filter(
        membership=models.OuterRef("membership"),
        period=models.OuterRef("period"),
        currency=models.OuterRef("currency"),
    )
    touched = Statement.objects.filter(models.Exists(same), pk__in=ids)
    months = {pk: tuple(month) for pk, *month in touched.values_list("pk", *_MONTH)}
    if not months:
        return found  # the usual case: nothing was ever corrected
    members: dict[tuple[object, ...], set[int]] = {}
    rows = _statements().filter(membership__in={month[0] for month in months.values()})
    for pk, *month in rows.values_list("pk", *_MONTH):
        members.setdefault(tuple(month), set()).add(pk)
    for pk, month in months.items():
        found[pk] |= members.get(month, set())
    return found


def chain(statement: Statement) -> set[int]:
    """Return the ids of a statement and of those it corrected, one after the other; asks nothing when it corrected none."""
    found, each = {statement.pk}, statement
    while each.corrects is not None:
        each = each.corrects
        found.add(each.pk)
    return found


def standing(statement: Statement) -> Statement:
    """Return the statement that is in force for the month of `statement`, which may be itself."""
    return Statement.objects.in_force().get(
        membership=statement.membership_id, period=statement.period_id, currency=statement.currency
    )


def move(statement: Statement, *, to: StatementState, expected: Sequence[StatementState] = ()) -> bool:
    """Move whichever statement of the month is in force to another state; tell whether it was in one of `expected`."""
    found = Statement.objects.in_force().filter(
        membership=statement.membership_id, period=statement.period_id, currency=statement.currency
    )
    if expected:
        found = found.filter(state__in=expected)
    return bool(found.update(state=to))


_MONTH = ("membership", "period", "currency")


def _statements() -> models.QuerySet[Statement]:
    return Statement.objects.filter(kind=StatementKind.STATEMENT)
