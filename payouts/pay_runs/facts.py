"""What a pay run has to know of many memberships at once: statements, accounts, pauses, tax and what was paid since. It is read in a
fixed number of queries, however many memberships there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import models

from payouts import pauses, settlement
from payouts.choices import PaymentState, TransactionKind
from payouts.models import Entry, Payment, PaymentMethod, Statement, TaxProfile, Withholding
from payouts.statement_families import family
from payouts.tax import forms, withholding
from payouts.withheld import vat_within

if TYPE_CHECKING:
    from payouts.models import Pause, PayRun

_PAYMENT_KINDS = (TransactionKind.PAYMENT_INSTRUCTED, TransactionKind.PAYMENT_FAILED)


@dataclass
class Facts:
    """What is known about the memberships; methods and tax by partner, the rest by membership or statement."""

    methods: dict[int, PaymentMethod] = field(default_factory=dict)
    in_a_run: set[int] = field(default_factory=set)
    paid: set[int] = field(default_factory=set)
    paid_since: dict[int, int] = field(default_factory=dict)
    paused: dict[int, list[Pause]] = field(default_factory=dict)
    stopped: set[int] = field(default_factory=set)
    without_form: set[int] = field(default_factory=set)
    withholdings: dict[int, Withholding] = field(default_factory=dict)
    vat: dict[int, int] = field(default_factory=dict)


def latest_statements(members: Sequence[int], run: PayRun) -> list[Statement]:
    """Return each membership's latest statement in force, without those this run pays already."""
    latest = (
        Statement.objects.in_force()
        .filter(membership=models.OuterRef("membership"), currency=run.currency)
        .latest_first()
        .values("pk")[:1]
    )
    done = Payment.objects.filter(pay_run=run, state=PaymentState.QUEUED).values("membership")
    found = Statement.objects.filter(
        membership__in=members, currency=run.currency, pk=models.Subquery(latest)
    ).exclude(membership__in=done)
    return list(
        found.select_related("period", "membership__partner", "membership__program").order_by("membership_id")
    )


def read(statements: Sequence[Statement], run: PayRun, *, at: datetime) -> Facts:
    """Return what decides about the payments of `statements`."""
    partners = {statement.membership.partner_id for statement in statements}
    members = {statement.membership_id for statement in statements}
    methods = PaymentMethod.objects.current().filter(partner__in=partners, currency=run.currency)
    living = Payment.objects.filter(membership__in=members, currency=run.currency)
    return Facts(
        methods={method.partner_id: method for method in methods},
        in_a_run=set(living.filter(state=PaymentState.QUEUED).values_list("membership", flat=True)),
        paid=_paid(statements, set(living.live().values_list("statement", flat=True))),
        paid_since=_paid_since(statements),
        paused=pauses.open_pauses(members),
        stopped=settlement.stopped(members),
        without_form=_without_form(partners, on=run.execute_on, at=at),
        withholdings=withholding.on(run.execute_on, partner_ids=list(partners)),
        vat=vat_within({statement.membership_id: statement.period for statement in statements}),
    )


def _paid(found: Sequence[Statement], paid: set[int]) -> set[int]:
    """Return the statements that a payment lives for, under their own number or one they corrected."""
    families = family(statement.pk for statement in found)
    return {pk for pk, members in families.items() if members & paid}


def _without_form(partners: set[int], *, on: date, at: datetime) -> set[int]:
    """Return the partners that are paid only with a tax form and have none that is valid on the day of payment."""
    needing = TaxProfile.objects.in_force(at=at).filter(partner__in=partners, needs_form=True)
    valid = forms.holding(on=on).filter(partner__in=partners)
    return set(needing.values_list("partner", flat=True)) - set(valid.values_list("partner", flat=True))


def _paid_since(statements: Iterable[Statement]) -> dict[int, int]:
    """Return, for each statement, what payments have moved on the payable account in later months.

    A payment that left after the month ended is not in the statement's balance, and must not be paid again.
    """
    totals: dict[int, int] = {}
    by_month: dict[tuple[int, int], dict[int, int]] = {}
    for statement in statements:
        month = (statement.period.year, statement.period.month)
        by_month.setdefault(month, {})[statement.membership_id] = statement.pk
    for (year, month_number), members in by_month.items():
        later = models.Q(transaction__period__year__gt=year) | models.Q(
            transaction__period__year=year, transaction__period__month__gt=month_number
        )
        for side, sign in (("credit", 1), ("debit", -1)):
            rows = (
                Entry.objects.filter(later, transaction__kind__in=_PAYMENT_KINDS)
                .filter(**{f"{side}__membership__in": list(members), f"{side}__kind": "payable"})
                .order_by()
                .values_list(f"{side}__membership")
                .annotate(total=models.Sum("amount_minor"))
            )
            for member, total in rows:
                totals[members[member]] = totals.get(members[member], 0) + sign * total
    return totals
