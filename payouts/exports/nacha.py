"""Payments to US bank accounts as an ACH file: records of 94 characters, one batch for companies (CCD) and one for people (PPD). When the
entity's own account is known each batch also takes the money from it, so that debits equal credits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import TYPE_CHECKING

from payouts.exports.bank_days import is_bank_day, next_bank_day
from payouts.exports.checks import Problem, is_routing_number
from payouts.exports.latin import bank_text
from payouts.exports.payee import details_of
from payouts.models import Payment, PayRun

if TYPE_CHECKING:
    from tiers.models import LegalEntity

FORMAT = "nacha"
CURRENCY = "USD"
CONTENT_TYPE = "text/plain; charset=us-ascii"
_LARGEST = 10**10 - 1  # ten digits of cents
_BLOCK = 10
_CREDITS = {"checking": "22", "savings": "32"}
_DEBIT = "27"
# What pays people for work is marked so since 20 March 2026, contractors included (Nacha's rules of 2026).
_DESCRIPTIONS = {"CCD": "COMMISSION", "PPD": "PAYROLL"}


@dataclass
class _Sums:
    """What control records add up."""

    entries: int = 0
    routing: int = 0
    debit: int = 0
    credit: int = 0

    def add(self, routing: str, *, debit: int = 0, credit: int = 0) -> None:
        self.entries += 1
        self.routing += int(routing[:8])
        self.debit += debit
        self.credit += credit

    def include(self, other: _Sums) -> None:
        self.entries += other.entries
        self.routing += other.routing
        self.debit += other.debit
        self.credit += other.credit

    @property
    def text(self) -> str:
        """The entry hash keeps the last ten digits, as the format has it."""
        return f"{self.routing % 10**10:010d}{self.debit:012d}{self.credit:012d}"


def render(run: PayRun, payments: Sequence[Payment], *, people: frozenset[int]) -> bytes:
    """Return the file for payments of a run in US dollars, in the order given; `people` are the partners who are persons."""
    lines = list(_records(run, payments, people))
    lines += ["9" * 94] * (-len(lines) % _BLOCK)
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def problems(run: PayRun, payments: Sequence[Payment], *, on: date) -> Iterator[Problem]:
    """Yield what would make the bank refuse the file."""
    entity = run.legal_entity
    if not is_routing_number(entity.us_routing_number):
        yield Problem("missing_us_bank", detail=entity.us_routing_number or entity.name)
    if not entity.us_company_id.strip() or not entity.us_company_id.isascii():
        yield Problem("missing_us_bank", detail=entity.us_company_id or entity.name)
    if run.execute_on < on:
        yield Problem("date_passed", detail=run.execute_on.isoformat())
    if not is_bank_day(run.execute_on, CURRENCY):
        best = next_bank_day(max(run.execute_on, on), CURRENCY)
        yield Problem("not_a_bank_day", detail=best.isoformat())
    if entity.us_account_number and not _is_account(entity.us_account_number):
        yield Problem("bad_account_number", entity.name)
    for payment in payments:
        yield from _problems_of(payment)


def _problems_of(payment: Payment) -> Iterator[Problem]:
    who, details = f"{payment.end_to_end_id} ({payment.holder})", details_of(payment)
    if payment.sent_currency != CURRENCY:
        yield Problem("wrong_currency", who, payment.sent_currency)
    if not is_routing_number(details.get("routing_number", "")):
        yield Problem("bad_routing_number", who)
    if not _is_account(details.get("account_number", "")):
        yield Problem("bad_account_number", who)
    if details.get("account_type") not in _CREDITS:
        yield Problem("bad_account_type", who)
    if not 0 < payment.sent_minor <= _LARGEST:
        yield Problem("amount_too_large", who, str(payment.sent))
    if not _text(payment.holder, 22).strip():
        yield Problem("missing_name", who)


def _is_account(text: str) -> bool:
    return 0 < len(text) <= 17 and text.isascii() and text.replace("-", "").replace(" ", "").isalnum()


def _records(run: PayRun, payments: Sequence[Payment], people: frozenset[int]) -> Iterator[str]:
    entity, whole, blocks = run.legal_entity, _Sums(), 2
    yield _file_header(run, entity)
    batches = [
        ("CCD", [each for each in payments if each.membership.partner_id not in people]),
        ("PPD", [each for each in payments if each.membership.partner_id in people]),
    ]
    filled = [(code, members) for code, members in batches if members]
    for number, (code, members) in enumerate(filled, start=1):
        records = list(_batch(run, code, number, members, whole))
        blocks += len(records)
        yield from records
    # The count of blocks holds the header, this record and the filling up to ten.
    count = -(-blocks // _BLOCK)
    yield f"9{len(filled):06d}{count:06d}{whole.entries:08d}{whole.text}{'':39}"


def _file_header(run: PayRun, entity: LegalEntity) -> str:
    # The approval is when the file came to be; the hour of a download would change its bytes.
    made_at = (run.approved_at or run.prepared_at).astimezone(UTC)
    return (
        f"101{entity.us_routing_number:>10}{_text(entity.us_company_id, 10):>10}"
        f"{made_at:%y%m%d%H%M}A094101{'':23}{_text(entity.name, 23):23}{'':8}"
    )


def _batch(run: PayRun, code: str, number: int, payments: Sequence[Payment], whole: _Sums) -> Iterator[str]:
    entity, sums = run.legal_entity, _Sums()
    service = "200" if entity.us_account_number else "220"  # debits and credits, or credits only
    company, bank = f"{_text(entity.us_company_id, 10):10}", entity.us_routing_number[:8]
    yield (
        f"5{service}{_text(entity.name, 16):16}{'':20}{company}{code}{_DESCRIPTIONS[code]:10}"
        f"{run.execute_on:%y%m%d}{run.execute_on:%y%m%d}{'':3}1{bank}{number:07d}"
    )
    for payment in payments:
        details = details_of(payment)
        sums.add(details["routing_number"], credit=payment.sent_minor)
        yield _entry(
            _CREDITS[details["account_type"]],
            routing=details["routing_number"],
            account=details["account_number"],
            minor=payment.sent_minor,
            # The end of the id is its random part, so fifteen characters still tell payments apart.
            name=(payment.end_to_end_id[-15:], payment.holder),
            trace=f"{bank}{whole.entries + sums.entries:07d}",
        )
    if entity.us_account_number:
        total = sums.credit
        sums.add(entity.us_routing_number, debit=total)
        yield _entry(
            _DEBIT,
            routing=entity.us_routing_number,
            account=entity.us_account_number,
            minor=total,
            name=(run.message_id[-15:], entity.name),
            trace=f"{bank}{whole.entries + sums.entries:07d}",
        )
    whole.include(sums)
    yield f"8{service}{sums.entries:06d}{sums.text}{company}{'':19}{'':6}{bank}{number:07d}"


def _entry(code: str, *, routing: str, account: str, minor: int, name: tuple[str, str], trace: str) -> str:
    known_as, holder = name
    return (
        f"6{code}{routing}{account.strip():17}{minor:010d}{_text(known_as, 15):15}{_text(holder, 22):22}"
        f"{'':2}0{trace}"
    )


def _text(text: str, limit: int) -> str:
    return bank_text(text, limit).upper()
