"""Make the files of a pay run and hand them out. Which payment goes into which file follows from its kind and its currency; every file is
checked before it is stored, has a number and a hash, and is the same bytes for ever after."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payouts import numbers
from payouts.choices import PaymentMethodKind
from payouts.exports import (
    checks,
    journal,
    nacha,
    payments_csv,
    payments_xlsx,
    providers_csv,
    sepa_checks,
    sepa_pain001,
)
from payouts.exports.payee import held_by_people
from payouts.models import Payment, PaymentFile, PaymentFileTaken, PayRun
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.models import User

CONTENT_TYPES = {
    **dict.fromkeys(sepa_checks.VERSIONS, sepa_pain001.CONTENT_TYPE),
    nacha.FORMAT: nacha.CONTENT_TYPE,
    providers_csv.PAYPAL: providers_csv.CONTENT_TYPE,
    providers_csv.WISE: providers_csv.CONTENT_TYPE,
    payments_csv.FORMAT: payments_csv.CONTENT_TYPE,
    payments_xlsx.FORMAT: payments_xlsx.CONTENT_TYPE,
    journal.FORMAT: journal.CONTENT_TYPE,
}
# Sent to a bank or provider, so taking one twice can pay twice; the others are for the eyes and books of finance.
MOVES_MONEY = frozenset({*sepa_checks.VERSIONS, nacha.FORMAT, providers_csv.PAYPAL, providers_csv.WISE})


class FileDamaged(Refused):
    message = _("The stored file is not the one that was made. It is not handed out; please tell us.")


@dataclass(frozen=True)
class _Wanted:
    """One file to make: `content` is called once everything has been checked."""

    format: str
    word: str
    extension: str
    currency: str
    part: int
    rows: int
    total: Money
    content: bytes


@transaction.atomic
def make(run: PayRun, payments: Sequence[Payment], *, by: User, at: datetime) -> list[PaymentFile]:
    """Make and store the files of a run whose payments have been booked as instructed; all of them or none.

    A run that has its files keeps them.
    Raises: Forbidden, FileRefused.
    """
    policy.require(by, "export_pay_runs")
    known = files_of(run)
    if known:
        return known
    return [_store(run, wanted, by=by, at=at) for wanted in list(_all(run, payments, at=at))]


def files_of(run: PayRun) -> list[PaymentFile]:
    """Return the files of a run in the order they were made."""
    return list(PaymentFile.objects.filter(pay_run=run).order_by("pk"))


def taken_before(file: PaymentFile) -> list[PaymentFileTaken]:
    """Return who has taken a file and when, the first one first."""
    return list(PaymentFileTaken.objects.filter(file=file).select_related("taken_by").order_by("pk"))


@transaction.atomic
def take(file: PaymentFile, *, by: User, at: datetime) -> bytes:
    """Hand out a file, the same bytes every time, and write down who took it.

    Raises: Forbidden, FileDamaged.
    """
    policy.require(by, "export_pay_runs")
    content = bytes(file.content)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise FileDamaged
    times = PaymentFileTaken.objects.filter(file=file).count()
    PaymentFileTaken.objects.create(file=file, taken_at=at, taken_by=by)
    audit.record(
        by,
        "pay_run.file_taken",
        file.pay_run,
        at=at,
        file=file.name,
        format=file.format,
        number=file.number,
        times_before=times,
    )
    return content


def content_type(file: PaymentFile) -> str:
    """Return what a browser is told the file is."""
    return CONTENT_TYPES[file.format]


def _all(run: PayRun, payments: Sequence[Payment], *, at: datetime) -> Iterator[_Wanted]:
    for currency in sorted({payment.sent_currency for payment in payments}):
        yield from _for_banks(run, _sent_in(payments, currency), currency, at=at)
    for currency in sorted({payment.sent_currency for payment in payments}):
        some = _sent_in(payments, currency)
        table = payments_csv.render(run, some)
        yield _wanted(payments_csv.FORMAT, "payments", "csv", currency, some, table)
        yield _wanted(
            payments_xlsx.FORMAT, "payments", "xlsx", currency, some, payments_xlsx.render(run, some)
        )
    yield _journal(run, payments)


def _for_banks(run: PayRun, payments: Sequence[Payment], currency: str, *, at: datetime) -> Iterator[_Wanted]:
    """Yield what banks and providers get of the payments in one currency.

    Raises: FileRefused.
    """
    on = at.date()
    people = held_by_people(payments, at=run.approved_at or run.prepared_at)
    by_iban = _of_kind(payments, PaymentMethodKind.BANK_IBAN)
    if by_iban:
        version = run.legal_entity.bank_file
        message = sepa_pain001.render(run, by_iban, version=version)
        said = sepa_pain001.expected(by_iban)
        checks.refuse_if(sepa_checks.problems_in(message, on=on, expected=said))
        yield _wanted(version, "bank", "xml", currency, by_iban, message)
    to_us = _of_kind(payments, PaymentMethodKind.US_ACCOUNT)
    if to_us:
        checks.refuse_if(nacha.problems(run, to_us, on=on))
        yield _wanted(nacha.FORMAT, "ach", "txt", currency, to_us, nacha.render(run, to_us, people=people))
    by_paypal = _of_kind(payments, PaymentMethodKind.PAYPAL)
    checks.refuse_if(providers_csv.paypal_problems(by_paypal))
    yield from _split(
        providers_csv.PAYPAL,
        "paypal",
        currency,
        by_paypal,
        providers_csv.PAYPAL_ROWS,
        lambda some: providers_csv.render_paypal(run, some),
    )
    by_wise = _of_kind(payments, PaymentMethodKind.WISE)
    checks.refuse_if(providers_csv.wise_problems(by_wise))
    yield from _split(
        providers_csv.WISE,
        "wise",
        currency,
        by_wise,
        providers_csv.WISE_ROWS,
        lambda some: providers_csv.render_wise(run, some, people=people),
    )


def _split(
    form: str,
    word: str,
    currency: str,
    payments: Sequence[Payment],
    limit: int,
    render: Callable[[Sequence[Payment]], bytes],
) -> Iterator[_Wanted]:
    for part, start in enumerate(range(0, len(payments), limit), start=1):
        some = payments[start : start + limit]
        yield _wanted(form, word, "csv", currency, some, render(some), part=part)


def _journal(run: PayRun, payments: Sequence[Payment]) -> _Wanted:
    rows = list(journal.of_run(run.legal_entity, payments))
    debits = [row.amount for row in rows if row.is_debit and row.amount.currency == run.currency]
    return _Wanted(
        format=journal.FORMAT,
        word="journal",
        extension="csv",
        currency=run.currency,
        part=1,
        rows=len(rows),
        total=Money.total(debits, run.currency),
        content=journal.render(rows),
    )


def _wanted(
    form: str,
    word: str,
    extension: str,
    currency: str,
    payments: Sequence[Payment],
    content: bytes,
    *,
    part: int = 1,
) -> _Wanted:
    total = Money.total((payment.sent for payment in payments), currency)
    return _Wanted(form, word, extension, currency, part, len(payments), total, content)


def _store(run: PayRun, wanted: _Wanted, *, by: User, at: datetime) -> PaymentFile:
    number = numbers.file_number(run.legal_entity, year=at.year)
    return PaymentFile.objects.create(
        pay_run=run,
        format=wanted.format,
        number=number,
        part=wanted.part,
        currency=wanted.currency,
        name=f"{number}-{wanted.word}-{wanted.currency}.{wanted.extension}",
        content=wanted.content,
        sha256=hashlib.sha256(wanted.content).hexdigest(),
        row_count=wanted.rows,
        total_minor=wanted.total.minor,
        made_at=at,
        made_by=by,
    )


def _sent_in(payments: Sequence[Payment], currency: str) -> list[Payment]:
    return [payment for payment in payments if payment.sent_currency == currency]


def _of_kind(payments: Sequence[Payment], kind: PaymentMethodKind) -> list[Payment]:
    return [payment for payment in payments if payment.kind == kind]
