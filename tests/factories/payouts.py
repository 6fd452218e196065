"""Months, statements, accounts to pay to and pay runs, made by the product's own verbs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from partners.models import Membership
from payouts import pay_runs, payment_methods, periods
from payouts.exports.bank_days import next_bank_day
from payouts.models import PaymentMethod, PayRun, Statement
from prm.accounts.models import User
from prm.lib.periods import Month
from tests.people import ada, felix, fiona
from tiers.models import LegalEntity, Program

IBANS = (
    "GB33BUKB20201555555555",
    "GB29NWBK60161331926819",
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "BE68539007547034",
)


def close_months(program: Program, *months: Month, at: datetime) -> list[Statement]:
    """Close months of a program and return their statements, in the order they were issued."""
    made = [periods.close(program, month, by=fiona(), at=at) for month in months]
    return list(
        Statement.objects.filter(period__in=made).select_related("membership", "period").order_by("pk")
    )


def give_account(
    membership: Membership,
    *,
    at: datetime,
    iban: str = IBANS[0],
    holder: str = "",
    bic: str = "",
    by: User | None = None,
    currency: str = "",
) -> PaymentMethod:
    """Add a bank account that has waited long enough to be paid to at `at`."""
    return payment_methods.add(
        membership.partner,
        currency=currency or membership.program.currency,
        holder=holder or membership.partner.name,
        iban=iban,
        bic=bic,
        by=by or ada(),
        at=at - timedelta(hours=payment_methods.COOLING_HOURS + 1),
    )


def prepared(
    entity: LegalEntity, *, at: datetime, currency: str = "GBP", execute_on: date | None = None
) -> PayRun:
    day = execute_on or next_bank_day(at.date() + timedelta(days=1), currency)
    return pay_runs.prepare(entity, currency=currency, execute_on=day, by=fiona(), at=at)


def looked_at(run: PayRun, *, at: datetime) -> PayRun:
    """Acknowledge every check of a run."""
    pay_runs.acknowledge_all(run, note="Looked at.", by=fiona(), at=at)
    return run


def exported(entity: LegalEntity, *, at: datetime, currency: str = "GBP") -> PayRun:
    """Return a run that was prepared, approved and exported."""
    run = pay_runs.approve(looked_at(prepared(entity, at=at, currency=currency), at=at), by=felix(), at=at)
    pay_runs.export(run, by=fiona(), at=at)
    run.refresh_from_db()
    return run


def give_accounts(memberships: Iterable[Membership], *, at: datetime) -> None:
    """Give each membership's partner an account of its own."""
    for place, membership in enumerate(memberships):
        give_account(membership, at=at, iban=IBANS[place % len(IBANS)])
