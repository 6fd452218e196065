"""What the tiers of a program ask and how reviews go, in versions. A published scheme is immutable: the reviews it decided can always be
told again."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import one_of
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField
from tiers.choices import SchemeState


class TierSchemeQuerySet(Lockable["TierScheme"]):
    def published(self) -> TierSchemeQuerySet:
        """Schemes that hold, or held."""
        return self.exclude(state=SchemeState.DRAFT)

    def in_force(self, *, at: datetime) -> TierSchemeQuerySet:
        """Return what had taken effect at `at`, the newest first: the first one of a program counts."""
        return self.published().filter(effective_at__lte=at).order_by("-effective_at", "-number")


class TierScheme(models.Model):
    """`definition` is read by `tiers.qualify.reading`; `report` says who would have moved when it was published."""

    public_id = PublicIdField(prefix="tsc")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="tier_schemes")
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(
        _("state"), max_length=12, choices=SchemeState.choices, default=SchemeState.DRAFT
    )
    definition = models.JSONField(_("what is asked"), default=dict)
    effective_at = models.DateTimeField(_("in force from"), null=True, blank=True)
    report = models.JSONField(_("who would move"), default=dict, blank=True, editable=False)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Empty for the one that was made from the thresholds tiers had before there were schemes.
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    sha256 = models.CharField(max_length=64, blank=True, editable=False)

    objects = TierSchemeQuerySet.as_manager()

    class Meta:
        verbose_name = _("tier scheme")
        verbose_name_plural = _("tier schemes")
        constraints = [
            models.UniqueConstraint(fields=["program", "number"], name="tiers_tierscheme_one_per_number"),
            one_of("state", SchemeState, name="tiers_tierscheme_state"),
            models.UniqueConstraint(
                fields=["program"], condition=models.Q(state="draft"), name="tiers_tierscheme_one_draft"
            ),
            models.UniqueConstraint(
                fields=["program"],
                condition=models.Q(state="published"),
                name="tiers_tierscheme_one_published",
            ),
            models.CheckConstraint(
                condition=models.Q(state="draft", published_at=None)
                | (
                    ~models.Q(state="draft")
                    & models.Q(published_at__isnull=False, effective_at__isnull=False)
                ),
                name="tiers_tierscheme_published_has_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id} tiers v{self.number}"
