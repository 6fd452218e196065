"""Points earned toward tiers. What was earned is frozen with the multiplier of its day; a refund takes points back by the multiplier its
sale had."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import one_of
from tiers.qualify.scheme import POINT_SOURCES


class PointEntry(models.Model):
    """Points one membership earned by one thing: a credit, an activity, a credential. `milli_points` are thousandths, negative when taken
    back; `reference` is the public id of the thing, unique per rate so that nothing earns twice."""

    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="point_entries")
    scheme = models.ForeignKey("tiers.TierScheme", models.PROTECT, related_name="+")
    source = models.CharField(_("for"), max_length=16)
    reference = models.CharField(_("reference"), max_length=60)
    milli_points = models.BigIntegerField(_("thousandths of points"))
    multiplier = models.CharField(_("multiplier"), max_length=20, default="1")
    market = models.CharField(_("market"), max_length=64, blank=True)
    earned_at = models.DateTimeField(_("earned"))
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        verbose_name = _("points")
        verbose_name_plural = _("points")
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "source", "reference"], name="referrals_pointentry_once"
            ),
            one_of("source", POINT_SOURCES, name="referrals_pointentry_source"),
        ]
        indexes = [models.Index(fields=["membership", "earned_at"], name="referrals_pointentry_when")]

    def __str__(self) -> str:
        return f"{self.milli_points} for {self.reference}"
