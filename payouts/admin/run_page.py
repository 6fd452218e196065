"""What the page of a pay run shows: facts, people and times, payments, and whom the run leaves out and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts.choices import PaymentMethodKind, PaymentState, PayRunState
from payouts.models import Payment, PaymentFile, PaymentFileTaken, PayRun
from payouts.pay_runs.files import MOVES_MONEY
from prm.accounts.back_office import Fact, badge, link_to, locale
from prm.lib import l10n
from prm.lib.money import Money

# Failing is possible while a payment is out, and after it was paid: banks send money back.
_CAN_FAIL = (PaymentState.SENT, PaymentState.SETTLED)
_CAN_LEAVE_OUT = (PayRunState.CHECKED, PayRunState.APPROVED)
PER_PAGE = 100


def facts_of(run: PayRun) -> Iterator[Fact]:
    """Yield the run's facts."""
    yield Fact(_("Paid by"), run.legal_entity.name)
    yield Fact(_("Payment date"), l10n.date_text(run.execute_on, locale(), "long"))
    yield Fact(_("Currency"), run.currency)
    if run.sha256:
        yield Fact(
            _("Hash"), run.sha256, _("Over whom it pays, how much, from and to which account, and when.")
        )


def steps_of(run: PayRun) -> list[dict[str, Any]]:
    """Return who did what when, and what is still to come."""
    steps = [
        _step(
            _("Opened") if run.state == PayRunState.DRAFT else _("Prepared"), run.prepared_at, run.prepared_by
        ),
        _step(_("Approved"), run.approved_at, run.approved_by),
        _step(_("Files made"), run.exported_at, run.exported_by),
        _step(_("Reconciled with the bank"), run.reconciled_at, run.reconciled_by),
    ]
    if run.cancelled_at is not None:
        done = [step for step in steps if step["done"]]
        return [*done, {**_step(_("Cancelled"), run.cancelled_at, run.cancelled_by), "problem": True}]
    return steps


def payments_of(run: PayRun, *, number: str | None, may_fail: bool, may_leave_out: bool) -> dict[str, Any]:
    """Return one page of a run's payments, the largest first; account numbers stay masked."""
    found = (
        run.payments.defer("iban", "details")
        .select_related("membership__partner", "statement")
        .order_by("-amount_minor", "pk")
    )
    page = Paginator(found, PER_PAGE).get_page(number)
    rows = [_payment(run, each, may_fail=may_fail, may_leave_out=may_leave_out) for each in page]
    return {"rows": rows, "pages": _pages(page, "payments")}


def _payment(run: PayRun, payment: Payment, *, may_fail: bool, may_leave_out: bool) -> dict[str, Any]:
    can_fail = may_fail and payment.state in _CAN_FAIL
    can_leave_out = may_leave_out and payment.state == PaymentState.QUEUED and run.state in _CAN_LEAVE_OUT
    return {
        "partner": link_to(payment.membership.partner),
        "name": payment.membership.partner.name,
        "statement": link_to(payment.statement),
        "account": payment_account(payment),
        "amount": payment.amount,
        "withheld": payment.withheld if payment.withheld_minor else None,
        "sent": payment.sent,
        "badge": badge(payment.state, "payment"),
        "note": payment.failure_reason or payment.bank_reference,
        "fail_url": reverse("admin:payouts_payrun_fail", args=[run.pk, payment.pk]) if can_fail else "",
        "leave_out_url": reverse("admin:payouts_payrun_leave_out", args=[run.pk, payment.pk])
        if can_leave_out
        else "",
    }


def payment_account(payment: Payment) -> str:
    """Return where a payment goes, masked as everywhere."""
    if payment.kind in (PaymentMethodKind.BANK_IBAN, PaymentMethodKind.US_ACCOUNT):
        return _("ending %(ending)s") % {"ending": payment.ending}
    kind = PaymentMethodKind(payment.kind).label
    return (
        _("%(kind)s, %(ending)s") % {"kind": kind, "ending": payment.ending} if payment.ending else str(kind)
    )


def left_out_of(run: PayRun, *, number: str | None) -> dict[str, Any]:
    """Return one page of whom the run does not pay, and why."""
    found = run.exceptions.select_related("membership__partner").order_by("reason", "amount_minor", "pk")
    page = Paginator(found, PER_PAGE).get_page(number)
    rows = [
        {
            "partner": link_to(exception.membership.partner),
            "amount": Money(exception.amount_minor, run.currency),
            "reason": exception.get_reason_display(),
            "detail": exception.detail,
        }
        for exception in page
    ]
    return {"rows": rows, "pages": _pages(page, "left-out")}


def files_of(run: PayRun) -> list[dict[str, Any]]:
    """Return the run's files, each with how often it was taken."""
    found = run.files.defer("content").annotate(times=Count("taken")).order_by("pk")
    return [
        {
            "file": file,
            "total": Money(file.total_minor, file.currency),
            "url": reverse("admin:payouts_payrun_file", args=[run.pk, file.pk]),
            "times": file.times,
        }
        for file in found
    ]


def warnings_of(file: PaymentFile, earlier: list[PaymentFileTaken]) -> list[str]:
    """Return what somebody should know who takes a file that was taken before."""
    last = earlier[-1]
    said = ngettext(
        "%(person)s downloaded it on %(when)s.",
        "%(person)s downloaded it last, on %(when)s; it was downloaded %(count)s times in all.",
        len(earlier),
    ) % {
        "person": last.taken_by.get_full_name() or last.taken_by.email,
        "when": l10n.datetime_text(last.taken_at, timezone.get_current_timezone(), locale()),
        "count": l10n.number_text(len(earlier), locale()),
    }
    twice = ngettext(
        "Uploaded at the bank a second time, it pays %(count)s payment twice.",
        "Uploaded at the bank a second time, it pays %(count)s payments twice.",
        file.row_count,
    )
    again = (
        [twice % {"count": l10n.number_text(file.row_count, locale())}] if file.format in MOVES_MONEY else []
    )
    return [said, *again, _("You get the same file, unchanged. The log keeps that you downloaded it.")]


def _pages(page: Page[Any], anchor: str) -> dict[str, Any] | None:
    if page.paginator.num_pages == 1:
        return None
    return {
        "first": page.start_index(),
        "last": page.end_index(),
        "total": page.paginator.count,
        "previous_url": f"?{anchor}={page.previous_page_number()}#{anchor}" if page.has_previous() else "",
        "next_url": f"?{anchor}={page.next_page_number()}#{anchor}" if page.has_next() else "",
    }


def _step(what: str, at: datetime | None, by: Any) -> dict[str, Any]:
    if at is None:
        return {"at": "", "what": what, "done": False}
    who = by.get_full_name() or by.email
    text = l10n.datetime_text(at, timezone.get_current_timezone(), locale())
    return {"at": text, "what": _("%(what)s by %(person)s") % {"what": what, "person": who}, "done": True}
