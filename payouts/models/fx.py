"""An exchange rate of one day from one source. It is never changed: what was converted with it must be found again."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import positive


class FxRate(models.Model):
    """One unit of `base` is worth `rate` units of `quote`, both in major units."""

    base = models.CharField(_("from"), max_length=3)
    quote = models.CharField(_("to"), max_length=3)
    rate = models.DecimalField(_("rate"), max_digits=20, decimal_places=10)
    rate_on = models.DateField(_("day"))
    source = models.CharField(_("source"), max_length=40)
    entered_at = models.DateTimeField(_("entered"))
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        constraints = [
            models.UniqueConstraint(
                fields=["base", "quote", "rate_on", "source"], name="payouts_fxrate_once"
            ),
            positive("rate", name="payouts_fxrate_positive"),
            models.CheckConstraint(
                condition=~models.Q(base=models.F("quote")), name="payouts_fxrate_two_currencies"
            ),
        ]
        indexes = [models.Index(fields=["base", "quote", "-rate_on"], name="payouts_fxrate_newest")]

    def __str__(self) -> str:
        return f"1 {self.base} = {self.rate.normalize():f} {self.quote} ({self.rate_on:%Y-%m-%d})"
