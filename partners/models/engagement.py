"""What partners do besides selling, with evidence, and figures that only a person can know. An activity counts from the moment staff confirm
it; a figure is never changed, a newer one counts instead."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import ActivityKind, ActivityState
from prm.lib.constraints import not_negative, one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField

STAFF_METRICS = ("joint_customers", "installed_base", "manual_score")


class ActivityQuerySet(Lockable["Activity"]):
    def confirmed(self) -> ActivityQuerySet:
        return self.filter(state=ActivityState.CONFIRMED)


class Activity(models.Model):
    """An event, case study, webinar or the like."""

    public_id = PublicIdField(prefix="act")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="activities")
    kind = models.CharField(_("kind"), max_length=16, choices=ActivityKind.choices)
    state = models.CharField(
        _("state"), max_length=12, choices=ActivityState.choices, default=ActivityState.WAITING
    )
    title = models.CharField(_("title"), max_length=140)
    held_on = models.DateField(_("day"))
    url = models.URLField(_("address"), max_length=300, blank=True)
    description = models.TextField(_("what happened"), max_length=2000, blank=True)
    file = models.FileField(max_length=200, blank=True)
    file_name = models.CharField(_("evidence"), max_length=120, blank=True)
    told_at = models.DateTimeField(_("entered"))
    told_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(_("checked"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(_("reason, as the partner reads it"), max_length=300, blank=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        constraints = [
            one_of("kind", ActivityKind, name="partners_activity_kind"),
            one_of("state", ActivityState, name="partners_activity_state"),
            set_together("decided_at", "decided_by", name="partners_activity_decided_pair"),
            models.CheckConstraint(
                condition=~models.Q(state="declined") | ~models.Q(reason=""),
                name="partners_activity_declined_with_a_reason",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["confirmed", "declined"]) | models.Q(decided_at__isnull=False),
                name="partners_activity_decided_has_date",
            ),
        ]
        indexes = [
            models.Index(fields=["membership", "held_on"], name="partners_activity_when"),
        ]

    def __str__(self) -> str:
        return self.title


class StaffFigure(models.Model):
    """A figure entered by a person: shared customers, installed base, a score. The newest one as of a day counts."""

    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="staff_figures")
    metric = models.CharField(_("figure"), max_length=24)
    value = models.BigIntegerField(_("value"))
    counted_on = models.DateField(_("as of"))
    note = models.CharField(_("where it comes from"), max_length=300)
    entered_at = models.DateTimeField(_("entered"))
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("figure entered by hand")
        verbose_name_plural = _("figures entered by hand")
        constraints = [
            one_of("metric", STAFF_METRICS, name="partners_stafffigure_metric"),
            not_negative("value", name="partners_stafffigure_not_negative"),
        ]
        indexes = [
            models.Index(fields=["membership", "metric", "counted_on"], name="partners_stafffigure_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} of {self.membership_id}"
