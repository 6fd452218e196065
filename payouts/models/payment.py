"""A payment: one transfer to one partner for one statement. Its end-to-end id exists before any file does, and a statement
has at most one living payment."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import PaymentMethodKind, PaymentState
from prm.lib.constraints import not_negative, one_of, positive
from prm.lib.db import Lockable
from prm.lib.fields import EncryptedTextField, PublicIdField
from prm.lib.money import Money


class PaymentQuerySet(Lockable["Payment"]):
    def live(self) -> PaymentQuerySet:
        return self.filter(state__in=[PaymentState.QUEUED, PaymentState.SENT, PaymentState.SETTLED])

    def standing(self) -> PaymentQuerySet:
        """All but those that were taken out of their run before it left."""
        return self.exclude(state=PaymentState.CANCELLED)


class Payment(models.Model):
    public_id = PublicIdField(prefix="pay")
    pay_run = models.ForeignKey("payouts.PayRun", models.PROTECT, related_name="payments")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="payments")
    statement = models.ForeignKey("payouts.Statement", models.PROTECT, related_name="payments")
    payment_method = models.ForeignKey("payouts.PaymentMethod", models.PROTECT, related_name="payments")
    amount_minor = models.BigIntegerField(
        _("amount, in minor units"), help_text=_("What leaves the balance, before tax.")
    )
    currency = models.CharField(_("currency"), max_length=3)
    withheld_minor = models.BigIntegerField(_("tax withheld"), default=0)
    withholding = models.ForeignKey(
        "payouts.Withholding", models.PROTECT, null=True, blank=True, related_name="payments"
    )
    sent_minor = models.BigIntegerField(
        _("sent, in minor units"), help_text=_("What the bank is told, in the currency it is told.")
    )
    sent_currency = models.CharField(_("sent in"), max_length=3)
    fx_rate = models.ForeignKey(
        "payouts.FxRate", models.PROTECT, null=True, blank=True, related_name="payments"
    )
    kind = models.CharField(
        _("kind"),
        max_length=12,
        choices=PaymentMethodKind.choices,
        default=PaymentMethodKind.BANK_IBAN,
    )
    holder = models.CharField(_("account holder"), max_length=70)
    iban = EncryptedTextField(_("IBAN"), blank=True)
    details = EncryptedTextField(_("details"), blank=True)
    ending = models.CharField(max_length=40)
    bic = models.CharField(_("BIC"), max_length=11, blank=True)
    end_to_end_id = models.CharField(_("end-to-end id"), max_length=35, unique=True)
    state = models.CharField(
        _("state"), max_length=10, choices=PaymentState.choices, default=PaymentState.QUEUED
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    bank_reference = models.CharField(_("bank reference"), max_length=60, blank=True)
    failure_code = models.CharField(_("bank's code"), max_length=12, blank=True)
    failure_reason = models.CharField(_("reason of failure"), max_length=200, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            positive("amount_minor", name="payouts_payment_amount_positive"),
            positive("sent_minor", name="payouts_payment_sent_positive"),
            not_negative("withheld_minor", name="payouts_payment_withheld_not_negative"),
            models.CheckConstraint(
                condition=models.Q(
                    sent_currency=models.F("currency"),
                    sent_minor=models.F("amount_minor") - models.F("withheld_minor"),
                    fx_rate=None,
                )
                | (~models.Q(sent_currency=models.F("currency")) & models.Q(fx_rate__isnull=False)),
                name="payouts_payment_sent_is_what_is_left",
            ),
            one_of("kind", PaymentMethodKind, name="payouts_payment_kind"),
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

    @property
    def withheld(self) -> Money:
        return Money(self.withheld_minor, self.currency)

    @property
    def sent(self) -> Money:
        return Money(self.sent_minor, self.sent_currency)
