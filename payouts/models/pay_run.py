"""A pay run: the batch one finance person prepares and another approves. Who approves is never who prepared, by order of
the database, and every partner left out is listed with the reason."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import CheckKind, LeftOut, PayRunState
from prm.lib.constraints import not_negative, one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField


class PayRunQuerySet(Lockable["PayRun"]):
    def live(self) -> PayRunQuerySet:
        return self.exclude(state__in=[PayRunState.CANCELLED, PayRunState.RECONCILED])


class PayRun(models.Model):
    public_id = PublicIdField(prefix="prn")
    legal_entity = models.ForeignKey("tiers.LegalEntity", models.PROTECT, related_name="pay_runs")
    currency = models.CharField(_("currency"), max_length=3)
    state = models.CharField(
        _("state"), max_length=14, choices=PayRunState.choices, default=PayRunState.DRAFT
    )
    execute_on = models.DateField(_("payment date"))
    message_id = models.CharField(_("message id"), max_length=35, unique=True)
    total_minor = models.BigIntegerField(_("total, in minor units"), default=0)
    payment_count = models.PositiveIntegerField(_("payments"), default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    prepared_at = models.DateTimeField(_("prepared"))
    prepared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    exported_at = models.DateTimeField(_("exported"), null=True, blank=True)
    exported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    reconciled_at = models.DateTimeField(_("reconciled"), null=True, blank=True)
    reconciled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = PayRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("pay run")
        verbose_name_plural = _("pay runs")
        constraints = [
            one_of("state", PayRunState, name="payouts_payrun_state"),
            not_negative("total_minor", name="payouts_payrun_total_not_negative"),
            set_together("approved_at", "approved_by", name="payouts_payrun_approved_pair"),
            set_together("exported_at", "exported_by", name="payouts_payrun_exported_pair"),
            set_together("reconciled_at", "reconciled_by", name="payouts_payrun_reconciled_pair"),
            set_together("cancelled_at", "cancelled_by", name="payouts_payrun_cancelled_pair"),
            models.CheckConstraint(
                condition=models.Q(approved_by=None) | ~models.Q(approved_by=models.F("prepared_by")),
                name="payouts_payrun_four_eyes",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["approved", "exported", "sent", "reconciled", "partly_failed"])
                | models.Q(approved_at__isnull=False),
                name="payouts_payrun_approved_before_export",
            ),
            models.UniqueConstraint(
                fields=["legal_entity", "currency"],
                condition=models.Q(state__in=["draft", "checked"]),
                name="payouts_payrun_one_being_prepared",
            ),
        ]

    def __str__(self) -> str:
        return self.message_id


class PayRunException(models.Model):
    """A membership with money that this run does not pay, and why."""

    pay_run = models.ForeignKey("payouts.PayRun", models.PROTECT, related_name="exceptions")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField(_("amount, in minor units"))
    reason = models.CharField(_("reason"), max_length=24, choices=LeftOut.choices)
    detail = models.CharField(_("detail"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("payment left out")
        verbose_name_plural = _("payments left out")
        constraints = [
            models.UniqueConstraint(fields=["pay_run", "membership"], name="payouts_payrunexception_once"),
            one_of("reason", LeftOut, name="payouts_payrunexception_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.reason}"


class PayRunCheck(models.Model):
    """Something a person should look at before the run is approved, with the figures that raised it."""

    pay_run = models.ForeignKey("payouts.PayRun", models.PROTECT, related_name="checks")
    membership = models.ForeignKey(
        "partners.Membership", models.PROTECT, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(_("kind"), max_length=20, choices=CheckKind.choices)
    facts = models.JSONField(_("figures"), default=dict, blank=True)
    raised_at = models.DateTimeField(_("raised"))
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("check of a pay run")
        verbose_name_plural = _("checks of pay runs")
        constraints = [
            models.UniqueConstraint(
                fields=["pay_run", "membership", "kind"], name="payouts_payruncheck_once"
            ),
            # Two without a membership are two different ones to that rule.
            models.UniqueConstraint(
                fields=["pay_run", "kind"],
                condition=models.Q(membership=None),
                name="payouts_payruncheck_once_for_all",
            ),
            one_of("kind", CheckKind, name="payouts_payruncheck_kind"),
            set_together("acknowledged_at", "acknowledged_by", name="payouts_payruncheck_acknowledged_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.pay_run_id}"


class PaymentFile(models.Model):
    """A file made for the bank from an approved run. The same run gives the same bytes again."""

    public_id = PublicIdField(prefix="fil")
    pay_run = models.ForeignKey("payouts.PayRun", models.PROTECT, related_name="files")
    format = models.CharField(_("format"), max_length=24)
    number = models.CharField(_("number"), max_length=40, unique=True)
    part = models.PositiveSmallIntegerField(_("part"), default=1)
    currency = models.CharField(_("currency"), max_length=3)
    name = models.CharField(_("file name"), max_length=120)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    row_count = models.PositiveIntegerField()
    total_minor = models.BigIntegerField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("payment file")
        verbose_name_plural = _("payment files")
        constraints = [
            models.UniqueConstraint(
                fields=["pay_run", "format", "currency", "part"], name="payouts_paymentfile_one_per_format"
            )
        ]

    def __str__(self) -> str:
        return self.name


class PaymentFileTaken(models.Model):
    """Somebody took a payment file; from the second time on the page warns, because a file sent twice pays twice."""

    file = models.ForeignKey("payouts.PaymentFile", models.PROTECT, related_name="taken")
    taken_at = models.DateTimeField(_("taken"))
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("payment file taken")
        verbose_name_plural = _("payment files taken")

    def __str__(self) -> str:
        return f"{self.file_id} {self.taken_at:%Y-%m-%d %H:%M}"
