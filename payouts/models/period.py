"""A program's month. Open months take postings; while one is being closed only releases may post; a closed one takes
nothing any more, by order of the database."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import PeriodState
from prm.lib.constraints import one_of, set_together
from prm.lib.db import Lockable
from prm.lib.periods import Month


class PeriodQuerySet(Lockable["Period"]):
    def open(self) -> PeriodQuerySet:
        return self.filter(state=PeriodState.OPEN)


class Period(models.Model):
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="periods")
    year = models.PositiveSmallIntegerField(_("year"))
    month = models.PositiveSmallIntegerField(_("month"))
    state = models.CharField(_("state"), max_length=8, choices=PeriodState.choices, default=PeriodState.OPEN)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    control_totals = models.JSONField(_("control totals"), default=dict, blank=True)

    objects = PeriodQuerySet.as_manager()

    class Meta:
        verbose_name = _("period")
        verbose_name_plural = _("periods")
        constraints = [
            models.UniqueConstraint(fields=["program", "year", "month"], name="payouts_period_once"),
            one_of("state", PeriodState, name="payouts_period_state"),
            set_together("closed_at", "closed_by", name="payouts_period_closed_pair"),
            models.CheckConstraint(
                condition=models.Q(month__gte=1, month__lte=12), name="payouts_period_month_1_to_12"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="closed") | models.Q(closed_at__isnull=False),
                name="payouts_period_closed_has_date",
            ),
        ]

    def __str__(self) -> str:
        return str(self.as_month)

    @property
    def as_month(self) -> Month:
        return Month(self.year, self.month)

    @property
    def starts_at(self) -> datetime:
        return self.as_month.starts_at(self.program.zone)

    @property
    def ends_at(self) -> datetime:
        """First instant after the month, in UTC."""
        return self.as_month.ends_at(self.program.zone)
