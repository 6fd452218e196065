"""Where a partner's money goes. Account numbers are encrypted; a change replaces the old row and waits before it is paid to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.account_words import account_text
from payouts.choices import PaymentMethodKind
from prm.accounts import policy
from prm.lib.constraints import one_of, only_one_open, set_together
from prm.lib.db import Lockable
from prm.lib.fields import EncryptedTextField, PublicIdField

if TYPE_CHECKING:
    from prm.accounts.models import User


class PaymentMethodQuerySet(Lockable["PaymentMethod"]):
    def current(self) -> PaymentMethodQuerySet:
        return self.filter(replaced_at=None)

    def visible_to(self, user: User) -> PaymentMethodQuerySet:
        if policy.may(user, "see_payment_methods"):
            return self
        return self.filter(partner__members__user=user, partner__members__ended_at=None)


class PaymentMethod(models.Model):
    public_id = PublicIdField(prefix="pmt")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="payment_methods")
    currency = models.CharField(
        _("currency"), max_length=3, help_text=_("Balances in this currency are paid here.")
    )
    payout_currency = models.CharField(
        _("paid in"), max_length=3, help_text=_("The currency the account receives.")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=PaymentMethodKind.choices)
    holder = models.CharField(_("account holder"), max_length=70)
    iban = EncryptedTextField(_("IBAN"), blank=True)
    details = EncryptedTextField(
        _("details"), blank=True, help_text=_("What the kind needs besides an IBAN, as JSON.")
    )
    ending = models.CharField(max_length=40, help_text=_("What is shown of the account: never more."))
    account_index = models.CharField(max_length=64, db_index=True, editable=False)
    bic = models.CharField(_("BIC"), max_length=11, blank=True)
    added_at = models.DateTimeField(_("added"))
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    usable_at = models.DateTimeField(_("payments may be sent from"))
    replaced_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = PaymentMethodQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment method")
        verbose_name_plural = _("payment methods")
        constraints = [
            only_one_open("partner", "currency", until="replaced_at", name="payouts_paymentmethod_one_open"),
            one_of("kind", PaymentMethodKind, name="payouts_paymentmethod_kind"),
            set_together("replaced_at", "replaced_by", name="payouts_paymentmethod_replaced_pair"),
        ]

    def __str__(self) -> str:
        return account_text(self.kind, self.ending)

    def is_usable(self, *, at: datetime) -> bool:
        return self.replaced_at is None and self.usable_at <= at
