"""Why and since when a membership is suspended, and how it ends. Nothing is deleted: a lifted suspension and a cancelled notice stay."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import EndingKind, SanctionReason
from prm.lib.constraints import one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField


class Suspension(models.Model):
    """From `suspended_at` until `lifted_at`, end excluded, the membership earns nothing new and is not paid."""

    public_id = PublicIdField(prefix="sus")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="suspensions")
    reason = models.CharField(_("reason"), max_length=24, choices=SanctionReason.choices)
    note = models.TextField(_("message to the partner"), max_length=2000, blank=True)
    suspended_at = models.DateTimeField()
    suspended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty: the product, by a consequence that was announced."),
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("suspension")
        verbose_name_plural = _("suspensions")
        constraints = [
            one_of("reason", SanctionReason, name="partners_suspension_reason"),
            models.UniqueConstraint(
                fields=["membership"],
                condition=models.Q(lifted_at=None),
                name="partners_suspension_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(lifted_at=None) | models.Q(lifted_at__gte=models.F("suspended_at")),
                name="partners_suspension_lifted_after",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id} since {self.suspended_at:%Y-%m-%d}"


class EndingQuerySet(Lockable["Ending"]):
    def waiting(self) -> EndingQuerySet:
        """Endings that were announced and neither happened nor were cancelled."""
        return self.filter(done_at=None, cancelled_at=None)


class Ending(models.Model):
    """The notice that ends a membership at `effective_at`; a ban has no notice and happens at once."""

    public_id = PublicIdField(prefix="end")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="endings")
    kind = models.CharField(_("kind"), max_length=12, choices=EndingKind.choices)
    reason = models.CharField(_("reason"), max_length=24, choices=SanctionReason.choices)
    note = models.TextField(_("message to the partner"), max_length=2000, blank=True)
    given_at = models.DateTimeField()
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    effective_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True, blank=True)

    objects = EndingQuerySet.as_manager()

    class Meta:
        verbose_name = _("ending of a membership")
        verbose_name_plural = _("endings of memberships")
        constraints = [
            one_of("kind", EndingKind, name="partners_ending_kind"),
            one_of("reason", SanctionReason, name="partners_ending_reason"),
            set_together("cancelled_at", "cancelled_by", name="partners_ending_cancelled_pair"),
            models.UniqueConstraint(
                fields=["membership"],
                condition=models.Q(cancelled_at=None, done_at=None),
                name="partners_ending_one_waiting",
            ),
            models.CheckConstraint(
                condition=models.Q(effective_at__gte=models.F("given_at")),
                name="partners_ending_not_in_the_past",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id} {self.kind} at {self.effective_at:%Y-%m-%d}"
