"""Which account of the operator's own books an account of the ledger is, for the accounting journal."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import AccountKind
from prm.lib.constraints import one_of


class AccountCode(models.Model):
    legal_entity = models.ForeignKey("tiers.LegalEntity", models.PROTECT, related_name="account_codes")
    account_kind = models.CharField(_("account"), max_length=12, choices=AccountKind.choices)
    code = models.CharField(_("code in your books"), max_length=20)
    name = models.CharField(_("name in your books"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("account code")
        verbose_name_plural = _("account codes")
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "account_kind"], name="payouts_accountcode_one_per_account"
            ),
            one_of("account_kind", AccountKind, name="payouts_accountcode_account_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.account_kind}: {self.code}"
