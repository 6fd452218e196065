"""A signal that two partners are paid to one account. It stops nothing by itself: a person looks, and the next pay run asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.accounts import policy
from prm.lib.constraints import set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField

if TYPE_CHECKING:
    from prm.accounts.models import User


class AccountSignalQuerySet(Lockable["AccountSignal"]):
    def open(self) -> AccountSignalQuerySet:
        """Those nobody has looked at while both accounts are still in use."""
        return self.filter(cleared_at=None, method__replaced_at=None, other__replaced_at=None)

    def visible_to(self, user: User) -> AccountSignalQuerySet:
        return self if policy.may(user, "see_payment_methods") else self.none()


class AccountSignal(models.Model):
    public_id = PublicIdField(prefix="sig")
    method = models.ForeignKey("payouts.PaymentMethod", models.PROTECT, related_name="signals")
    other = models.ForeignKey("payouts.PaymentMethod", models.PROTECT, related_name="+")
    raised_at = models.DateTimeField(_("raised"))
    cleared_at = models.DateTimeField(_("cleared"), null=True, blank=True)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    objects = AccountSignalQuerySet.as_manager()

    class Meta:
        verbose_name = _("shared account")
        verbose_name_plural = _("shared accounts")
        constraints = [
            models.UniqueConstraint(fields=["method", "other"], name="payouts_accountsignal_once"),
            set_together("cleared_at", "cleared_by", name="payouts_accountsignal_cleared_pair"),
        ]

    def __str__(self) -> str:
        return self.public_id
