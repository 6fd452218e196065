"""Pay runs against their payments, their postings and their files: one story told three times. A payment that was taken out of a run does
not count, and what the bank is told is compared in the currency it is told."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from payouts.choices import AccountKind, PaymentMethodKind, PaymentState, PayRunState, TransactionKind
from payouts.finding import Finding
from payouts.models import Entry, Payment, PaymentFile, PayRun
from payouts.pay_runs.files import MOVES_MONEY

_COUNTS = ~Q(payments__state=PaymentState.CANCELLED)


def runs_meet_their_payments() -> Iterator[Finding]:
    """A run's total is what its payments take from the balances, and what was posted for them."""
    standing = PayRun.objects.exclude(state__in=[PayRunState.DRAFT, PayRunState.CANCELLED])
    runs = (
        standing.annotate(
            paid=Coalesce(Sum("payments__amount_minor", filter=_COUNTS), 0),
            count=Count("payments", filter=_COUNTS),
        )
        .exclude(paid=F("total_minor"), count=F("payment_count"))
        .order_by("pk")
        .values_list("message_id", "total_minor", "payment_count", "paid", "count")
    )
    for name, total, payments, paid, count in runs:
        yield Finding("pay_run_total", name, f"{total} in {payments}", f"{paid} in {count}")
    for run in PayRun.objects.filter(exported_at__isnull=False).order_by("pk"):
        keys = [f"payment_instructed:{name}" for name in run.payments.values_list("public_id", flat=True)]
        posted = Entry.objects.filter(
            transaction__key__in=keys,
            transaction__kind=TransactionKind.PAYMENT_INSTRUCTED,
            debit__kind=AccountKind.PAYABLE,
        ).aggregate(total=Coalesce(Sum("amount_minor"), 0))
        if posted["total"] != run.total_minor:
            yield Finding("pay_run_posted", str(run), str(run.total_minor), str(posted["total"]))


def files_meet_their_payments() -> Iterator[Finding]:
    """What the files of a run tell banks and providers is what its payments send, currency by currency."""
    told: dict[tuple[int, str], tuple[int, int]] = {}
    files = PaymentFile.objects.filter(format__in=MOVES_MONEY).order_by()
    for run, currency, total, rows in files.values_list("pay_run", "currency").annotate(
        Sum("total_minor"), Sum("row_count")
    ):
        told[run, currency] = (total, rows)
    sent = (
        Payment.objects.filter(pay_run__exported_at__isnull=False)
        .exclude(state=PaymentState.CANCELLED)
        .exclude(kind=PaymentMethodKind.OTHER)
        .order_by()
        .values_list("pay_run", "sent_currency")
        .annotate(Sum("sent_minor"), Count("pk"))
    )
    wanted = {(run, currency): (total, rows) for run, currency, total, rows in sent}
    for key in sorted({*told, *wanted}):
        if told.get(key, (0, 0)) != wanted.get(key, (0, 0)):
            run, currency = key
            yield Finding(
                "payment_file",
                f"run {run} {currency}",
                str(wanted.get(key, (0, 0))),
                str(told.get(key, (0, 0))),
            )
