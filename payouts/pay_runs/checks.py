"""What a person should look at before a run is approved, with the figures that raised it: first payments, changed and shared accounts,
unusual amounts, debts, missing data, a total unlike the last one. Each kind is found in one or two queries for the whole run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models.functions import RowNumber

from payouts.choices import CheckKind, LeftOut, PaymentMethodKind, PaymentState, PayRunState, VatMode
from payouts.models import Payment, PaymentMethod, PayRun, PayRunCheck, TaxProfile
from payouts.signals_of_accounts import open_signals_for

RECENT = timedelta(days=30)
USUAL_OF = 6  # settled payments the usual amount is the average of
UNUSUAL_TIMES = 3
_BANKS = (PaymentMethodKind.BANK_IBAN, PaymentMethodKind.US_ACCOUNT)
_NOT_A_RUN = (PayRunState.DRAFT, PayRunState.CHECKED, PayRunState.CANCELLED)


@dataclass(frozen=True)
class Finding:
    """One thing to look at."""

    kind: CheckKind
    membership_id: int | None
    facts: dict[str, Any]


def raise_all(run: PayRun, payments: Sequence[Payment], *, at: datetime) -> None:
    """Write what is to be looked at in a run that was just computed."""
    found = [
        *_new_payees(payments),
        *_changed_accounts(payments, at=at),
        *_unusual_amounts(run, payments),
        *_negative(run),
        *_missing_data(payments, at=at),
        *_shared_accounts(payments),
        *_total_changed(run),
    ]
    PayRunCheck.objects.bulk_create(_row(run, each, at=at) for each in found)


def look_again(run: PayRun, left_out: Payment, *, at: datetime) -> None:
    """Bring the checks in line with a run that one payment was taken out of; what others acknowledged stays acknowledged."""
    mine = run.checks.filter(membership=left_out.membership_id).exclude(kind=CheckKind.NEGATIVE)
    mine.delete()
    run.checks.filter(kind=CheckKind.TOTAL_CHANGED).delete()
    PayRunCheck.objects.bulk_create(_row(run, each, at=at) for each in _total_changed(run))


def last_run(run: PayRun) -> PayRun | None:
    """Return the run of the entity and currency that was approved before this one."""
    earlier = PayRun.objects.filter(legal_entity=run.legal_entity_id, currency=run.currency)
    found = earlier.exclude(state__in=_NOT_A_RUN).exclude(pk=run.pk).filter(prepared_at__lte=run.prepared_at)
    return found.order_by("-prepared_at", "-pk").first()


def _row(run: PayRun, found: Finding, *, at: datetime) -> PayRunCheck:
    return PayRunCheck(
        pay_run=run, membership_id=found.membership_id, kind=found.kind, facts=found.facts, raised_at=at
    )


def _new_payees(payments: Sequence[Payment]) -> Iterator[Finding]:
    """Yield who was never paid before, in any program: the account was never proven."""
    partners = {payment.membership.partner_id for payment in payments}
    settled = Payment.objects.filter(membership__partner__in=partners, state=PaymentState.SETTLED)
    known = set(settled.values_list("membership__partner", flat=True))
    for payment in payments:
        if payment.membership.partner_id not in known:
            yield Finding(CheckKind.NEW_PAYEE, payment.membership_id, {"amount_minor": payment.amount_minor})


def _changed_accounts(payments: Sequence[Payment], *, at: datetime) -> Iterator[Finding]:
    earlier = PaymentMethod.objects.filter(
        partner=models.OuterRef("partner"), currency=models.OuterRef("currency"), pk__lt=models.OuterRef("pk")
    )
    used = PaymentMethod.objects.filter(pk__in=[payment.payment_method_id for payment in payments])
    changed = used.filter(added_at__gt=at - RECENT).annotate(
        before=models.Subquery(earlier.order_by("-pk").values("ending")[:1])
    )
    rows = changed.exclude(before=None).values_list("pk", "added_at", "before", "ending")
    found = {
        pk: {"added_at": added_at.isoformat(), "before": before, "now": ending}
        for pk, added_at, before, ending in rows
    }
    for payment in payments:
        if payment.payment_method_id in found:
            yield Finding(CheckKind.CHANGED_ACCOUNT, payment.membership_id, found[payment.payment_method_id])


def _unusual_amounts(run: PayRun, payments: Sequence[Payment]) -> Iterator[Finding]:
    """Yield payments of more than three times the average of what was paid before."""
    settled = Payment.objects.filter(
        membership__in=[payment.membership_id for payment in payments],
        currency=run.currency,
        state=PaymentState.SETTLED,
    )
    newest_first = models.Window(
        RowNumber(),
        partition_by=[models.F("membership")],
        order_by=[models.F("settled_at").desc(), models.F("pk").desc()],
    )
    usual: dict[int, list[int]] = {}
    for member, minor in (
        settled.annotate(nth=newest_first).filter(nth__lte=USUAL_OF).values_list("membership", "amount_minor")
    ):
        usual.setdefault(member, []).append(minor)
    for payment in payments:
        before = usual.get(payment.membership_id, [])
        if before and payment.amount_minor * len(before) > UNUSUAL_TIMES * sum(before):
            yield Finding(
                CheckKind.UNUSUAL_AMOUNT,
                payment.membership_id,
                {"amount_minor": payment.amount_minor, "sum_minor": sum(before), "payments": len(before)},
            )


def _negative(run: PayRun) -> Iterator[Finding]:
    owing = run.exceptions.filter(reason=LeftOut.NEGATIVE).order_by("pk")
    for member, minor in owing.values_list("membership", "amount_minor"):
        yield Finding(CheckKind.NEGATIVE, member, {"amount_minor": minor})


def _missing_data(payments: Sequence[Payment], *, at: datetime) -> Iterator[Finding]:
    partners = {payment.membership.partner_id for payment in payments}
    without_number = set(
        TaxProfile.objects.in_force(at=at)
        .filter(partner__in=partners, vat_mode=VatMode.REVERSE_CHARGE, vat_number="")
        .values_list("partner", flat=True)
    )
    for payment in payments:
        missing = list(_missing_of(payment, without_number))
        if missing:
            yield Finding(CheckKind.MISSING_DATA, payment.membership_id, {"missing": missing})


def _missing_of(payment: Payment, without_number: Iterable[int]) -> Iterator[str]:
    partner = payment.membership.partner
    if payment.kind in _BANKS and not (partner.street and partner.town):
        yield "address"
    if not partner.country:
        yield "country"
    if partner.pk in without_number:
        yield "vat_number"


def _shared_accounts(payments: Sequence[Payment]) -> Iterator[Finding]:
    signals = open_signals_for(payment.payment_method_id for payment in payments)
    for payment in payments:
        mine = payment.payment_method_id
        others = [each.other if each.method_id == mine else each.method for each in signals.get(mine, [])]
        names = sorted({other.partner.name for other in others})
        if names:
            yield Finding(CheckKind.SHARED_ACCOUNT, payment.membership_id, {"partners": names})


def _total_changed(run: PayRun) -> Iterator[Finding]:
    """Yield the total when it differs by more than half from the last run's."""
    last = last_run(run)
    if last is not None and 2 * abs(run.total_minor - last.total_minor) > last.total_minor:
        facts = {"total_minor": run.total_minor, "last_minor": last.total_minor, "last_run": last.message_id}
        yield Finding(CheckKind.TOTAL_CHANGED, None, facts)
