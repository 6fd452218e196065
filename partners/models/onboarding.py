"""What a newcomer is asked to do, and what is there to help. Steps the product can see for itself are never ticked by hand."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import OnboardingKind, ResourceKind
from prm.lib.constraints import one_of, set_together
from prm.lib.fields import PublicIdField


class OnboardingStep(models.Model):
    """One step of a program's checklist; `title` and `help_text` are empty for the kinds that say it themselves."""

    public_id = PublicIdField(prefix="obs")
    program = models.ForeignKey("tiers.Program", models.CASCADE, related_name="onboarding_steps")
    kind = models.CharField(_("kind"), max_length=12, choices=OnboardingKind.choices)
    position = models.PositiveSmallIntegerField(_("order"), default=1)
    title = models.JSONField(_("title"), default=dict, blank=True, help_text=_("By language."))
    help_text = models.JSONField(_("explanation"), default=dict, blank=True, help_text=_("By language."))
    url = models.URLField(_("address"), max_length=300, blank=True)
    is_required = models.BooleanField(_("needed"), default=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("onboarding step")
        verbose_name_plural = _("onboarding steps")
        constraints = [
            one_of("kind", OnboardingKind, name="partners_onboardingstep_kind"),
            models.UniqueConstraint(
                fields=["program", "kind"],
                condition=models.Q(removed_at=None) & ~models.Q(kind__in=["training", "custom"]),
                name="partners_onboardingstep_once_per_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.program_id}"


class OnboardingMark(models.Model):
    """A step somebody ticked: the partner, or the account manager who saw it done."""

    membership = models.ForeignKey("partners.Membership", models.CASCADE, related_name="onboarding_marks")
    step = models.ForeignKey("partners.OnboardingStep", models.PROTECT, related_name="marks")
    done_at = models.DateTimeField()
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("onboarding step done")
        verbose_name_plural = _("onboarding steps done")
        constraints = [
            models.UniqueConstraint(fields=["membership", "step"], name="partners_onboardingmark_once"),
        ]

    def __str__(self) -> str:
        return f"{self.step_id} by {self.membership_id}"


class ProgramResource(models.Model):
    """Something partners of a program can use: a file of ours or an address."""

    public_id = PublicIdField(prefix="res")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="resources")
    kind = models.CharField(_("kind"), max_length=12, choices=ResourceKind.choices)
    title = models.CharField(_("title"), max_length=140)
    description = models.CharField(_("what it is for"), max_length=300, blank=True)
    language = models.CharField(_("language"), max_length=5, blank=True, choices=settings.LANGUAGES)
    url = models.URLField(_("address"), max_length=300, blank=True)
    file = models.FileField(_("file"), max_length=200, blank=True)
    file_name = models.CharField(max_length=120, blank=True, editable=False)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("resource")
        verbose_name_plural = _("resources")
        constraints = [
            one_of("kind", ResourceKind, name="partners_programresource_kind"),
            set_together("removed_at", "removed_by", name="partners_programresource_removed_pair"),
            models.CheckConstraint(
                condition=~models.Q(url="") | ~models.Q(file=""),
                name="partners_programresource_leads_somewhere",
            ),
        ]

    def __str__(self) -> str:
        return self.title
