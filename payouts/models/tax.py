"""Who a partner is to the tax office, what is withheld, and the invoices issued in its name. Every row says from when to when it holds;
what an invoice says never changes."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import InvoiceKind, TaxFormKind, TaxStatus, VatMode
from prm.accounts import policy
from prm.lib.constraints import ends_after_start, one_of, only_one_open, set_together
from prm.lib.db import Lockable
from prm.lib.fields import EncryptedTextField, PublicIdField

if TYPE_CHECKING:
    from prm.accounts.models import User


class TaxProfileQuerySet(Lockable["TaxProfile"]):
    def in_force(self, *, at: datetime) -> TaxProfileQuerySet:
        return self.filter(starts_at__lte=at).filter(models.Q(ends_at=None) | models.Q(ends_at__gt=at))


class TaxProfile(models.Model):
    """A partner's tax standing over a stretch of time; a change ends one row and begins the next."""

    public_id = PublicIdField(prefix="tax")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="tax_profiles")
    country_code = models.CharField(_("country"), max_length=2)
    status = models.CharField(_("status"), max_length=16, choices=TaxStatus.choices)
    vat_mode = models.CharField(_("VAT"), max_length=16, choices=VatMode.choices)
    vat_rate = models.DecimalField(_("VAT rate, percent"), max_digits=5, decimal_places=2, default=0)
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    registration_number = models.CharField(_("registration number"), max_length=30, blank=True)
    exemption_reason = models.CharField(_("reason no VAT is charged"), max_length=200, blank=True)
    needs_form = models.BooleanField(_("paid only with a valid tax form"), default=False)
    is_set_by_hand = models.BooleanField(
        _("VAT set by hand"),
        default=False,
        help_text=_("Staff chose mode and rate; otherwise they follow from countries and status."),
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    set_at = models.DateTimeField(_("set"))
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = TaxProfileQuerySet.as_manager()

    class Meta:
        verbose_name = _("tax profile")
        verbose_name_plural = _("tax profiles")
        constraints = [
            only_one_open("partner", until="ends_at", name="payouts_taxprofile_one_open"),
            ends_after_start("starts_at", "ends_at", name="payouts_taxprofile_ends_after_start"),
            one_of("status", TaxStatus, name="payouts_taxprofile_status"),
            one_of("vat_mode", VatMode, name="payouts_taxprofile_vat_mode"),
            models.CheckConstraint(
                condition=models.Q(vat_mode="domestic", vat_rate__gt=0, vat_rate__lte=50)
                | (~models.Q(vat_mode="domestic") & models.Q(vat_rate=0)),
                name="payouts_taxprofile_rate_only_when_domestic",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()}, {self.country_code}"


class TaxForm(models.Model):
    """A form a partner gave, with its expiry; the tax number on it is encrypted."""

    public_id = PublicIdField(prefix="txf")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="tax_forms")
    kind = models.CharField(_("form"), max_length=10, choices=TaxFormKind.choices)
    tax_number = EncryptedTextField(_("tax number"), blank=True)
    tax_number_ending = models.CharField(max_length=4, blank=True)
    signed_on = models.DateField(_("signed"))
    expires_on = models.DateField(_("valid until"), null=True, blank=True)
    document = models.FileField(_("document"), upload_to="tax-forms/", blank=True)
    document_name = models.CharField(max_length=120, blank=True)
    received_at = models.DateTimeField(_("received"))
    received_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("tax form")
        verbose_name_plural = _("tax forms")
        constraints = [
            one_of("kind", TaxFormKind, name="payouts_taxform_kind"),
            ends_after_start("signed_on", "expires_on", name="payouts_taxform_expires_after_signature"),
            set_together("revoked_at", "revoked_by", name="payouts_taxform_revoked_pair"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class WithholdingQuerySet(models.QuerySet["Withholding"]):
    def on(self, day: date) -> WithholdingQuerySet:
        return self.filter(starts_on__lte=day).filter(models.Q(ends_on=None) | models.Q(ends_on__gt=day))


class Withholding(models.Model):
    """The share of each payment that goes to the tax office instead, with what it rests on."""

    public_id = PublicIdField(prefix="wht")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="withholdings")
    rate = models.DecimalField(_("percent of the payment"), max_digits=5, decimal_places=2)
    basis = models.CharField(
        _("what it rests on"), max_length=200, help_text=_("The law, treaty or certificate.")
    )
    starts_on = models.DateField(_("for payments from"))
    ends_on = models.DateField(_("for payments before"), null=True, blank=True)
    set_at = models.DateTimeField(_("set"))
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = WithholdingQuerySet.as_manager()

    class Meta:
        verbose_name = _("withholding")
        verbose_name_plural = _("withholdings")
        constraints = [
            only_one_open("partner", until="ends_on", name="payouts_withholding_one_open"),
            ends_after_start("starts_on", "ends_on", name="payouts_withholding_ends_after_start"),
            models.CheckConstraint(
                condition=models.Q(rate__gte=0, rate__lte=100), name="payouts_withholding_rate_0_to_100"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rate} %"


class SelfBillingMandate(models.Model):
    """A partner's agreement that the operator writes its invoices, with the procedure by which it accepts each one."""

    public_id = PublicIdField(prefix="sbm")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="mandates")
    legal_entity = models.ForeignKey("tiers.LegalEntity", models.PROTECT, related_name="mandates")
    agreement_version = models.CharField(_("version of the agreement"), max_length=40)
    agreement_text = models.TextField(_("text agreed"), max_length=8000)
    accepts_after_days = models.PositiveSmallIntegerField(
        _("an invoice counts as accepted after, days"), default=14
    )
    series_prefix = models.CharField(_("prefix of invoice numbers"), max_length=16)
    agreed_at = models.DateTimeField(_("agreed"))
    agreed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    agreed_from = models.GenericIPAddressField(_("agreed from address"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("self-billing mandate")
        verbose_name_plural = _("self-billing mandates")
        constraints = [
            only_one_open(
                "partner", "legal_entity", until="ended_at", name="payouts_selfbillingmandate_one_open"
            ),
            models.UniqueConstraint(
                fields=["legal_entity", "series_prefix"], name="payouts_selfbillingmandate_own_series"
            ),
            set_together("ended_at", "ended_by", name="payouts_selfbillingmandate_ended_pair"),
        ]

    def __str__(self) -> str:
        return self.series_prefix


class InvoiceQuerySet(Lockable["Invoice"]):
    def visible_to(self, user: User) -> InvoiceQuerySet:
        if policy.may(user, "see_statements"):
            return self
        return self.filter(
            statement__membership__partner__members__user=user,
            statement__membership__partner__members__ended_at=None,
        )


class Invoice(models.Model):
    """A self-billed invoice (type 389) or credit note (261): the tax document of one statement, numbered in its mandate's series.

    Amounts are positive in both kinds; a credit note takes them back.
    """

    public_id = PublicIdField(prefix="inv")
    mandate = models.ForeignKey("payouts.SelfBillingMandate", models.PROTECT, related_name="invoices")
    statement = models.ForeignKey("payouts.Statement", models.PROTECT, related_name="invoices")
    kind = models.CharField(_("kind"), max_length=12, choices=InvoiceKind.choices)
    credits = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="credited_by")
    number = models.CharField(_("number"), max_length=40, unique=True)
    year = models.PositiveSmallIntegerField()
    sequence = models.PositiveIntegerField()
    currency = models.CharField(_("currency"), max_length=3)
    net_minor = models.BigIntegerField(_("net"))
    vat_minor = models.BigIntegerField(_("VAT"))
    gross_minor = models.BigIntegerField(_("gross"))
    vat_mode = models.CharField(_("VAT mode"), max_length=16, choices=VatMode.choices)
    vat_rate = models.DecimalField(_("VAT rate, percent"), max_digits=5, decimal_places=2)
    issued_at = models.DateTimeField(_("issued"))
    language = models.CharField(max_length=5, default="en", choices=settings.LANGUAGES)
    facts = models.JSONField(_("frozen facts"))
    sha256 = models.CharField(max_length=64)
    cii_xml = models.TextField(_("EN 16931 message"), blank=True)
    pdf = models.FileField(upload_to="invoices/", blank=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("self-billed invoice")
        verbose_name_plural = _("self-billed invoices")
        constraints = [
            one_of("kind", InvoiceKind, name="payouts_invoice_kind"),
            one_of("vat_mode", VatMode, name="payouts_invoice_vat_mode"),
            models.UniqueConstraint(
                fields=["mandate", "year", "sequence"], name="payouts_invoice_gapless_number"
            ),
            models.UniqueConstraint(fields=["statement", "kind"], name="payouts_invoice_once_per_statement"),
            models.UniqueConstraint(
                fields=["credits"],
                condition=models.Q(credits__isnull=False),
                name="payouts_invoice_credited_once",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    net_minor__gt=0,
                    vat_minor__gte=0,
                    gross_minor=models.F("net_minor") + models.F("vat_minor"),
                ),
                name="payouts_invoice_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return self.number
