"""Business plans: what a partner and the house want to reach together in a period, goal by goal, and what was agreed at checkpoints. A
target that was agreed is never written over: a new one stands beside it with its reason."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import BusinessPlanState
from prm.lib.constraints import ends_after_start, one_of, positive, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField

GOAL_METRICS = (
    "net_revenue",
    "sales",
    "new_customers",
    "qualified_leads",
    "subscribers",
    "certified_count",
    "activities",
)


class BusinessPlanQuerySet(Lockable["BusinessPlan"]):
    def counting(self) -> BusinessPlanQuerySet:
        """Plans both sides agreed on, running or over."""
        return self.filter(
            state__in=[BusinessPlanState.AGREED, BusinessPlanState.IN_PROGRESS, BusinessPlanState.COMPLETED]
        )


class BusinessPlan(models.Model):
    public_id = PublicIdField(prefix="bpl")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="business_plans")
    title = models.CharField(_("title"), max_length=140)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to, last day"))
    state = models.CharField(
        _("state"), max_length=16, choices=BusinessPlanState.choices, default=BusinessPlanState.OUTLINE
    )
    partner_does = models.TextField(_("what the partner does"), max_length=4000, blank=True)
    we_do = models.TextField(_("what we do"), max_length=4000, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(_("given to the partner"), null=True, blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    agreed_at = models.DateTimeField(_("agreed"), null=True, blank=True)
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)
    completed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    outcome = models.TextField(_("what came of it"), max_length=4000, blank=True)
    figures = models.JSONField(_("figures at the end"), null=True, blank=True)

    objects = BusinessPlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("business plan")
        verbose_name_plural = _("business plans")
        constraints = [
            one_of("state", BusinessPlanState, name="partners_businessplan_state"),
            ends_after_start("starts_on", "ends_on", name="partners_businessplan_ends_later"),
            set_together("proposed_at", "proposed_by", name="partners_businessplan_proposed_pair"),
            set_together("agreed_at", "agreed_by", name="partners_businessplan_agreed_pair"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["agreed", "in_progress", "completed"])
                | models.Q(agreed_at__isnull=False),
                name="partners_businessplan_agreed_has_date",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Goal(models.Model):
    """One target of a plan, in the metric's unit (money in minor units), to be reached by the end of `due_on`."""

    plan = models.ForeignKey("partners.BusinessPlan", models.CASCADE, related_name="goals")
    metric = models.CharField(_("goal"), max_length=24)
    target = models.BigIntegerField(_("target"))
    due_on = models.DateField(_("by"))

    class Meta:
        verbose_name = _("goal")
        verbose_name_plural = _("goals")
        constraints = [
            models.UniqueConstraint(fields=["plan", "metric", "due_on"], name="partners_goal_once"),
            one_of("metric", GOAL_METRICS, name="partners_goal_metric"),
            positive("target", name="partners_goal_target_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} of {self.plan_id}"


class Checkpoint(models.Model):
    """A day both sides look at a plan, and what they found."""

    plan = models.ForeignKey("partners.BusinessPlan", models.CASCADE, related_name="checkpoints")
    due_on = models.DateField(_("day"))
    held_at = models.DateTimeField(_("held"), null=True, blank=True)
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.TextField(_("what was found"), max_length=4000, blank=True)
    figures = models.JSONField(_("figures on the day"), default=dict, blank=True)

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        constraints = [
            models.UniqueConstraint(fields=["plan", "due_on"], name="partners_checkpoint_one_a_day"),
            set_together("held_at", "held_by", name="partners_checkpoint_held_pair"),
        ]

    def __str__(self) -> str:
        return f"checkpoint of {self.plan_id} on {self.due_on}"


class GoalChange(models.Model):
    """A target that was changed after both had agreed, with the reason; it counts when the partner agrees."""

    goal = models.ForeignKey("partners.Goal", models.PROTECT, related_name="changes")
    checkpoint = models.ForeignKey(
        "partners.Checkpoint", models.PROTECT, null=True, blank=True, related_name="changes"
    )
    before = models.BigIntegerField(_("before"))
    after = models.BigIntegerField(_("after"))
    because = models.CharField(_("reason"), max_length=500)
    proposed_at = models.DateTimeField(_("proposed"))
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    agreed_at = models.DateTimeField(_("agreed"), null=True, blank=True)
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    declined_at = models.DateTimeField(_("declined"), null=True, blank=True)
    declined_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("changed target")
        verbose_name_plural = _("changed targets")
        constraints = [
            positive("after", name="partners_goalchange_target_positive"),
            set_together("agreed_at", "agreed_by", name="partners_goalchange_agreed_pair"),
            set_together("declined_at", "declined_by", name="partners_goalchange_declined_pair"),
            models.UniqueConstraint(
                fields=["goal"],
                condition=models.Q(agreed_at=None, declined_at=None),
                name="partners_goalchange_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"


class PlanRemark(models.Model):
    """What one side wrote to the other about a plan before both agreed; `targets` are what the partner would rather agree to."""

    plan = models.ForeignKey("partners.BusinessPlan", models.PROTECT, related_name="remarks")
    text = models.TextField(_("remark"), max_length=4000)
    targets = models.JSONField(_("targets proposed instead"), default=list, blank=True)
    said_at = models.DateTimeField(_("written"))
    said_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("remark about a plan")
        verbose_name_plural = _("remarks about plans")
        constraints = [
            models.CheckConstraint(condition=~models.Q(text=""), name="partners_planremark_says_something"),
        ]

    def __str__(self) -> str:
        return f"remark about {self.plan_id}"
