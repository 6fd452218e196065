"""What the page of a pay run shows: facts, people and times, payments, and whom the run leaves out and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from payouts.choices import PaymentState
from payouts.models import PayRun
from prm.accounts.back_office import Fact, badge, link_to, locale
from prm.lib import l10n
from prm.lib.money import Money

# Failing is possible while a payment is out, and after it was paid: banks send money back.
_CAN_FAIL = (PaymentState.SENT, PaymentState.SETTLED)


def facts_of(run: PayRun) -> Iterator[Fact]:
    """Yield the run's facts."""
    yield Fact(_("Paid by"), run.legal_entity.name)
    yield Fact(_("Payment date"), l10n.date_text(run.execute_on, locale(), "long"))
    yield Fact(_("Payments"), l10n.number_text(run.payment_count, locale()))
    yield Fact(_("Currency"), run.currency)
    yield Fact(_("Hash"), run.sha256, _("Over whom it pays, how much, from and to which account, and when."))


def steps_of(run: PayRun) -> list[dict[str, Any]]:
    """Return who did what when, and what is still to come."""
    steps = [
        _step(_("Prepared"), run.prepared_at, run.prepared_by),
        _step(_("Approved"), run.approved_at, run.approved_by),
        _step(_("Files made"), run.exported_at, run.exported_by),
        _step(_("Reconciled with the bank"), run.reconciled_at, run.reconciled_by),
    ]
    if run.cancelled_at is not None:
        done = [step for step in steps if step["done"]]
        return [*done, {**_step(_("Cancelled"), run.cancelled_at, run.cancelled_by), "problem": True}]
    return steps


def rows_of(run: PayRun, *, may_fail: bool) -> list[dict[str, Any]]:
    """Return the payments of a run; account numbers stay masked."""
    payments = (
        run.payments.defer("iban")
        .select_related("membership__partner", "statement")
        .order_by("-amount_minor", "pk")
    )
    return [
        {
            "partner": link_to(payment.membership.partner),
            "statement": link_to(payment.statement),
            "ending": payment.ending,
            "amount": payment.amount,
            "badge": badge(payment.state, "payment"),
            "note": payment.failure_reason or payment.bank_reference,
            "fail_url": reverse("admin:payouts_payrun_fail", args=[run.pk, payment.pk])
            if may_fail and payment.state in _CAN_FAIL
            else "",
        }
        for payment in payments
    ]


def left_out_of(run: PayRun) -> list[dict[str, Any]]:
    """Return whom the run does not pay, and why."""
    found = run.exceptions.select_related("membership__partner").order_by("reason", "amount_minor", "pk")
    return [
        {
            "partner": link_to(exception.membership.partner),
            "amount": Money(exception.amount_minor, run.currency),
            "reason": exception.get_reason_display(),
        }
        for exception in found
    ]


def _step(what: str, at: datetime | None, by: Any) -> dict[str, Any]:
    if at is None:
        return {"at": "", "what": what, "done": False}
    who = by.get_full_name() or by.email
    text = l10n.datetime_text(at, timezone.get_current_timezone(), locale())
    return {"at": text, "what": _("%(what)s by %(person)s") % {"what": what, "person": who}, "done": True}
