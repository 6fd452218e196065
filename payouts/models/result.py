"""What the bank said: files of results as they came, and for each payment what they say of it. The same file, and the same result, count
once."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import ResultFormat, ResultOutcome
from prm.lib.constraints import not_negative, one_of
from prm.lib.fields import PublicIdField


class ResultFile(models.Model):
    public_id = PublicIdField(prefix="res")
    legal_entity = models.ForeignKey("tiers.LegalEntity", models.PROTECT, related_name="result_files")
    format = models.CharField(_("format"), max_length=12, choices=ResultFormat.choices)
    name = models.CharField(_("file name"), max_length=120)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    row_count = models.PositiveIntegerField(_("bookings read"))
    settled_count = models.PositiveIntegerField(_("paid"), default=0)
    returned_count = models.PositiveIntegerField(_("refused or returned"), default=0)
    known_count = models.PositiveIntegerField(_("known before"), default=0)
    foreign_count = models.PositiveIntegerField(_("not ours"), default=0)
    imported_at = models.DateTimeField(_("imported"))
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("bank result file")
        verbose_name_plural = _("bank result files")
        constraints = [
            models.UniqueConstraint(fields=["legal_entity", "sha256"], name="payouts_resultfile_once"),
            one_of("format", ResultFormat, name="payouts_resultfile_format"),
        ]

    def __str__(self) -> str:
        return self.name


class PaymentResult(models.Model):
    """One thing the bank, or a person who read its paper, said of one payment."""

    file = models.ForeignKey(
        "payouts.ResultFile", models.PROTECT, null=True, blank=True, related_name="results"
    )
    payment = models.ForeignKey("payouts.Payment", models.PROTECT, related_name="results")
    outcome = models.CharField(_("outcome"), max_length=10, choices=ResultOutcome.choices)
    code = models.CharField(_("bank's code"), max_length=12, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    reference = models.CharField(_("bank reference"), max_length=60, blank=True)
    fee_minor = models.BigIntegerField(_("fee, in minor units"), default=0)
    fee_currency = models.CharField(_("currency of the fee"), max_length=3, blank=True)
    booked_on = models.DateField(_("booked"), null=True, blank=True)
    told_at = models.DateTimeField(_("told"))
    told_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("payment result")
        verbose_name_plural = _("payment results")
        constraints = [
            one_of("outcome", ResultOutcome, name="payouts_paymentresult_outcome"),
            not_negative("fee_minor", name="payouts_paymentresult_fee_not_negative"),
            models.CheckConstraint(
                condition=models.Q(fee_minor=0) | ~models.Q(fee_currency=""),
                name="payouts_paymentresult_fee_has_a_currency",
            ),
            models.UniqueConstraint(fields=["payment", "outcome"], name="payouts_paymentresult_once"),
        ]

    def __str__(self) -> str:
        return f"{self.payment_id}: {self.outcome}"
