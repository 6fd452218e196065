"""A placement: a membership standing in a tier over a dated interval, start included, end excluded. One is open at a time, and each begins
where the one before ended: the database refuses overlaps and gaps."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import ends_after_start, only_one_open
from prm.lib.db import Lockable


class PlacementQuerySet(Lockable["Placement"]):
    def in_force(self, *, at: datetime) -> PlacementQuerySet:
        return self.filter(starts_at__lte=at).filter(models.Q(ends_at=None) | models.Q(ends_at__gt=at))

    def open(self) -> PlacementQuerySet:
        return self.filter(ends_at=None)


class Placement(models.Model):
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="placements")
    tier = models.ForeignKey("tiers.Tier", models.PROTECT, related_name="placements")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    because = models.CharField(_("reason"), max_length=200)
    placed_at = models.DateTimeField()
    # Empty where a review was decided by the program's own setting.
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    keeps_customers = models.BooleanField(
        _("customers from before keep the former tier's terms"), default=False
    )
    customers_keep_ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    objects = PlacementQuerySet.as_manager()

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        constraints = [
            only_one_open("membership", until="ends_at", name="partners_placement_one_open"),
            ends_after_start("starts_at", "ends_at", name="partners_placement_ends_after_start"),
            models.CheckConstraint(
                condition=models.Q(customers_keep_ends_at=None)
                | models.Q(keeps_customers=True, customers_keep_ends_at__gt=models.F("starts_at")),
                name="partners_placement_customers_keep",
            ),
        ]

    def leaves_out(self, customer_since: datetime | None, *, at: datetime) -> bool:
        """Say whether a customer, who first bought at `customer_since`, is still rated by the placement before this one at `at`."""
        if not self.keeps_customers or customer_since is None or customer_since >= self.starts_at:
            return False
        return self.customers_keep_ends_at is None or at < self.customers_keep_ends_at

    def __str__(self) -> str:
        return f"{self.membership_id} in {self.tier_id} from {self.starts_at:%Y-%m-%d}"
