"""A tier: one rung of a program. Ranks are unique within a program and the lowest rank is where newcomers stand."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.fields import PublicIdField
from prm.lib.money import Money


class TierQuerySet(models.QuerySet["Tier"]):
    def by_rank(self) -> TierQuerySet:
        return self.order_by("rank", "pk")


class Tier(models.Model):
    public_id = PublicIdField(prefix="tir")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="tiers")
    key = models.SlugField(_("key"), max_length=40, help_text=_("Stable name rules refer to."))
    name = models.CharField(_("name"), max_length=60)
    rank = models.PositiveSmallIntegerField(_("rank"), help_text=_("1 is where newcomers stand."))
    revenue_from_minor = models.BigIntegerField(
        _("attributed net revenue of the last 12 months, from, in minor units"),
        default=0,
        help_text=_("What a partner is asked for; a person still places partners in tiers."),
    )
    benefits = models.TextField(_("benefits"), blank=True, max_length=2000)

    objects = TierQuerySet.as_manager()

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        constraints = [
            models.UniqueConstraint(fields=["program", "rank"], name="tiers_tier_one_per_rank"),
            models.UniqueConstraint(fields=["program", "key"], name="tiers_tier_one_per_key"),
            models.CheckConstraint(
                condition=models.Q(revenue_from_minor__gte=0), name="tiers_tier_revenue_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.program.name})" if "program" in self._state.fields_cache else self.name

    @property
    def revenue_from(self) -> Money:
        return Money(self.revenue_from_minor, self.program.currency)
