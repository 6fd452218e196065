"""A trial of other terms on events that happened: what would have been earned, beside what was. It writes nothing to the books; its
report stays, so that a version can be published beside what it was expected to cost."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import DryRunKind
from prm.lib.constraints import ends_after_start, one_of
from prm.lib.fields import PublicIdField


class DryRun(models.Model):
    public_id = PublicIdField(prefix="dry")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="dry_runs")
    kind = models.CharField(_("what is tried"), max_length=12, choices=DryRunKind.choices)
    version = models.ForeignKey(
        "tiers.PlanVersion", models.CASCADE, null=True, blank=True, related_name="dry_runs"
    )
    changes = models.JSONField(_("changes"), default=dict, blank=True)
    starts_at = models.DateTimeField(_("events from"))
    ends_at = models.DateTimeField(_("events before"))
    requested_at = models.DateTimeField(_("asked for"))
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    report = models.JSONField(_("report"), default=dict, blank=True)

    class Meta:
        verbose_name = _("dry run")
        verbose_name_plural = _("dry runs")
        constraints = [
            one_of("kind", DryRunKind, name="payouts_dryrun_kind"),
            ends_after_start("starts_at", "ends_at", name="payouts_dryrun_ends_after_start"),
        ]

    def __str__(self) -> str:
        return self.public_id
