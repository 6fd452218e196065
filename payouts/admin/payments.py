"""Payments: one transfer each, with what the bank said. They are moved on the page of their pay run."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from payouts.admin.totals import WithTotals
from payouts.models import Payment
from prm.accounts.back_office import link_to, money_column, state_column, when_column


@admin.register(Payment)
class PaymentAdmin(WithTotals):
    """Payments, the newest first."""

    sees = "see_ledger"
    list_display = (
        "partner",
        "statement",
        money_column("amount_minor", gettext_lazy("amount")),
        state_column("payment", gettext_lazy("state")),
        when_column("sent_at", gettext_lazy("sent")),
        when_column("settled_at", gettext_lazy("paid")),
        "failure_reason",
        "pay_run",
        "end_to_end_id",
    )
    list_filter = ("state", "currency", "membership__program", "sent_at")
    list_select_related = ("pay_run", "statement", "membership__partner")
    search_fields = (
        "end_to_end_id",
        "public_id",
        "membership__partner__name",
        "statement__number",
        "bank_reference",
    )
    search_help_text = gettext_lazy("Partner, statement, payment id or bank reference")
    ordering = ("-pk",)
    # The account number is in no field here, so no page can show it.
    fields = (
        "public_id",
        "end_to_end_id",
        "whose",
        "run",
        "document",
        "holder",
        "ending",
        "bic",
        "state",
        "sent_at",
        "settled_at",
        "bank_reference",
        "failed_at",
        "failure_reason",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        """Read payments without their account numbers."""
        return Payment.objects.defer("iban").select_related("pay_run", "statement", "membership__partner")

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, payment: Payment) -> str:
        """Return whom it pays."""
        return payment.membership.partner.name

    @admin.display(description=gettext_lazy("partner"))
    def whose(self, payment: Payment) -> str:
        """Return the partner as a link."""
        return link_to(payment.membership.partner)

    @admin.display(description=gettext_lazy("pay run"))
    def run(self, payment: Payment) -> str:
        """Return the pay run as a link."""
        return link_to(payment.pay_run)

    @admin.display(description=gettext_lazy("statement"))
    def document(self, payment: Payment) -> str:
        """Return the statement as a link."""
        return link_to(payment.statement)
