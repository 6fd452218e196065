"""What a membership would have earned in another tier, beside what it earned: computed by the engine on real events, kept for pages."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import ends_after_start
from prm.lib.money import Money


class TierOutlook(models.Model):
    """One membership and one tier, over the events from `starts_at` to before `ends_at`; written over when it is computed again."""

    membership = models.ForeignKey("partners.Membership", models.CASCADE, related_name="tier_outlooks")
    tier = models.ForeignKey("tiers.Tier", models.CASCADE, related_name="+")
    starts_at = models.DateTimeField(_("events from"))
    ends_at = models.DateTimeField(_("events before"))
    earned_minor = models.BigIntegerField(_("earned"))
    would_minor = models.BigIntegerField(_("would have earned"))
    currency = models.CharField(max_length=3)
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("earnings in another tier")
        verbose_name_plural = _("earnings in other tiers")
        constraints = [
            models.UniqueConstraint(fields=["membership", "tier"], name="payouts_tieroutlook_once"),
            ends_after_start("starts_at", "ends_at", name="payouts_tieroutlook_ends_after_start"),
        ]

    @property
    def earned(self) -> Money:
        return Money(self.earned_minor, self.currency)

    @property
    def would(self) -> Money:
        return Money(self.would_minor, self.currency)

    def __str__(self) -> str:
        return f"{self.membership_id} in {self.tier_id}"
