"""What helps deciding on applications: rules that decide by themselves, lists of what is blocked, and how much each account manager takes.
A rule in use is immutable: a changed one is a new rule."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import BlockedKind, RejectionReason, RuleDecision
from prm.lib.constraints import one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField


class EligibilityRuleQuerySet(Lockable["EligibilityRule"]):
    def in_use(self) -> EligibilityRuleQuerySet:
        return self.filter(activated_at__isnull=False, retired_at=None)


class EligibilityRule(models.Model):
    """`conditions` is a list of {field, operator, value}, all of which must hold; see `partners.eligibility`."""

    public_id = PublicIdField(prefix="elg")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="eligibility_rules")
    position = models.PositiveSmallIntegerField(_("order"), default=1)
    name = models.CharField(_("name"), max_length=120)
    decision = models.CharField(_("decision"), max_length=12, choices=RuleDecision.choices)
    conditions = models.JSONField(_("conditions"), default=list)
    tier = models.ForeignKey(
        "tiers.Tier", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("tier")
    )
    reason = models.CharField(_("reason"), max_length=24, choices=RejectionReason.choices, blank=True)
    reapply_days = models.PositiveSmallIntegerField(_("may apply again after, days"), null=True, blank=True)
    note = models.TextField(_("message to the applicant"), max_length=4000, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    activated_at = models.DateTimeField(_("in use since"), null=True, blank=True)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)

    objects = EligibilityRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("eligibility rule")
        verbose_name_plural = _("eligibility rules")
        constraints = [
            one_of("decision", RuleDecision, name="partners_eligibilityrule_decision"),
            set_together("activated_at", "activated_by", name="partners_eligibilityrule_activated_pair"),
            models.CheckConstraint(
                condition=~models.Q(decision="approve") | models.Q(tier__isnull=False),
                name="partners_eligibilityrule_approves_into_a_tier",
            ),
            models.CheckConstraint(
                condition=~models.Q(decision="reject") | ~models.Q(reason=""),
                name="partners_eligibilityrule_declines_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Blocked(models.Model):
    """A domain, an address or a country from which a program takes nobody; without a program, none does."""

    kind = models.CharField(_("kind"), max_length=8, choices=BlockedKind.choices)
    value = models.CharField(_("what is blocked"), max_length=254)
    program = models.ForeignKey(
        "tiers.Program",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="blocked",
        verbose_name=_("program"),
    )
    reason = models.CharField(_("reason"), max_length=200)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("blocked entry")
        verbose_name_plural = _("blocked entries")
        constraints = [
            one_of("kind", BlockedKind, name="partners_blocked_kind"),
            set_together("ended_at", "ended_by", name="partners_blocked_ended_pair"),
            models.UniqueConstraint(
                fields=["kind", "value", "program"],
                condition=models.Q(ended_at=None, program__isnull=False),
                name="partners_blocked_once_per_program",
            ),
            models.UniqueConstraint(
                fields=["kind", "value"],
                condition=models.Q(ended_at=None, program=None),
                name="partners_blocked_once_everywhere",
            ),
        ]

    def __str__(self) -> str:
        return self.value


class Workload(models.Model):
    """How many undecided applications an account manager looks after at most. Without a row nobody is assigned to that person by itself."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="workload")
    most_open = models.PositiveSmallIntegerField(_("open applications at most"), default=20)
    takes_new = models.BooleanField(_("takes new applications"), default=True)
    programs = models.ManyToManyField(
        "tiers.Program", blank=True, related_name="+", verbose_name=_("only of these programs")
    )

    class Meta:
        verbose_name = _("workload")
        verbose_name_plural = _("workloads")

    def __str__(self) -> str:
        return f"{self.user_id}: {self.most_open}"
