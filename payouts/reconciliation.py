"""Prove the books against themselves: ledger, lines, statements and payments each tell the same story by a query of their own. What
does not agree is reported, never repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import models
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from payouts import invariants, ledger, numbers, runs_agree
from payouts.choices import (
    AccountKind,
    CommissionState,
    PaymentState,
    StatementKind,
    TransactionKind,
)
from payouts.finding import Finding as Finding
from payouts.models import (
    Commission,
    Entry,
    NumberSeries,
    Payment,
    Statement,
    StatementLine,
    Transaction,
)


def check() -> list[Finding]:
    """Run every check and return what does not agree; nothing means that the books are in order."""
    return [finding for each in CHECKS for finding in each()]


def _entries_in_one_currency() -> Iterator[Finding]:
    wrong = Entry.objects.exclude(debit__currency=F("currency"), credit__currency=F("currency"))
    for entry in wrong.select_related("transaction", "debit", "credit").order_by("pk"):
        found = f"{entry.debit.currency}/{entry.credit.currency}"
        yield Finding("entry_currency", entry.transaction.key, entry.currency, found)


def _entries_in_one_program() -> Iterator[Finding]:
    wrong = Entry.objects.exclude(debit__program=F("credit__program"))
    for entry in wrong.select_related("transaction").order_by("pk"):
        yield Finding("entry_program", entry.transaction.key, "one program", "two programs")


def _trial_balance() -> Iterator[Finding]:
    sums: dict[str, int] = {}
    for (_kind, currency), total in ledger.trial_balance().items():
        sums[currency] = sums.get(currency, 0) + total.minor
    for currency, minor in sorted(sums.items()):
        if minor:
            yield Finding("trial_balance", currency, "0", str(minor))


def _pending_is_what_is_on_hold() -> Iterator[Finding]:
    held = [CommissionState.IN_REVIEW, CommissionState.ON_HOLD, CommissionState.PAUSED]
    lines = _sums(Commission.objects.filter(state__in=held))
    yield from _compare("pending_balance", lines, _balances(AccountKind.PENDING))


def _payable_is_what_is_ready() -> Iterator[Finding]:
    """Lines that are ready or stated, with adjustments and what a payment moved apart from the lines it carried."""
    ready = [CommissionState.PAYABLE, CommissionState.ON_STATEMENT]
    lines = _sums(Commission.objects.filter(state__in=ready))
    line_kinds = [
        TransactionKind.RELEASE,
        TransactionKind.PAYMENT_INSTRUCTED,
        TransactionKind.PAYMENT_FAILED,
    ]
    others = _balances(AccountKind.PAYABLE, Q(), ~Q(transaction__kind__in=line_kinds))
    for key, minor in others.items():
        lines[key] = lines.get(key, 0) + minor
    for key, minor in _payment_differences().items():
        lines[key] = lines.get(key, 0) + minor
    yield from _compare("payable_balance", lines, _balances(AccountKind.PAYABLE))


def _payment_differences() -> dict[tuple[int, str], int]:
    """Return, for each membership, the lines that left with payments less the amounts of those payments.

    They differ by adjustments, which a payment pays but no line shows, and by debts an earlier payment left.
    """
    gone = [CommissionState.SENT, CommissionState.PAID]
    lines = _sums(Commission.objects.filter(state__in=gone))
    out = Payment.objects.filter(state__in=[PaymentState.SENT, PaymentState.SETTLED])
    paid = {
        (member, currency): total
        for member, currency, total in out.order_by()
        .values_list("membership", "currency")
        .annotate(total=Sum("amount_minor"))
    }
    return {key: lines.get(key, 0) - paid.get(key, 0) for key in {*lines, *paid}}


def _in_payment_is_what_is_on_its_way() -> Iterator[Finding]:
    out = Payment.objects.filter(state=PaymentState.SENT)
    sent = {
        (member, currency): total
        for member, currency, total in out.order_by()
        .values_list("membership", "sent_currency")
        .annotate(total=Sum("sent_minor"))
    }
    yield from _compare("in_payment_balance", sent, _balances(AccountKind.IN_PAYMENT))


def _statements_chain() -> Iterator[Finding]:
    last: dict[tuple[int, str], Statement] = {}
    rows = Statement.objects.in_force().order_by("membership", "period__year", "period__month", "pk")
    for statement in rows.defer("facts").iterator(chunk_size=2000):
        key = (statement.membership_id, statement.currency)
        before = last.get(key)
        expected = before.closing_minor if before else 0
        if statement.opening_minor != expected:
            yield Finding("statement_chain", statement.number, str(expected), str(statement.opening_minor))
        last[key] = statement
    notes = Statement.objects.filter(kind=StatementKind.CREDIT_NOTE)
    wrong = notes.exclude(
        opening_minor=-F("corrects__opening_minor"), closing_minor=-F("corrects__closing_minor")
    )
    for note in wrong.select_related("corrects").order_by("pk"):
        original = note.corrects.closing_minor if note.corrects is not None else 0
        yield Finding("credit_note", note.number, str(-original), str(note.closing_minor))


# What the lines of a statement add up to; a credit note takes sums back and lists none, and statements issued before every movement
# was listed (their facts know no `others`) list commissions only.
_LISTED = models.Case(
    models.When(kind=StatementKind.CREDIT_NOTE, then=models.Value(0)),
    models.When(~models.Q(facts__has_key="others"), then=F("earned_minor") + F("reversed_minor")),
    default=F("closing_minor") - F("opening_minor"),
    output_field=models.BigIntegerField(),
)


def _statements_meet_their_lines() -> Iterator[Finding]:
    lines = StatementLine.objects.filter(statement=models.OuterRef("pk")).order_by().values("statement")
    total = Coalesce(models.Subquery(lines.annotate(total=Sum("amount_minor")).values("total")), 0)
    count = Coalesce(models.Subquery(lines.annotate(count=Count("pk")).values("count")), 0)
    rows = (
        Statement.objects.annotate(lines_total=total, lines_count=count, stated=_LISTED)
        .exclude(lines_total=F("stated"), lines_count=F("line_count"))
        .order_by("pk")
        .values_list("number", "stated", "line_count", "lines_total", "lines_count")
    )
    for number, stated, line_count, lines_total, lines_count in rows:
        expected, found = f"{stated} in {line_count}", f"{lines_total} in {lines_count}"
        yield Finding("statement_lines", number, expected, found)
    of_commissions = StatementLine.objects.filter(commission__isnull=False)
    changed = of_commissions.exclude(commission__amount_minor=F("amount_minor"))
    # A line of a statement that was corrected has moved on to the one in its place.
    moved = of_commissions.exclude(commission__statement=F("statement")).filter(
        statement__in=Statement.objects.in_force()
    )
    for line in (changed | moved).select_related("statement", "commission").order_by("pk"):
        booked = line.commission.amount_minor if line.commission is not None else 0
        yield Finding("statement_line", str(line.commission), str(booked), str(line.amount_minor))


def _numbers_have_no_gaps() -> Iterator[Finding]:
    for series in NumberSeries.objects.filter(series=numbers.STATEMENTS).order_by("pk"):
        issued = Statement.objects.filter(legal_entity=series.legal_entity_id, year=series.year)
        found = issued.aggregate(count=Count("pk"), first=models.Min("sequence"), last=models.Max("sequence"))
        if (found["count"], found["last"] or 0) != (series.last, series.last):
            yield Finding(
                "number_series", str(series), f"1 to {series.last}", f"{found['count']} up to {found['last']}"
            )


def _transactions_have_entries() -> Iterator[Finding]:
    # Lines of zero that only keep a count are booked by an accrual that moves nothing.
    empty = Transaction.objects.filter(entries=None).exclude(kind=TransactionKind.ACCRUAL)
    for transaction in empty.order_by("pk"):
        yield Finding("empty_transaction", transaction.key, "an entry", "none")


def _sums(lines: models.QuerySet[Commission]) -> dict[tuple[int, str], int]:
    rows = lines.order_by().values_list("membership", "currency").annotate(total=Sum("amount_minor"))
    return {(member, currency): total for member, currency, total in rows}


def _balances(kind: AccountKind, *filters: Q) -> dict[tuple[int, str], int]:
    """Return the balances of an account kind by membership, over all entries or over those the filters leave."""
    totals: dict[tuple[int, str], int] = {}
    for side, sign in (("credit", 1), ("debit", -1)):
        rows = (
            Entry.objects.filter(*filters, **{f"{side}__kind": kind})
            .order_by()
            .values_list(f"{side}__membership", "currency")
            .annotate(total=Sum("amount_minor"))
        )
        for member, currency, total in rows:
            totals[member, currency] = totals.get((member, currency), 0) + sign * total
    return totals


def _compare(
    name: str, expected: dict[tuple[int, str], int], found: dict[tuple[int, str], int]
) -> Iterator[Finding]:
    for key in sorted({*expected, *found}):
        if expected.get(key, 0) != found.get(key, 0):
            member, currency = key
            yield Finding(
                name, f"membership {member} {currency}", str(expected.get(key, 0)), str(found.get(key, 0))
            )


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _entries_in_one_currency,
    _entries_in_one_program,
    _transactions_have_entries,
    _trial_balance,
    _pending_is_what_is_on_hold,
    _payable_is_what_is_ready,
    _in_payment_is_what_is_on_its_way,
    _statements_chain,
    _statements_meet_their_lines,
    _numbers_have_no_gaps,
    runs_agree.runs_meet_their_payments,
    runs_agree.files_meet_their_payments,
    invariants.chains_hold,
    invariants.statements_hold_the_chain,
    invariants.nothing_takes_more_than_was_given,
    invariants.currencies_never_mix,
    invariants.closed_months_stand,
    invariants.every_movement_is_on_one_statement,
    invariants.nobody_is_paid_more_than_was_stated,
    invariants.statements_are_paid_once,
)
