"""A membership's share of a conversion, with the reason. `rated_at` is empty until commission has been computed from it:
those rows are the queue of record that the accrual sweep works through."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import one_of
from prm.lib.db import Lockable
from referrals.choices import CreditReason, CreditRole


class CreditQuerySet(Lockable["Credit"]):
    def unrated(self) -> CreditQuerySet:
        return self.filter(rated_at=None, superseded_at=None)

    def standing(self) -> CreditQuerySet:
        """Credits that count, without those a person has corrected."""
        return self.filter(superseded_at=None)


class Credit(models.Model):
    conversion = models.ForeignKey("referrals.Conversion", models.PROTECT, related_name="credits")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="credits")
    role = models.CharField(_("role"), max_length=12, choices=CreditRole.choices, default=CreditRole.SOURCED)
    share = models.DecimalField(_("share"), max_digits=7, decimal_places=6, default=1)
    reason = models.CharField(_("reason"), max_length=12, choices=CreditReason.choices)
    code = models.ForeignKey("referrals.Code", models.PROTECT, null=True, blank=True, related_name="credits")
    click = models.ForeignKey(
        "referrals.Click", models.PROTECT, null=True, blank=True, related_name="credits"
    )
    touch = models.ForeignKey(
        "referrals.Touch", models.PROTECT, null=True, blank=True, related_name="credits"
    )
    referral = models.ForeignKey(
        "referrals.Referral", models.PROTECT, null=True, blank=True, related_name="credits"
    )
    occurred_at = models.DateTimeField(
        _("happened"), help_text=_("Copied from the conversion for the queue's order.")
    )
    attributed_at = models.DateTimeField()
    rated_at = models.DateTimeField(null=True, blank=True)
    superseded_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Since then another credit of the conversion counts instead.")
    )

    objects = CreditQuerySet.as_manager()

    class Meta:
        verbose_name = _("credit")
        verbose_name_plural = _("credits")
        constraints = [
            models.UniqueConstraint(
                fields=["conversion", "membership"],
                condition=models.Q(superseded_at=None),
                name="referrals_credit_once_per_membership",
            ),
            one_of("role", CreditRole, name="referrals_credit_role"),
            one_of("reason", CreditReason, name="referrals_credit_reason"),
            models.CheckConstraint(
                condition=models.Q(share__gt=0, share__lte=1), name="referrals_credit_share_0_to_1"
            ),
        ]
        indexes = [
            models.Index(
                fields=["occurred_at"],
                condition=models.Q(rated_at=None, superseded_at=None),
                name="referrals_credit_unrated",
            ),
            models.Index(fields=["membership", "occurred_at"], name="referrals_credit_membership"),
        ]

    def __str__(self) -> str:
        return f"{self.conversion_id} to {self.membership_id}"
