"""An application: the request to join one program. It is decided once; who decided and when are set together."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners import keys
from partners.choices import ApplicationState, ReferenceAnswer, RejectionReason
from prm.accounts import policy
from prm.lib.constraints import one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField
from tiers.choices import PartnershipType

if TYPE_CHECKING:
    from prm.accounts.models import User


class ApplicationQuerySet(Lockable["Application"]):
    def undecided(self) -> ApplicationQuerySet:
        return self.filter(state__in=ApplicationState.undecided())

    def counting(self) -> ApplicationQuerySet:
        """Applications that count: the mailbox is confirmed, or staff entered them."""
        return self.filter(submitted_at__isnull=False).exclude(email_confirmed_at=None, entered_at=None)

    def waiting_for_us(self) -> ApplicationQuerySet:
        """Applications on which staff can act now, oldest first."""
        ours = self.counting().filter(state__in=[ApplicationState.SUBMITTED, ApplicationState.IN_REVIEW])
        return ours.order_by("submitted_at", "pk")

    def visible_to(self, user: User) -> ApplicationQuerySet:
        return self if policy.may(user, "see_applications") else self.none()


class Application(models.Model):
    public_id = PublicIdField(prefix="app")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="applications")
    state = models.CharField(
        _("state"), max_length=16, choices=ApplicationState.choices, default=ApplicationState.DRAFT
    )
    form = models.ForeignKey(
        "partners.FormVersion", models.PROTECT, null=True, blank=True, related_name="applications"
    )
    partnership_type = models.CharField(
        _("partnership type"), max_length=20, choices=PartnershipType.choices, blank=True
    )
    full_name = models.CharField(_("your name"), max_length=120, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    email_folded = models.CharField(max_length=254, blank=True, editable=False)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    company = models.CharField(_("company or creator name"), max_length=140, blank=True)
    website = models.URLField(_("website or channel"), max_length=300, blank=True)
    street = models.CharField(_("street and number"), max_length=90, blank=True)
    postcode = models.CharField(_("postcode"), max_length=16, blank=True)
    town = models.CharField(_("town"), max_length=35, blank=True)
    country = models.CharField(_("country"), max_length=64, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    channels = models.JSONField(
        _("channels"),
        default=list,
        blank=True,
        help_text=_("A list of {kind, url, audience}."),
    )
    answers = models.JSONField(_("answers to the program's own questions"), default=dict, blank=True)
    audience = models.CharField(_("audience"), max_length=300, blank=True)
    how_promote = models.TextField(_("how will you promote us?"), max_length=4000, blank=True)
    language = models.CharField(_("language"), max_length=5, default="en", choices=settings.LANGUAGES)
    source = models.CharField(_("where the applicant came from"), max_length=80, blank=True)
    source_link = models.ForeignKey(
        "partners.RecruitingLink", models.PROTECT, null=True, blank=True, related_name="applications"
    )
    introducer = models.ForeignKey(
        "partners.Membership",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="introduced_applications",
        verbose_name=_("introduced by"),
    )
    furthest_step = models.PositiveSmallIntegerField(default=0)
    address = models.GenericIPAddressField(_("network address"), null=True, blank=True)
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField(_("last saved"), null=True, blank=True)
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    entered_at = models.DateTimeField(null=True, blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    submitted_at = models.DateTimeField(_("sent"), null=True, blank=True)
    email_confirmed_at = models.DateTimeField(_("e-mail confirmed"), null=True, blank=True)
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="assigned_applications",
        verbose_name=_("account manager"),
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    rule = models.ForeignKey(
        "partners.EligibilityRule",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="applications",
        help_text=_("The rule that decided, when no person looked at it."),
    )
    rejection_reason = models.CharField(max_length=24, choices=RejectionReason.choices, blank=True)
    reapply_on = models.DateField(_("may apply again on"), null=True, blank=True)
    decision_note = models.TextField(_("message to the applicant"), blank=True, max_length=4000)
    erased_at = models.DateTimeField(null=True, blank=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        constraints = [
            one_of("state", ApplicationState, name="partners_application_state"),
            set_together("decided_at", "decided_by", name="partners_application_decided_pair"),
            set_together("entered_at", "entered_by", name="partners_application_entered_pair"),
            set_together("manager", "assigned_at", name="partners_application_assigned_pair"),
            models.CheckConstraint(
                condition=models.Q(state="draft")
                | models.Q(erased_at__isnull=False)
                | (~models.Q(email_folded="") & ~models.Q(full_name="")),
                name="partners_application_sent_by_somebody",
            ),
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
        indexes = [
            models.Index(fields=["state", "submitted_at"], name="partners_application_queue"),
            models.Index(fields=["email_folded"], name="partners_application_mailbox"),
            *(models.Index(keys.of_application(name), name=f"partners_applica_{name}") for name in keys.KEYS),
        ]

    def __str__(self) -> str:
        return self.company or self.full_name

    @property
    def counts_since(self) -> datetime | None:
        """The moment from which it waits for us: it was sent, and the mailbox is confirmed or staff entered it."""
        if self.submitted_at is None:
            return None
        if self.entered_at is not None:
            return self.submitted_at
        if self.email_confirmed_at is None:
            return None
        return max(self.submitted_at, self.email_confirmed_at)


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


class ApplicationFile(models.Model):
    """A file an applicant gave, kept under a name of ours where no address leads."""

    public_id = PublicIdField(prefix="apf")
    application = models.ForeignKey("partners.Application", models.CASCADE, related_name="files")
    field_key = models.CharField(max_length=40)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=8)
    size = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    file = models.FileField(max_length=200)
    added_at = models.DateTimeField()

    class Meta:
        verbose_name = _("file of an application")
        verbose_name_plural = _("files of applications")

    def __str__(self) -> str:
        return self.name


class Reference(models.Model):
    """Somebody who can say that an applicant is who they say they are. Only the hash of the token is kept."""

    public_id = PublicIdField(prefix="ref")
    application = models.ForeignKey("partners.Application", models.CASCADE, related_name="references")
    full_name = models.CharField(_("name"), max_length=120)
    company = models.CharField(_("company"), max_length=140, blank=True)
    email = models.EmailField(_("e-mail"))
    relation = models.CharField(_("how you know each other"), max_length=140, blank=True)
    token_sha256 = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    asked_at = models.DateTimeField(_("asked"), null=True, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=12, choices=ReferenceAnswer.choices, blank=True)
    comment = models.TextField(_("comment"), max_length=2000, blank=True)

    class Meta:
        verbose_name = _("reference")
        verbose_name_plural = _("references")
        constraints = [
            set_together("asked_at", "asked_by", name="partners_reference_asked_pair"),
            one_of("answer", ["", *ReferenceAnswer.values], name="partners_reference_answer"),
            models.CheckConstraint(
                condition=models.Q(answer="", answered_at=None)
                | (~models.Q(answer="") & models.Q(answered_at__isnull=False)),
                name="partners_reference_answered_has_date",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name
