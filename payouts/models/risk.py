"""What looks wrong and what comes of it. A signal stops nothing by itself; a case pauses lines with a reason the partner reads and a day by
which it is decided, and only a person ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import RiskCaseState, RiskKind, RiskSanction, RiskSeverity
from prm.accounts import policy
from prm.lib.constraints import one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField

if TYPE_CHECKING:
    from prm.accounts.models import User

_OPEN = (RiskCaseState.OPEN, RiskCaseState.INVESTIGATING)


class RiskSettings(models.Model):
    """What a program looks for: for each kind whether, and above which figures (`payouts.risk.thresholds`); without a row the defaults."""

    program = models.OneToOneField("tiers.Program", models.PROTECT, related_name="risk_settings")
    thresholds = models.JSONField(_("thresholds"), default=dict, blank=True)
    changed_at = models.DateTimeField(_("changed"))
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("risk settings")
        verbose_name_plural = _("risk settings")

    def __str__(self) -> str:
        return str(self.program_id)


class RiskCaseQuerySet(Lockable["RiskCase"]):
    def open(self) -> RiskCaseQuerySet:
        """Cases nobody has decided."""
        return self.filter(state__in=_OPEN)

    def visible_to(self, user: User) -> RiskCaseQuerySet:
        if policy.may(user, "see_risk"):
            return self
        return self.filter(
            membership__partner__members__user=user, membership__partner__members__ended_at=None
        )


class RiskCase(models.Model):
    public_id = PublicIdField(prefix="rsc")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="risk_cases")
    state = models.CharField(_("state"), max_length=14, choices=RiskCaseState.choices)
    reason = models.CharField(_("reason"), max_length=200, help_text=_("The partner reads this."))
    opened_at = models.DateTimeField(_("opened"))
    # Empty when the monitor opened it.
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    review_on = models.DateField(_("decided by"))
    investigator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(_("what came of it"), max_length=500, blank=True)
    sanction = models.CharField(_("sanction"), max_length=12, choices=RiskSanction.choices, blank=True)

    objects = RiskCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("risk case")
        verbose_name_plural = _("risk cases")
        constraints = [
            one_of("state", RiskCaseState, name="payouts_riskcase_state"),
            models.UniqueConstraint(
                fields=["membership"],
                condition=models.Q(state__in=["open", "investigating"]),
                name="payouts_riskcase_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["open", "investigating"], decided_at=None)
                | (
                    models.Q(state__in=["cleared", "confirmed"], decided_at__isnull=False)
                    & ~models.Q(outcome="")
                ),
                name="payouts_riskcase_open_or_decided",
            ),
            set_together("decided_at", "decided_by", name="payouts_riskcase_decided_pair"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="payouts_riskcase_has_a_reason"),
            models.CheckConstraint(
                condition=models.Q(sanction="") | models.Q(state="confirmed"),
                name="payouts_riskcase_sanction_is_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class RiskCaseLine(models.Model):
    """A line a case has paused, and the pause; what was on its way already has none."""

    case = models.ForeignKey("payouts.RiskCase", models.PROTECT, related_name="lines")
    commission = models.ForeignKey("payouts.Commission", models.PROTECT, related_name="risk_lines")
    pause = models.ForeignKey("payouts.Pause", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("line of a risk case")
        verbose_name_plural = _("lines of risk cases")
        constraints = [
            models.UniqueConstraint(fields=["case", "commission"], name="payouts_riskcaseline_once")
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.commission_id}"


class RiskNote(models.Model):
    """What somebody wrote into a case; never changed, and only staff reads it."""

    case = models.ForeignKey("payouts.RiskCase", models.PROTECT, related_name="notes")
    text = models.TextField(_("text"), max_length=4000)
    evidence = models.FileField(_("evidence"), upload_to="evidence/", blank=True)
    evidence_name = models.CharField(max_length=120, blank=True)
    written_at = models.DateTimeField(_("written"))
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("note of a risk case")
        verbose_name_plural = _("notes of risk cases")
        constraints = [
            models.CheckConstraint(condition=~models.Q(text=""), name="payouts_risknote_says_something")
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.written_at:%Y-%m-%d %H:%M}"


class RiskSignalQuerySet(Lockable["RiskSignal"]):
    def unseen(self) -> RiskSignalQuerySet:
        """Signals that are in no case and that nobody has set aside."""
        return self.filter(case=None, dismissed_at=None)


class RiskSignal(models.Model):
    """One detection: what was seen (`evidence`: figures, thresholds and the rows behind them) by which version of which rule. The same thing
    is signalled once: `fingerprint` is unique per kind."""

    public_id = PublicIdField(prefix="rsg")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="risk_signals")
    kind = models.CharField(_("kind"), max_length=20, choices=RiskKind.choices)
    severity = models.CharField(_("severity"), max_length=6, choices=RiskSeverity.choices)
    rule_version = models.PositiveSmallIntegerField(_("version of the rule"))
    fingerprint = models.CharField(max_length=64)
    evidence = models.JSONField(_("evidence"), default=dict)
    conversion = models.ForeignKey(
        "referrals.Conversion", models.PROTECT, null=True, blank=True, related_name="risk_signals"
    )
    detected_at = models.DateTimeField(_("detected"))
    case = models.ForeignKey(
        "payouts.RiskCase", models.PROTECT, null=True, blank=True, related_name="signals"
    )
    dismissed_at = models.DateTimeField(_("set aside"), null=True, blank=True)
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    dismissed_because = models.CharField(_("why it was set aside"), max_length=200, blank=True)

    objects = RiskSignalQuerySet.as_manager()

    class Meta:
        verbose_name = _("risk signal")
        verbose_name_plural = _("risk signals")
        constraints = [
            one_of("kind", RiskKind, name="payouts_risksignal_kind"),
            one_of("severity", RiskSeverity, name="payouts_risksignal_severity"),
            models.UniqueConstraint(fields=["kind", "fingerprint"], name="payouts_risksignal_once"),
            set_together("dismissed_at", "dismissed_by", name="payouts_risksignal_dismissed_pair"),
        ]
        indexes = [models.Index(fields=["membership", "detected_at"], name="payouts_risksignal_membership")]

    def __str__(self) -> str:
        return self.public_id
