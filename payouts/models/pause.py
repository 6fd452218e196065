"""What keeps money back besides the hold: pauses with a reason and a day by which somebody looks again, longer holds for a partner or a
product, and the record of every payable date that had to change."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import PauseCause
from prm.accounts import policy
from prm.lib.constraints import ends_after_start, one_of
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField

if TYPE_CHECKING:
    from prm.accounts.models import User


class PauseQuerySet(Lockable["Pause"]):
    def open(self) -> PauseQuerySet:
        return self.filter(ended_at=None)

    def of_payments(self) -> PauseQuerySet:
        """Pauses that keep a whole membership from being paid, rather than one line from being released."""
        return self.filter(commission=None)

    def visible_to(self, user: User) -> PauseQuerySet:
        if policy.may(user, "see_commissions"):
            return self
        return self.filter(
            membership__partner__members__user=user, membership__partner__members__ended_at=None
        )


class Pause(models.Model):
    """A stop on paying: of one line that is still on hold, or of all a membership's payments. Accrual goes on."""

    public_id = PublicIdField(prefix="pau")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="pauses")
    commission = models.ForeignKey(
        "payouts.Commission", models.PROTECT, null=True, blank=True, related_name="pauses"
    )
    cause = models.CharField(_("cause"), max_length=14, choices=PauseCause.choices)
    reason = models.CharField(_("reason"), max_length=200, help_text=_("The partner reads this."))
    review_on = models.DateField(_("looked at again by"))
    paused_at = models.DateTimeField(_("paused"))
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(_("what came of it"), max_length=200, blank=True)

    objects = PauseQuerySet.as_manager()

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = [
            one_of("cause", PauseCause, name="payouts_pause_cause"),
            models.UniqueConstraint(
                fields=["commission"],
                condition=models.Q(ended_at=None, commission__isnull=False),
                name="payouts_pause_one_open_per_line",
            ),
            models.UniqueConstraint(
                fields=["membership", "cause"],
                condition=models.Q(ended_at=None, commission=None),
                name="payouts_pause_one_open_per_cause",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="payouts_pause_has_a_reason"),
        ]

    def __str__(self) -> str:
        return self.public_id


class PayableDateChange(models.Model):
    """A line's payable date was moved: from when to when, why and by whom. The database moves no date without such a row."""

    commission = models.ForeignKey("payouts.Commission", models.PROTECT, related_name="date_changes")
    was_payable_at = models.DateTimeField(_("was ready to pay from"))
    payable_at = models.DateTimeField(_("ready to pay from"))
    reason = models.CharField(_("reason"), max_length=200)
    changed_at = models.DateTimeField(_("changed"))
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("change of a payable date")
        verbose_name_plural = _("changes of payable dates")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(reason=""), name="payouts_payabledatechange_has_a_reason"
            )
        ]

    def __str__(self) -> str:
        return f"{self.commission_id}: {self.payable_at:%Y-%m-%d}"


class ReserveQuerySet(models.QuerySet["Reserve"]):
    def in_force(self, *, at: datetime) -> ReserveQuerySet:
        return self.filter(starts_at__lte=at).filter(models.Q(ends_at=None) | models.Q(ends_at__gt=at))


class Reserve(models.Model):
    """A hold longer than the program's for one partner, one product or one category; the longest that applies counts."""

    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="reserves")
    membership = models.ForeignKey(
        "partners.Membership", models.PROTECT, null=True, blank=True, related_name="reserves"
    )
    product = models.CharField(_("product"), max_length=100, blank=True)
    category = models.CharField(_("category"), max_length=100, blank=True)
    hold_days = models.PositiveSmallIntegerField(_("hold, days"))
    reason = models.CharField(_("reason"), max_length=200, help_text=_("The partner reads this."))
    starts_at = models.DateTimeField(_("for events from"))
    ends_at = models.DateTimeField(_("for events before"), null=True, blank=True)
    set_at = models.DateTimeField(_("set"))
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = ReserveQuerySet.as_manager()

    class Meta:
        verbose_name = _("longer hold")
        verbose_name_plural = _("longer holds")
        constraints = [
            ends_after_start("starts_at", "ends_at", name="payouts_reserve_ends_after_start"),
            models.CheckConstraint(
                condition=models.Q(membership__isnull=False) | ~models.Q(product="", category=""),
                name="payouts_reserve_is_about_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hold_days} days"
