"""Daily figures for reports, kept beside what they are counted from. A row can always be counted again: a rebuilt row equals the kept
one."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import ReportDimension
from prm.lib.constraints import one_of


class DailyTotal(models.Model):
    """What one membership brought on one local day of its program, as a whole or by one dimension (`key`: a link's or code's public id, a
    sub-id, a campaign, a country, a product). Without a program and a membership: what nobody brought, by UTC day and currency. Revenue
    is net of refunds, at customers' prices; unique visitors are counted within the day and the key."""

    program = models.ForeignKey("tiers.Program", models.PROTECT, null=True, blank=True, related_name="+")
    membership = models.ForeignKey(
        "partners.Membership", models.PROTECT, null=True, blank=True, related_name="daily_totals"
    )
    happened_on = models.DateField(_("day"))
    dimension = models.CharField(_("by"), max_length=8, choices=ReportDimension.choices)
    key = models.CharField(_("value"), max_length=80, blank=True)
    clicks = models.PositiveIntegerField(_("clicks"), default=0)
    visitors = models.PositiveIntegerField(_("unique visitors"), default=0)
    uncounted = models.PositiveIntegerField(_("hits that do not count"), default=0)
    leads = models.PositiveIntegerField(_("leads"), default=0)
    qualified = models.PositiveIntegerField(_("of them qualified"), default=0)
    conversions = models.PositiveIntegerField(_("conversions"), default=0)
    # Of the conversions: those a click was credited for, and the whole minutes between the two, added up.
    from_clicks = models.PositiveIntegerField(_("of them after a click"), default=0)
    waited_minutes = models.PositiveBigIntegerField(_("minutes from click to conversion"), default=0)
    refunds = models.PositiveIntegerField(_("refunds"), default=0)
    revenue_minor = models.BigIntegerField(_("revenue, in minor units"), default=0)
    earned_minor = models.BigIntegerField(_("earned, in minor units"), default=0)
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("daily total")
        verbose_name_plural = _("daily totals")
        constraints = [
            one_of("dimension", ReportDimension, name="payouts_dailytotal_dimension"),
            models.UniqueConstraint(
                fields=["membership", "dimension", "key", "happened_on"],
                condition=models.Q(membership__isnull=False),
                name="payouts_dailytotal_once",
            ),
            models.UniqueConstraint(
                fields=["happened_on", "dimension", "key", "currency"],
                condition=models.Q(membership=None),
                name="payouts_dailytotal_organic_once",
            ),
        ]
        indexes = [
            models.Index(fields=["program", "dimension", "happened_on"], name="payouts_dailytotal_program")
        ]

    def __str__(self) -> str:
        return f"{self.membership_id} {self.happened_on} {self.dimension} {self.key}"
