"""Put a pay run together: for every membership of an entity and currency either one payment of its latest statement's balance or a
line that says why not. Nothing moves in the ledger yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from partners.choices import MembershipState
from partners.models import Membership
from payouts.choices import LeftOut, PaymentState, PayRunState, StatementState, TransactionKind
from payouts.models import Entry, Payment, PaymentMethod, PayRun, PayRunException, Statement
from payouts.pay_runs.common import bank_id, content_hash
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.ids import public_id
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.models import User
    from tiers.models import LegalEntity

_PAUSED = (MembershipState.SUSPENDED, MembershipState.BANNED)
_PAYMENT_KINDS = (TransactionKind.PAYMENT_INSTRUCTED, TransactionKind.PAYMENT_FAILED)


class NothingToPay(Refused):
    message = _("Nothing can be paid now. Left out: %(left_out)s.")


class NoAccountToPayFrom(Refused):
    message = _("%(entity)s has no IBAN to pay from. Add it to the legal entity first.")
    field = "legal_entity"


class BadDate(Refused):
    message = _("The payment date has passed.")
    field = "execute_on"


@dataclass
class _Facts:
    """What is known about the memberships, read in a handful of queries."""

    methods: dict[int, PaymentMethod] = field(default_factory=dict)
    in_a_run: set[int] = field(default_factory=set)
    paid: set[int] = field(default_factory=set)
    paid_since: dict[int, int] = field(default_factory=dict)


@transaction.atomic
def prepare(legal_entity: LegalEntity, *, currency: str, execute_on: date, by: User, at: datetime) -> PayRun:
    """Return a checked run that pays every membership of the entity in this currency that can be paid.

    Raises: Forbidden, BadDate, NoAccountToPayFrom, NothingToPay.
    """
    policy.require(by, "prepare_pay_runs")
    if execute_on < at.date():
        raise BadDate
    if not legal_entity.iban:
        raise NoAccountToPayFrom(params={"entity": legal_entity.name})
    statements = _latest_statements(legal_entity, currency)
    facts = _read(statements, currency)
    name = public_id("prn")
    run = PayRun(
        public_id=name,
        legal_entity=legal_entity,
        currency=currency,
        execute_on=execute_on,
        message_id=bank_id(name),
        prepared_at=at,
        prepared_by=by,
    )
    payments, left_out = _decide(run, statements, facts, at=at)
    if not payments:
        raise NothingToPay(params={"left_out": _summary(left_out)})
    _store(run, payments, left_out)
    audit.record(by, "pay_run.prepared", run, at=at, payments=len(payments), total_minor=run.total_minor)
    return run


def _latest_statements(legal_entity: LegalEntity, currency: str) -> list[Statement]:
    """Return each membership's latest statement, its memberships locked in primary-key order."""
    members = Membership.objects.lock().filter(program__legal_entity=legal_entity, program__currency=currency)
    ids = list(members.values_list("pk", flat=True))
    latest = (
        Statement.objects.in_force()
        .filter(membership=models.OuterRef("membership"), currency=currency)
        .latest_first()
        .values("pk")[:1]
    )
    found = Statement.objects.filter(membership__in=ids, currency=currency, pk=models.Subquery(latest))
    return list(
        found.select_related("period", "membership__partner", "membership__program").order_by("membership_id")
    )


def _read(statements: Sequence[Statement], currency: str) -> _Facts:
    partners = {statement.membership.partner_id for statement in statements}
    members = {statement.membership_id for statement in statements}
    methods = PaymentMethod.objects.current().filter(partner__in=partners, currency=currency)
    living = Payment.objects.filter(membership__in=members, currency=currency)
    return _Facts(
        methods={method.partner_id: method for method in methods},
        in_a_run=set(living.filter(state=PaymentState.QUEUED).values_list("membership", flat=True)),
        paid=set(living.live().values_list("statement", flat=True)),
        paid_since=_paid_since(statements),
    )


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


def _decide(
    run: PayRun, statements: Sequence[Statement], facts: _Facts, *, at: datetime
) -> tuple[list[Payment], list[PayRunException]]:
    payments: list[Payment] = []
    left_out: list[PayRunException] = []
    for statement in statements:
        amount = statement.closing + Money(facts.paid_since.get(statement.pk, 0), statement.currency)
        is_done = not amount or statement.pk in facts.paid
        if is_done and statement.membership_id not in facts.in_a_run:
            continue  # nothing is owed, or it is on its way
        method = facts.methods.get(statement.membership.partner_id)
        reason = _why_not(statement, amount, method, facts, at=at)
        if reason is not None:
            left_out.append(
                PayRunException(
                    pay_run=run, membership=statement.membership, amount_minor=amount.minor, reason=reason
                )
            )
        elif method is not None:
            payments.append(_payment(run, statement, amount, method))
    return payments, left_out


def _why_not(
    statement: Statement, amount: Money, method: PaymentMethod | None, facts: _Facts, *, at: datetime
) -> LeftOut | None:
    membership = statement.membership
    if membership.pk in facts.in_a_run:
        return LeftOut.ALREADY_IN_RUN
    if amount.minor <= 0:
        return LeftOut.NEGATIVE
    if amount.minor < statement.facts["minimum_minor"]:
        return LeftOut.BELOW_MINIMUM
    if membership.state in _PAUSED:
        return LeftOut.MEMBERSHIP_PAUSED
    if method is None:
        return LeftOut.NO_PAYMENT_METHOD
    return None if method.is_usable(at=at) else LeftOut.METHOD_COOLING


def _payment(run: PayRun, statement: Statement, amount: Money, method: PaymentMethod) -> Payment:
    name = public_id("pay")
    return Payment(
        public_id=name,
        pay_run=run,
        membership=statement.membership,
        statement=statement,
        payment_method=method,
        amount_minor=amount.minor,
        currency=amount.currency,
        sent_minor=amount.minor,
        sent_currency=amount.currency,
        kind=method.kind,
        holder=method.holder,
        iban=method.iban,
        details=method.details,
        ending=method.ending,
        bic=method.bic,
        end_to_end_id=bank_id(name),
    )


def _store(run: PayRun, payments: list[Payment], left_out: list[PayRunException]) -> None:
    run.state = PayRunState.CHECKED
    run.total_minor = sum(payment.amount_minor for payment in payments)
    run.payment_count = len(payments)
    run.sha256 = content_hash(run, payments)
    run.save()
    Payment.objects.bulk_create(payments)
    PayRunException.objects.bulk_create(left_out)
    # A balance below the minimum a month ago may be paid now: its statement is then one that waits for its payment.
    paid = [payment.statement_id for payment in payments]
    Statement.objects.filter(pk__in=paid, state=StatementState.CARRIED_OVER).update(
        state=StatementState.ISSUED
    )


def _summary(left_out: Iterable[PayRunException]) -> str:
    counts: dict[str, int] = {}
    for exception in left_out:
        counts[exception.reason] = counts.get(exception.reason, 0) + 1
    named = [f"{LeftOut(reason).label} ({count})" for reason, count in sorted(counts.items())]
    return ", ".join(named) or "–"
