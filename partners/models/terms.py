"""Terms of a program in versions, and who accepted which. A published version is immutable and complete: all four
mandatory sections say something."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import AmendmentState, Consequence, TermsSection, TermsState
from prm.lib.constraints import one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField


class TermsVersion(models.Model):
    public_id = PublicIdField(prefix="trm")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="terms_versions")
    tier = models.ForeignKey(
        "tiers.Tier",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="terms_versions",
        verbose_name=_("for one tier"),
        help_text=_("Empty: for every tier that has no terms of its own."),
    )
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=12, choices=TermsState.choices, default=TermsState.DRAFT)
    summary = models.TextField(_("in plain words"), blank=True, max_length=4000)
    pricing = models.TextField(_("pricing and commission"), blank=True, max_length=20000)
    what_counts = models.TextField(_("what counts as a referral"), blank=True, max_length=20000)
    how_measured = models.TextField(_("how it is measured and tracked"), blank=True, max_length=20000)
    support = models.TextField(_("support offered"), blank=True, max_length=20000)
    effective_at = models.DateTimeField(_("in force from"), null=True, blank=True)
    notice_days = models.PositiveSmallIntegerField(
        _("notice, days"),
        default=30,
        help_text=_("Members hear of a change at least this many days before it is in force."),
    )
    accept_within_days = models.PositiveSmallIntegerField(
        _("days to accept"),
        default=30,
        help_text=_(
            "From the day the version is in force. Members who have not accepted by then meet the consequence."
        ),
    )
    asks_members = models.BooleanField(
        _("members have to accept it again"),
        default=True,
        help_text=_("Leave it out for corrections that take nothing away from anybody."),
    )
    consequence = models.CharField(
        _("if it is not accepted"),
        max_length=16,
        choices=Consequence.choices,
        default=Consequence.PAYMENTS_WAIT,
    )
    notice_sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    pdf = models.FileField(max_length=200, blank=True, editable=False)
    pdf_sha256 = models.CharField(max_length=64, blank=True, editable=False)
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
            one_of("consequence", Consequence, name="partners_termsversion_consequence"),
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
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="acceptances"
    )
    accepted_name = models.CharField(max_length=120)
    accepted_email = models.EmailField()
    accepted_at = models.DateTimeField()
    address = models.GenericIPAddressField(_("network address"), null=True, blank=True)
    text_sha256 = models.CharField(max_length=64)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("acceptance of terms")
        verbose_name_plural = _("acceptances of terms")
        constraints = [
            models.UniqueConstraint(
                fields=["terms_version", "application"],
                condition=models.Q(application__isnull=False),
                name="partners_acceptance_once_per_application",
            ),
            models.UniqueConstraint(
                fields=["terms_version", "membership"],
                condition=models.Q(membership__isnull=False),
                name="partners_acceptance_once_per_membership",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.accepted_email} accepted {self.terms_version_id}"


class TermsNotice(models.Model):
    """A membership was told of a version it has to accept; from then on the product keeps an eye on the deadline."""

    terms_version = models.ForeignKey("partners.TermsVersion", models.PROTECT, related_name="notices")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="terms_notices")
    told_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    overdue_at = models.DateTimeField(
        null=True, blank=True, help_text=_("From when on the consequence holds; empty: it never did.")
    )
    settled_at = models.DateTimeField(null=True, blank=True, help_text=_("When the terms were accepted."))

    class Meta:
        verbose_name = _("notice of terms")
        verbose_name_plural = _("notices of terms")
        constraints = [
            models.UniqueConstraint(fields=["terms_version", "membership"], name="partners_termsnotice_once"),
            models.CheckConstraint(
                condition=models.Q(overdue_at=None) | models.Q(overdue_at__gt=models.F("told_at")),
                name="partners_termsnotice_told_before",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id} was told of {self.terms_version_id}"


class AmendmentQuerySet(Lockable["Amendment"]):
    def accepted(self) -> AmendmentQuerySet:
        return self.filter(state=AmendmentState.ACCEPTED)


class Amendment(models.Model):
    """What one partner and the operator agreed beside the program's terms. Once proposed its text is immutable."""

    public_id = PublicIdField(prefix="amd")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="amendments")
    number = models.PositiveIntegerField(_("number"))
    title = models.CharField(_("title"), max_length=140)
    text = models.TextField(_("text"), max_length=20000)
    state = models.CharField(
        _("state"), max_length=12, choices=AmendmentState.choices, default=AmendmentState.DRAFT
    )
    effective_on = models.DateField(_("in force from"), null=True, blank=True)
    drafted_at = models.DateTimeField()
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(null=True, blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    answer_note = models.TextField(_("what the partner wrote"), max_length=2000, blank=True)
    address = models.GenericIPAddressField(_("network address"), null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, editable=False)

    objects = AmendmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("amendment")
        verbose_name_plural = _("amendments")
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "number"], name="partners_amendment_one_per_number"
            ),
            one_of("state", AmendmentState, name="partners_amendment_state"),
            set_together("proposed_at", "proposed_by", name="partners_amendment_proposed_pair"),
            set_together("answered_at", "answered_by", name="partners_amendment_answered_pair"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["accepted", "declined"]) | models.Q(answered_at__isnull=False),
                name="partners_amendment_answered_has_date",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class ClauseQuestion(models.Model):
    """What somebody wants to know about a section of the terms before accepting them."""

    public_id = PublicIdField(prefix="cqu")
    terms_version = models.ForeignKey("partners.TermsVersion", models.PROTECT, related_name="questions")
    section = models.CharField(_("section"), max_length=16, choices=TermsSection.choices)
    application = models.ForeignKey(
        "partners.Application", models.CASCADE, null=True, blank=True, related_name="clause_questions"
    )
    membership = models.ForeignKey(
        "partners.Membership", models.PROTECT, null=True, blank=True, related_name="clause_questions"
    )
    text = models.TextField(_("question"), max_length=2000)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty: the applicant."),
    )
    answer = models.TextField(_("answer"), max_length=4000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("question about the terms")
        verbose_name_plural = _("questions about the terms")
        constraints = [
            one_of("section", TermsSection, name="partners_clausequestion_section"),
            set_together("answered_at", "answered_by", name="partners_clausequestion_answered_pair"),
            models.CheckConstraint(
                condition=models.Q(application__isnull=False, membership=None)
                | models.Q(application=None, membership__isnull=False),
                name="partners_clausequestion_of_one",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]
