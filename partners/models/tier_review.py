"""Reviews of tiers: rounds by the calendar, one case per membership with its figures and rows, appeals, and what a person decided beside
them. A case that was evaluated keeps its figures for ever; whatever changes later is for the next review."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import (
    AppealState,
    OverrideKind,
    ReviewOutcome,
    ReviewState,
    RoundKind,
    RoundState,
)
from prm.lib.constraints import ends_after_start, one_of, only_one_open, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField


class ReviewRound(models.Model):
    """One look at the tiers of a program, on a day of its calendar. Figures are counted up to `measured_at`, excluded."""

    public_id = PublicIdField(prefix="trr")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="review_rounds")
    scheme = models.ForeignKey("tiers.TierScheme", models.PROTECT, related_name="rounds")
    kind = models.CharField(_("kind"), max_length=12, choices=RoundKind.choices)
    due_on = models.DateField(_("due"))
    measured_at = models.DateTimeField(_("figures up to"))
    state = models.CharField(
        _("state"), max_length=12, choices=RoundState.choices, default=RoundState.SCHEDULED
    )
    opened_at = models.DateTimeField(_("opened"))
    # Empty for what the calendar opened.
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    counts = models.JSONField(_("outcomes"), default=dict, blank=True)

    class Meta:
        verbose_name = _("review round")
        verbose_name_plural = _("review rounds")
        constraints = [
            models.UniqueConstraint(
                fields=["program", "kind", "due_on"], name="partners_reviewround_once_a_day"
            ),
            one_of("kind", RoundKind, name="partners_reviewround_kind"),
            one_of("state", RoundState, name="partners_reviewround_state"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.program_id} on {self.due_on}"


class TierReviewQuerySet(Lockable["TierReview"]):
    def open(self) -> TierReviewQuerySet:
        """Cases in which something is still to come."""
        return self.filter(state__in=ReviewState.open())

    def told(self) -> TierReviewQuerySet:
        """Cases partners may read: what is only proposed is the house's until it is decided, or told."""
        overtaken = models.Q(state=ReviewState.LAPSED, notified_at=None)
        return self.exclude(models.Q(state=ReviewState.PROPOSED) | overtaken)

    def in_grace_over(self, *, at: datetime) -> TierReviewQuerySet:
        """Cases whose grace has ended by `at`."""
        return self.filter(state=ReviewState.IN_GRACE, grace_ends_at__lte=at)


class TierReview(models.Model):
    """One membership in one round. `figures` are {question key: {"value": "12.5" or null, "rows": 3}} as they were evaluated."""

    public_id = PublicIdField(prefix="trv")
    round = models.ForeignKey("partners.ReviewRound", models.PROTECT, related_name="reviews")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="tier_reviews")
    from_tier = models.ForeignKey("tiers.Tier", models.PROTECT, related_name="+", verbose_name=_("from"))
    measured_tier = models.ForeignKey(
        "tiers.Tier", models.PROTECT, related_name="+", verbose_name=_("reached by the figures")
    )
    to_tier = models.ForeignKey("tiers.Tier", models.PROTECT, related_name="+", verbose_name=_("to"))
    outcome = models.CharField(_("outcome"), max_length=8, choices=ReviewOutcome.choices)
    state = models.CharField(_("state"), max_length=12, choices=ReviewState.choices)
    figures = models.JSONField(_("figures"), default=dict)
    evaluated_at = models.DateTimeField(_("evaluated"))
    notified_at = models.DateTimeField(_("partner told"), null=True, blank=True)
    grace_ends_at = models.DateTimeField(_("grace ends"), null=True, blank=True)
    appeal_ends_at = models.DateTimeField(_("appeal until"), null=True, blank=True)
    remedies = models.JSONField(_("what brings it back"), default=list, blank=True)
    last_figures = models.JSONField(_("figures of the last look"), default=dict, blank=True)
    last_looked_at = models.DateTimeField(_("looked at again"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    # Empty where the program's own setting decided.
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.TextField(_("reason, as the partner reads it"), max_length=2000, blank=True)
    effective_at = models.DateTimeField(_("takes effect"), null=True, blank=True)
    placement = models.OneToOneField(
        "partners.Placement", models.PROTECT, null=True, blank=True, related_name="review"
    )

    objects = TierReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("tier review")
        verbose_name_plural = _("tier reviews")
        constraints = [
            models.UniqueConstraint(
                fields=["round", "membership"], name="partners_tierreview_once_per_round"
            ),
            models.UniqueConstraint(
                fields=["membership"],
                condition=models.Q(state__in=["proposed", "in_grace", "appealed", "decided"]),
                name="partners_tierreview_one_open",
            ),
            one_of("outcome", ReviewOutcome, name="partners_tierreview_outcome"),
            one_of("state", ReviewState, name="partners_tierreview_state"),
            models.CheckConstraint(
                condition=~models.Q(state="in_grace")
                | models.Q(grace_ends_at__isnull=False, notified_at__isnull=False),
                name="partners_tierreview_grace_has_an_end",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="applied")
                | models.Q(placement__isnull=False, effective_at__isnull=False),
                name="partners_tierreview_applied_has_a_placement",
            ),
            # A demotion never takes effect before its grace is over.
            models.CheckConstraint(
                condition=~models.Q(outcome="down")
                | models.Q(effective_at=None)
                | models.Q(grace_ends_at__isnull=False, effective_at__gte=models.F("grace_ends_at")),
                name="partners_tierreview_no_demotion_in_grace",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "grace_ends_at"],
                condition=models.Q(state__in=["proposed", "in_grace", "appealed", "decided"]),
                name="partners_tierreview_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} of {self.membership_id}"


class ReviewEvidence(models.Model):
    """The rows behind one figure of a case that proposes a move: [what, when, value] each; `more` counts those left out of a long list."""

    review = models.ForeignKey("partners.TierReview", models.CASCADE, related_name="evidence")
    question = models.CharField(max_length=200)
    rows = models.JSONField(default=list)
    more = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("evidence of a review")
        verbose_name_plural = _("evidence of reviews")
        constraints = [
            models.UniqueConstraint(fields=["review", "question"], name="partners_reviewevidence_once"),
        ]

    def __str__(self) -> str:
        return f"{self.question} of {self.review_id}"


class Appeal(models.Model):
    """A partner's objection to a demotion, with the day an answer is promised."""

    public_id = PublicIdField(prefix="apl")
    review = models.OneToOneField("partners.TierReview", models.PROTECT, related_name="appeal")
    state = models.CharField(_("state"), max_length=12, choices=AppealState.choices, default=AppealState.OPEN)
    text = models.TextField(_("objection"), max_length=4000)
    opened_at = models.DateTimeField(_("received"))
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    answer_on = models.DateField(_("answer promised by"))
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    answer = models.TextField(_("answer"), max_length=4000, blank=True)

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        constraints = [
            one_of("state", AppealState, name="partners_appeal_state"),
            set_together("answered_at", "answered_by", name="partners_appeal_answered_pair"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["granted", "refused"])
                | (models.Q(answered_at__isnull=False) & ~models.Q(answer="")),
                name="partners_appeal_answered_in_words",
            ),
        ]

    def __str__(self) -> str:
        return f"appeal against {self.review_id}"


class TierOverride(models.Model):
    """A tier decided by a person until a day, whatever reviews say; they go on for information. One holds at a time."""

    public_id = PublicIdField(prefix="tov")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="tier_overrides")
    kind = models.CharField(_("kind"), max_length=12, choices=OverrideKind.choices)
    tier = models.ForeignKey("tiers.Tier", models.PROTECT, related_name="+")
    review = models.ForeignKey(
        "partners.TierReview", models.PROTECT, null=True, blank=True, related_name="overrides"
    )
    reason = models.CharField(_("reason, as the partner reads it"), max_length=500)
    made_at = models.DateTimeField(_("since"))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    # Empty when it ended by itself.
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("tier by hand")
        verbose_name_plural = _("tiers by hand")
        constraints = [
            only_one_open("membership", until="ended_at", name="partners_tieroverride_one_open"),
            one_of("kind", OverrideKind, name="partners_tieroverride_kind"),
            ends_after_start("made_at", "expires_at", name="partners_tieroverride_expires_later"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="partners_tieroverride_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.membership_id}"


class MetricSnapshot(models.Model):
    """How a membership stands by the figures of the last night: what pages show between reviews. One row each, written over."""

    membership = models.OneToOneField(
        "partners.Membership", models.CASCADE, related_name="metric_snapshot", primary_key=True
    )
    scheme = models.ForeignKey("tiers.TierScheme", models.PROTECT, related_name="+")
    tier = models.ForeignKey("tiers.Tier", models.PROTECT, related_name="+")
    measured_tier = models.ForeignKey("tiers.Tier", models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=8, choices=ReviewOutcome.choices)
    figures = models.JSONField(default=dict)
    measured_at = models.DateTimeField(_("figures up to"))
    taken_at = models.DateTimeField(_("taken"))

    class Meta:
        verbose_name = _("metric snapshot")
        verbose_name_plural = _("metric snapshots")
        constraints = [one_of("outcome", ReviewOutcome, name="partners_metricsnapshot_outcome")]
        indexes = [
            models.Index(
                fields=["outcome"],
                condition=~models.Q(outcome="keep"),
                name="partners_metricsnapshot_moves",
            ),
        ]

    def __str__(self) -> str:
        return f"figures of {self.membership_id}"
