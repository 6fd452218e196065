"""Accounts, transactions and entries. An entry moves one amount from the account it debits to the account it credits, so
every transaction balances by construction; the database refuses changes, other currencies and closed months."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from payouts.choices import AccountKind, TransactionKind
from prm.lib.constraints import one_of, positive
from prm.lib.fields import PublicIdField


class AccountQuerySet(models.QuerySet["Account"]):
    def with_balance(self) -> AccountQuerySet:
        """Accounts with `balance_minor`: credits less debits, so positive on a partner account means the program owes."""
        credits = Entry.objects.filter(credit_id=models.OuterRef("pk")).order_by().values("credit_id")
        debits = Entry.objects.filter(debit_id=models.OuterRef("pk")).order_by().values("debit_id")
        total = models.Sum("amount_minor")
        return self.annotate(
            balance_minor=Coalesce(models.Subquery(credits.annotate(t=total).values("t")), 0)
            - Coalesce(models.Subquery(debits.annotate(t=total).values("t")), 0)
        )


class Account(models.Model):
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="accounts")
    membership = models.ForeignKey(
        "partners.Membership", models.PROTECT, null=True, blank=True, related_name="accounts"
    )
    kind = models.CharField(_("kind"), max_length=12, choices=AccountKind.choices)
    currency = models.CharField(_("currency"), max_length=3)

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            one_of("kind", AccountKind, name="payouts_account_kind"),
            models.UniqueConstraint(
                fields=["membership", "kind", "currency"],
                condition=models.Q(membership__isnull=False),
                name="payouts_account_one_per_membership",
            ),
            models.UniqueConstraint(
                fields=["program", "kind", "currency"],
                condition=models.Q(membership__isnull=True),
                name="payouts_account_one_per_program",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["pending", "payable", "in_payment"], membership__isnull=False)
                | models.Q(kind__in=AccountKind.of_program(), membership__isnull=True),
                name="payouts_account_partner_kinds_have_a_membership",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.currency} {self.membership_id or 'program'}"


class Transaction(models.Model):
    public_id = PublicIdField(prefix="txn")
    key = models.CharField(_("idempotency key"), max_length=120, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=TransactionKind.choices)
    period = models.ForeignKey("payouts.Period", models.PROTECT, related_name="transactions")
    effective_at = models.DateTimeField(_("effective"))
    posted_at = models.DateTimeField(_("posted"))
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="reversed_by")

    class Meta:
        verbose_name = _("transaction")
        verbose_name_plural = _("transactions")
        constraints = [one_of("kind", TransactionKind, name="payouts_transaction_kind")]

    def __str__(self) -> str:
        return self.key


class ChainLink(models.Model):
    """One transaction in the hash chain of a membership: what it moved on the membership's accounts, sealed with all before it."""

    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="chain_links")
    position = models.PositiveBigIntegerField(_("position"))
    transaction = models.ForeignKey("payouts.Transaction", models.PROTECT, related_name="chain_links")
    sha256 = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("chain link")
        verbose_name_plural = _("chain links")
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "position"], name="payouts_chainlink_one_per_position"
            ),
            models.UniqueConstraint(
                fields=["transaction", "membership"], name="payouts_chainlink_once_per_transaction"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}/{self.position}"


class Entry(models.Model):
    transaction = models.ForeignKey("payouts.Transaction", models.PROTECT, related_name="entries")
    debit = models.ForeignKey("payouts.Account", models.PROTECT, related_name="debits")
    credit = models.ForeignKey("payouts.Account", models.PROTECT, related_name="credits")
    amount_minor = models.BigIntegerField(_("amount, in minor units"))
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        constraints = [
            positive("amount_minor", name="payouts_entry_amount_positive"),
            models.CheckConstraint(
                condition=~models.Q(debit=models.F("credit")), name="payouts_entry_two_different_accounts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency}: {self.debit_id} to {self.credit_id}"
