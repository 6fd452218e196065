"""Terms of a program in versions, and who accepted which. A published version is immutable and complete: all four
mandatory sections say something."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import TermsState
from prm.lib.constraints import one_of, set_together
from prm.lib.fields import PublicIdField


class TermsVersion(models.Model):
    public_id = PublicIdField(prefix="trm")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="terms_versions")
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=12, choices=TermsState.choices, default=TermsState.DRAFT)
    summary = models.TextField(_("in plain words"), blank=True, max_length=4000)
    pricing = models.TextField(_("pricing and commission"), blank=True, max_length=20000)
    what_counts = models.TextField(_("what counts as a referral"), blank=True, max_length=20000)
    how_measured = models.TextField(_("how it is measured and tracked"), blank=True, max_length=20000)
    support = models.TextField(_("support offered"), blank=True, max_length=20000)
    effective_at = models.DateTimeField(_("in force from"), null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    sha256 = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("terms version")
        verbose_name_plural = _("terms versions")
        constraints = [
            models.UniqueConstraint(
                fields=["program", "number"], name="partners_termsversion_one_per_number"
            ),
            one_of("state", TermsState, name="partners_termsversion_state"),
            set_together("published_at", "published_by", name="partners_termsversion_published_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.program_id} terms v{self.number}"


class Acceptance(models.Model):
    """One person's consent to one version, with the hash of the text that was shown."""

    terms_version = models.ForeignKey("partners.TermsVersion", models.PROTECT, related_name="acceptances")
    application = models.ForeignKey(
        "partners.Application", models.PROTECT, null=True, blank=True, related_name="acceptances"
    )
    membership = models.ForeignKey(
        "partners.Membership", models.PROTECT, null=True, blank=True, related_name="acceptances"
    )
    accepted_name = models.CharField(max_length=120)
    accepted_email = models.EmailField()
    accepted_at = models.DateTimeField()
    address = models.GenericIPAddressField(_("network address"), null=True, blank=True)
    text_sha256 = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("acceptance of terms")
        verbose_name_plural = _("acceptances of terms")
        constraints = [
            models.UniqueConstraint(
                fields=["terms_version", "application"],
                condition=models.Q(application__isnull=False),
                name="partners_acceptance_once_per_application",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.accepted_email} accepted {self.terms_version_id}"
