"""An application: the request to join one program. It is decided once; who decided and when are set together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import ApplicationState, RejectionReason
from prm.accounts import policy
from prm.lib.constraints import one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField

if TYPE_CHECKING:
    from prm.accounts.models import User


class ApplicationQuerySet(Lockable["Application"]):
    def undecided(self) -> ApplicationQuerySet:
        return self.filter(state__in=ApplicationState.undecided())

    def waiting_for_us(self) -> ApplicationQuerySet:
        """Applications on which staff can act now, oldest first."""
        return self.filter(state__in=[ApplicationState.SUBMITTED, ApplicationState.IN_REVIEW]).order_by(
            "submitted_at", "pk"
        )

    def visible_to(self, user: User) -> ApplicationQuerySet:
        return self if policy.may(user, "see_applications") else self.none()


class Application(models.Model):
    public_id = PublicIdField(prefix="app")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="applications")
    state = models.CharField(
        _("state"), max_length=16, choices=ApplicationState.choices, default=ApplicationState.DRAFT
    )
    full_name = models.CharField(_("your name"), max_length=120)
    email = models.EmailField(_("e-mail"))
    email_folded = models.CharField(max_length=254, editable=False)
    phone = models.CharField(_("phone"), max_length=40)
    company = models.CharField(_("company or creator name"), max_length=140)
    website = models.URLField(_("website or channel"), max_length=300, blank=True)
    country = models.CharField(_("country"), max_length=64)
    audience = models.CharField(_("audience"), max_length=300, blank=True)
    how_promote = models.TextField(_("how will you promote us?"), max_length=4000, blank=True)
    language = models.CharField(_("language"), max_length=5, default="en", choices=settings.LANGUAGES)
    source = models.CharField(_("where the applicant came from"), max_length=80, blank=True)
    address = models.GenericIPAddressField(_("network address"), null=True, blank=True)
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(_("sent"), null=True, blank=True)
    email_confirmed_at = models.DateTimeField(_("e-mail confirmed"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    rejection_reason = models.CharField(max_length=24, choices=RejectionReason.choices, blank=True)
    reapply_on = models.DateField(_("may apply again on"), null=True, blank=True)
    decision_note = models.TextField(_("message to the applicant"), blank=True, max_length=4000)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        constraints = [
            one_of("state", ApplicationState, name="partners_application_state"),
            set_together("decided_at", "decided_by", name="partners_application_decided_pair"),
            models.CheckConstraint(
                condition=models.Q(state="draft") | models.Q(submitted_at__isnull=False),
                name="partners_application_submitted_has_date",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["approved", "rejected"]) | models.Q(decided_at__isnull=False),
                name="partners_application_decided_has_date",
            ),
            models.UniqueConstraint(
                fields=["program", "email_folded"],
                condition=models.Q(state__in=["submitted", "in_review", "info_requested"]),
                name="partners_application_one_undecided",
            ),
        ]
        indexes = [models.Index(fields=["state", "submitted_at"], name="partners_application_queue")]

    def __str__(self) -> str:
        return self.company or self.full_name


class ApplicationMessage(models.Model):
    """One message of the thread between staff and applicant while an application is undecided."""

    application = models.ForeignKey("partners.Application", models.CASCADE, related_name="messages")
    written_at = models.DateTimeField()
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: the applicant.",
    )
    text = models.TextField(max_length=4000)

    class Meta:
        verbose_name = _("message on an application")
        verbose_name_plural = _("messages on applications")

    def __str__(self) -> str:
        return self.text[:60]
