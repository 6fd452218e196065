"""A tier: one rung of a program's ladder, and what it gives. Ranks are unique within a ladder, and on its lowest rank newcomers stand;
what a tier asks for is in the program's scheme."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import not_negative, one_of, set_together
from prm.lib.fields import PublicIdField
from tiers.choices import BenefitKind, TierColour


class TierQuerySet(models.QuerySet["Tier"]):
    def by_rank(self) -> TierQuerySet:
        return self.order_by("track", "rank", "pk")

    def in_use(self) -> TierQuerySet:
        """Tiers somebody can be placed in."""
        return self.filter(retired_at=None)


class Tier(models.Model):
    public_id = PublicIdField(prefix="tir")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="tiers")
    key = models.SlugField(_("key"), max_length=40, help_text=_("Stable name rules refer to."))
    name = models.CharField(_("name"), max_length=60)
    rank = models.PositiveSmallIntegerField(_("rank"), help_text=_("1 is where newcomers stand."))
    benefits = models.TextField(_("benefits"), blank=True, max_length=2000)
    track = models.CharField(
        _("track"),
        max_length=60,
        blank=True,
        help_text=_("Tiers with the same track are one ladder. Empty: the program has one ladder."),
    )
    colour = models.CharField(
        _("colour"), max_length=12, choices=TierColour.choices, default=TierColour.SLATE
    )
    capacity = models.PositiveIntegerField(
        _("partners at most"), null=True, blank=True, help_text=_("Empty: no limit.")
    )
    retired_at = models.DateTimeField(_("taken out of use"), null=True, blank=True, editable=False)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )

    objects = TierQuerySet.as_manager()

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        constraints = [
            # A rung that was taken out of use leaves its rank to another one.
            models.UniqueConstraint(
                fields=["program", "track", "rank"],
                condition=models.Q(retired_at=None),
                name="tiers_tier_one_per_rank",
            ),
            models.UniqueConstraint(fields=["program", "key"], name="tiers_tier_one_per_key"),
            one_of("colour", TierColour, name="tiers_tier_colour"),
            set_together("retired_at", "retired_by", name="tiers_tier_retired_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.program.name})" if "program" in self._state.fields_cache else self.name


class Benefit(models.Model):
    """One line of a program's catalogue of what tiers give. `name` is by language; empty where the kind says it."""

    public_id = PublicIdField(prefix="bnf")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="benefits")
    kind = models.CharField(_("kind"), max_length=16, choices=BenefitKind.choices)
    name = models.JSONField(_("name"), default=dict, blank=True, help_text=_("By language."))
    position = models.PositiveSmallIntegerField(_("order"), default=1)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("benefit")
        verbose_name_plural = _("benefits")
        constraints = [one_of("kind", BenefitKind, name="tiers_benefit_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.program_id}"


class TierBenefit(models.Model):
    """What one tier gives of a benefit; a tier without a row gives nothing of it. `value` is by language."""

    tier = models.ForeignKey("tiers.Tier", models.CASCADE, related_name="given")
    benefit = models.ForeignKey("tiers.Benefit", models.CASCADE, related_name="given")
    value = models.JSONField(
        _("what is given"), default=dict, blank=True, help_text=_("By language. Empty: yes.")
    )

    class Meta:
        verbose_name = _("benefit of a tier")
        verbose_name_plural = _("benefits of tiers")
        constraints = [
            models.UniqueConstraint(fields=["tier", "benefit"], name="tiers_tierbenefit_once"),
        ]

    def __str__(self) -> str:
        return f"{self.benefit_id} in {self.tier_id}"


class TierTarget(models.Model):
    """What the house would like a partner of this tier to bring in a year: what a business plan begins with. `target` is in the metric's
    unit, money in minor units."""

    tier = models.ForeignKey("tiers.Tier", models.CASCADE, related_name="targets")
    metric = models.CharField(_("metric"), max_length=24)
    target = models.BigIntegerField(_("target for a year"))

    class Meta:
        verbose_name = _("target of a tier")
        verbose_name_plural = _("targets of tiers")
        constraints = [
            models.UniqueConstraint(fields=["tier", "metric"], name="tiers_tiertarget_once_per_metric"),
            not_negative("target", name="tiers_tiertarget_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} in {self.tier_id}"
