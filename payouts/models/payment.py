"""A payment: one transfer to one partner for one statement. Its end-to-end id exists before any file does, and a statement
has at most one living payment."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import PaymentState
from prm.lib.constraints import one_of, positive
from prm.lib.db import Lockable
from prm.lib.fields import EncryptedTextField, PublicIdField
from prm.lib.money import Money


class PaymentQuerySet(Lockable["Payment"]):
    def live(self) -> PaymentQuerySet:
        return self.filter(state__in=[PaymentState.QUEUED, PaymentState.SENT, PaymentState.SETTLED])


class Payment(models.Model):
    public_id = PublicIdField(prefix="pay")
    pay_run = models.ForeignKey("payouts.PayRun", models.PROTECT, related_name="payments")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="payments")
    statement = models.ForeignKey("payouts.Statement", models.PROTECT, related_name="payments")
    payment_method = models.ForeignKey("payouts.PaymentMethod", models.PROTECT, related_name="payments")
    amount_minor = models.BigIntegerField(_("amount, in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    holder = models.CharField(_("account holder"), max_length=70)
    iban = EncryptedTextField(_("IBAN"))
    iban_last4 = models.CharField(max_length=4)
    bic = models.CharField(_("BIC"), max_length=11, blank=True)
    end_to_end_id = models.CharField(_("end-to-end id"), max_length=35, unique=True)
    state = models.CharField(
        _("state"), max_length=10, choices=PaymentState.choices, default=PaymentState.QUEUED
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    bank_reference = models.CharField(_("bank reference"), max_length=60, blank=True)
    failure_reason = models.CharField(_("reason of failure"), max_length=200, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            positive("amount_minor", name="payouts_payment_amount_positive"),
            one_of("state", PaymentState, name="payouts_payment_state"),
            models.UniqueConstraint(
                fields=["statement"],
                condition=models.Q(state__in=["queued", "sent", "settled"]),
                name="payouts_payment_one_living_per_statement",
            ),
        ]

    def __str__(self) -> str:
        return self.end_to_end_id

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
