"""Propose the journal of a month's end: what is owed and not paid as expense against what partners are owed, and the claw-backs expected
the other way. Debits and credits are equal in every currency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payouts.accrual_pack.clawbacks import ClawBacks
from payouts.accrual_pack.reading import KINDS, Ageing, sum_of
from payouts.choices import AccountKind
from prm.lib.money import Money

Codes = Mapping[str, tuple[str, str]]
USE = gettext_lazy(
    "For books that hold only what was paid: book it on the month's last day and reverse it on the next. Who books the accounting "
    "journal of every transaction takes from it only the expected claw-backs."
)


@dataclass(frozen=True)
class JournalRow:
    """One row: an account in the operator's books, with an amount on one of two sides."""

    program: str
    code: str
    name: str
    debit: Money | None
    credit: Money | None
    text: str

    @property
    def currency(self) -> str:
        return (self.debit or self.credit or Money(0, "EUR")).currency


def rows_of(
    program: str, found: Sequence[Ageing], expected: Sequence[ClawBacks], codes: Codes
) -> Iterator[JournalRow]:
    """Yield the rows of one program."""
    for currency in sorted({each.currency for each in found}):
        owed = Money(sum(sum_of(found, kind, currency) for kind in KINDS), currency)
        what = _("Owed to partners and not paid")
        yield from _row(program, codes, AccountKind.EXPENSE, -owed, what)
        for kind in KINDS:
            yield from _row(program, codes, kind, Money(sum_of(found, kind, currency), currency), what)
    for each in expected:
        what = _("Claw-backs expected from refund history")
        yield from _row(program, codes, AccountKind.PENDING, -each.expected, what)
        yield from _row(program, codes, AccountKind.EXPENSE, each.expected, what)


def _row(program: str, codes: Codes, kind: AccountKind, credit: Money, text: str) -> Iterator[JournalRow]:
    """Yield a row that credits an account, or debits it when the amount is negative; nothing for nothing."""
    if not credit:
        return
    code, name = codes[kind.value]
    is_credit = credit.minor > 0
    yield JournalRow(
        program=program,
        code=code,
        name=name,
        debit=None if is_credit else -credit,
        credit=credit if is_credit else None,
        text=text,
    )
