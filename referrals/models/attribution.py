"""How a program decides who is credited, in versions, and the record of each decision. A published version is immutable and a record is
never changed: a correction adds another one."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import one_of
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField
from referrals.choices import AttributionCause, AttributionState


class AttributionVersionQuerySet(Lockable["AttributionVersion"]):
    def published(self) -> AttributionVersionQuerySet:
        """Versions that hold, or held."""
        return self.exclude(state=AttributionState.DRAFT)

    def in_force(self, *, at: datetime) -> AttributionVersionQuerySet:
        """Return what had taken effect at `at`, the newest first: the first one of a program counts."""
        return self.published().filter(effective_at__lte=at).order_by("-effective_at", "-number")


class AttributionVersion(models.Model):
    """`definition` is read by `referrals.attribution.reading`. An event is judged by the version in force when it happened."""

    public_id = PublicIdField(prefix="atv")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="attribution_versions")
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(
        _("state"), max_length=12, choices=AttributionState.choices, default=AttributionState.DRAFT
    )
    definition = models.JSONField(_("how credit is given"), default=dict)
    effective_at = models.DateTimeField(_("in force from"), null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )

    objects = AttributionVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("attribution rules")
        verbose_name_plural = _("attribution rules")
        constraints = [
            models.UniqueConstraint(
                fields=["program", "number"], name="referrals_attributionversion_one_per_number"
            ),
            one_of("state", AttributionState, name="referrals_attributionversion_state"),
            models.UniqueConstraint(
                fields=["program"],
                condition=models.Q(state="draft"),
                name="referrals_attributionversion_one_draft",
            ),
            models.CheckConstraint(
                condition=models.Q(state="draft", published_at=None)
                | (
                    ~models.Q(state="draft")
                    & models.Q(published_at__isnull=False, effective_at__isnull=False)
                ),
                name="referrals_attributionversion_published_has_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id} attribution v{self.number}"


class AttributionRecord(models.Model):
    """Every candidate for one conversion with the reason it won or lost; an event without any candidate has none. The newest counts."""

    conversion = models.ForeignKey("referrals.Conversion", models.PROTECT, related_name="attributions")
    program = models.ForeignKey("tiers.Program", models.PROTECT, null=True, blank=True, related_name="+")
    version = models.ForeignKey(
        "referrals.AttributionVersion", models.PROTECT, null=True, blank=True, related_name="+"
    )
    cause = models.CharField(_("when"), max_length=10, choices=AttributionCause.choices)
    # A list of candidates as `referrals.attribution.record` writes them.
    candidates = models.JSONField(_("candidates"), default=list)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    decided_at = models.DateTimeField(_("decided"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("decision about credit")
        verbose_name_plural = _("decisions about credit")
        constraints = [one_of("cause", AttributionCause, name="referrals_attributionrecord_cause")]

    def __str__(self) -> str:
        return f"{self.conversion_id} {self.cause}"
