"""Put the pack of a month's end together for the programs of a legal entity, or for one. It reads and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payouts.accrual_pack import clawbacks, journal
from payouts.accrual_pack.clawbacks import METHOD, ClawBacks
from payouts.accrual_pack.journal import JournalRow
from payouts.accrual_pack.reading import BUCKETS, Ageing, NotBegun, ageing, trial_balance
from payouts.choices import PeriodState
from payouts.exports.journal import codes_of
from payouts.models import Period
from prm.lib.db import as_of_one_moment
from prm.lib.money import Money
from prm.lib.periods import Month
from tiers.models import LegalEntity, Program


@dataclass(frozen=True)
class ProgramPack:
    """One program: balances by age, and the claw-backs expected."""

    program: Program
    is_closed: bool
    ageing: tuple[Ageing, ...]
    expected: tuple[ClawBacks, ...]
    without_history: tuple[str, ...]  # currencies in which nothing has been observed


@dataclass(frozen=True)
class Pack:
    """Everything the pack says."""

    legal_entity: LegalEntity
    month: Month
    programs: tuple[ProgramPack, ...]
    trial: dict[tuple[str, str], int]
    journal: tuple[JournalRow, ...]

    @property
    def is_final(self) -> bool:
        """Whether the month is closed in every program, so that nothing can change any more."""
        return all(each.is_closed for each in self.programs)

    @property
    def name(self) -> str:
        return f"accruals-{self.legal_entity.number_prefix}-{self.month}"

    @property
    def totals(self) -> list[Ageing]:
        """Return the balances over all programs, by kind and currency."""
        found: dict[tuple[str, str], Ageing] = {}
        for each in (row for program in self.programs for row in program.ageing):
            total = found.setdefault((each.currency, each.kind), Ageing(each.kind, each.currency))
            for bucket in BUCKETS:
                total.minor[bucket] += each.minor[bucket]
            total.owed_to_us_minor += each.owed_to_us_minor
            total.accounts += each.accounts
        return [found[key] for key in sorted(found, key=lambda key: key[0])]

    @property
    def expected(self) -> list[Money]:
        """Return the claw-backs expected, by currency."""
        found: dict[str, int] = {}
        for each in (row for program in self.programs for row in program.expected):
            found[each.currency] = found.get(each.currency, 0) + each.expected_minor
        return [Money(minor, currency) for currency, minor in sorted(found.items())]


def make(
    legal_entity: LegalEntity, month: Month, *, at: datetime, programs: Sequence[Program] | None = None
) -> Pack:
    """Return the pack of `month` for all programs of a legal entity, or for some of them.

    Raises: NotBegun.
    """
    known = (
        list(programs) if programs is not None else list(Program.objects.filter(legal_entity=legal_entity))
    )
    for program in known:
        if at < month.starts_at(program.zone):
            raise NotBegun(params={"month": str(month)})
    known.sort(key=lambda program: (program.name, program.pk))
    with as_of_one_moment():
        made = tuple(_of_program(program, month) for program in known)
        trial = trial_balance(known, month)
        codes = codes_of(legal_entity)
    rows = tuple(
        row for each in made for row in journal.rows_of(each.program.name, each.ageing, each.expected, codes)
    )
    return Pack(legal_entity=legal_entity, month=month, programs=made, trial=trial, journal=rows)


def as_json(pack: Pack) -> dict[str, Any]:
    """Return the pack as plain values: amounts as decimal texts, shares as exact fractions."""
    return {
        "legal_entity": pack.legal_entity.number_prefix,
        "month": str(pack.month),
        "is_final": pack.is_final,
        "programs": [_program_json(each) for each in pack.programs],
        "trial_balance": [
            {"account": kind, "currency": currency, "balance": str(Money(minor, currency).decimal())}
            for (kind, currency), minor in pack.trial.items()
        ],
        "journal": [
            {
                "program": row.program,
                "account": row.code,
                "name": row.name,
                "debit": str(row.debit.decimal()) if row.debit else "",
                "credit": str(row.credit.decimal()) if row.credit else "",
                "currency": row.currency,
                "text": row.text,
            }
            for row in pack.journal
        ],
        "method": str(METHOD),
    }


def _of_program(program: Program, month: Month) -> ProgramPack:
    found = ageing(program, month)
    expected, without = [], []
    for currency in sorted({each.currency for each in found} | {program.currency}):
        each = clawbacks.expected(program, month, currency)
        if each is None:
            without.append(currency)
        else:
            expected.append(each)
    period = Period.objects.filter(program=program, year=month.year, month=month.month).first()
    return ProgramPack(
        program=program,
        is_closed=period is not None and period.state == PeriodState.CLOSED,
        ageing=tuple(found),
        expected=tuple(expected),
        without_history=tuple(without),
    )


def _program_json(each: ProgramPack) -> dict[str, Any]:
    return {
        "program": each.program.slug,
        "is_closed": each.is_closed,
        "balances": [
            {
                "account": row.kind,
                "currency": row.currency,
                "balance": str(row.total.decimal()),
                "ages": {bucket: str(row.amount(bucket).decimal()) for bucket in reversed(BUCKETS)},
                "owed_by_partners": str(Money(row.owed_to_us_minor, row.currency).decimal()),
            }
            for row in each.ageing
        ],
        "expected_claw_backs": [_expected_json(found) for found in each.expected],
        "no_history_in": list(each.without_history),
    }


def _expected_json(found: ClawBacks) -> dict[str, Any]:
    return {
        "currency": found.currency,
        "expected": str(found.expected.decimal()),
        "sample": {
            "lines": found.sample_lines,
            "from": str(found.sample_first),
            "to": str(found.sample_last),
            "earned": str(found.sample_earned.decimal()),
            "taken_back": str(found.sample_taken.decimal()),
            "taken_back_naming_no_sale": str(found.unnamed.decimal()),
        },
        "shares": [
            {
                "age_months": share.age,
                "taken_back_minor": share.taken_minor,
                "earned_minor": share.earned_minor,
                "share": str(share.share),
            }
            for share in found.shares
        ],
        "months": [
            {
                "month": str(cohort.month),
                "earned": str(Money(cohort.earned_minor, found.currency).decimal()),
                "share_to_come": str(cohort.share),
                "expected": str(Money(cohort.expected_minor, found.currency).decimal()),
            }
            for cohort in found.cohorts
        ],
    }
