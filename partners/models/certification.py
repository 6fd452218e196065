"""Certifications: courses with lessons and quizzes, the people of a partner who can take them, and dated credentials. A credential given is
never deleted, only revoked, and says why."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import CourseState, CredentialSource, CredentialState, LessonKind, StaffRole
from prm.lib.constraints import ends_after_start, one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField


class Certification(models.Model):
    """What somebody can be certified in. All its open courses have to be passed, or a certificate of somebody else is taken as proof."""

    public_id = PublicIdField(prefix="crt")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="certifications")
    key = models.SlugField(_("key"), max_length=40, help_text=_("Stable name requirements refer to."))
    name = models.JSONField(_("name"), default=dict, help_text=_("By language."))
    description = models.JSONField(_("description"), default=dict, blank=True, help_text=_("By language."))
    roles = models.JSONField(_("roles it is for"), default=list, blank=True, help_text=_("Empty: everybody."))
    valid_months = models.PositiveSmallIntegerField(
        _("valid for, months"), null=True, blank=True, help_text=_("Empty: for good.")
    )
    takes_proof = models.BooleanField(_("certificates of others are taken as proof"), default=False)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("certification")
        verbose_name_plural = _("certifications")
        constraints = [
            models.UniqueConstraint(fields=["program", "key"], name="partners_certification_one_per_key"),
            set_together("retired_at", "retired_by", name="partners_certification_retired_pair"),
            models.CheckConstraint(
                condition=models.Q(valid_months=None) | models.Q(valid_months__gt=0),
                name="partners_certification_valid_for_a_while",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Course(models.Model):
    """A course of a certification: its lessons in order; the quizzes among them have to be passed."""

    public_id = PublicIdField(prefix="crs")
    certification = models.ForeignKey("partners.Certification", models.PROTECT, related_name="courses")
    position = models.PositiveSmallIntegerField(_("order"), default=1)
    title = models.JSONField(_("title"), default=dict, help_text=_("By language."))
    summary = models.JSONField(_("summary"), default=dict, blank=True, help_text=_("By language."))
    state = models.CharField(_("state"), max_length=8, choices=CourseState.choices, default=CourseState.DRAFT)
    pass_mark = models.PositiveSmallIntegerField(_("pass mark of its quizzes, percent"), default=80)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("course")
        verbose_name_plural = _("courses")
        constraints = [
            one_of("state", CourseState, name="partners_course_state"),
            models.CheckConstraint(
                condition=models.Q(pass_mark__gte=1, pass_mark__lte=100), name="partners_course_pass_mark"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Lesson(models.Model):
    """One step of a course. `body` is text by language; a quiz has `questions`: [{"text", "choices": [{"text", "is_right"}]}], texts
    by language."""

    public_id = PublicIdField(prefix="lsn")
    course = models.ForeignKey("partners.Course", models.PROTECT, related_name="lessons")
    position = models.PositiveSmallIntegerField(_("order"), default=1)
    kind = models.CharField(_("kind"), max_length=8, choices=LessonKind.choices)
    title = models.JSONField(_("title"), default=dict, help_text=_("By language."))
    body = models.JSONField(_("text"), default=dict, blank=True, help_text=_("By language."))
    url = models.URLField(_("address of the video"), max_length=300, blank=True)
    file = models.FileField(max_length=200, blank=True)
    file_name = models.CharField(_("file"), max_length=120, blank=True)
    questions = models.JSONField(_("questions"), default=list, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("lesson")
        verbose_name_plural = _("lessons")
        constraints = [one_of("kind", LessonKind, name="partners_lesson_kind")]

    def __str__(self) -> str:
        return self.public_id


class Staff(models.Model):
    """Somebody who works for a partner on our business: the people a certified ratio is a ratio of. `member` is set when they sign in."""

    public_id = PublicIdField(prefix="stf")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="staff")
    full_name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("e-mail"), blank=True)
    role = models.CharField(_("role"), max_length=12, choices=StaffRole.choices)
    country = models.CharField(_("country"), max_length=64, blank=True)
    member = models.OneToOneField(
        "partners.Member", models.PROTECT, null=True, blank=True, related_name="staff"
    )
    added_at = models.DateTimeField(_("on the list since"))
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    left_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("person of a partner")
        verbose_name_plural = _("people of partners")
        constraints = [
            one_of("role", StaffRole, name="partners_staff_role"),
            ends_after_start("added_at", "left_at", name="partners_staff_leaves_later"),
            set_together("left_at", "left_by", name="partners_staff_left_pair"),
        ]

    def __str__(self) -> str:
        return self.full_name


class LessonAttempt(models.Model):
    """A lesson somebody went through; of a quiz, one try with its score."""

    lesson = models.ForeignKey("partners.Lesson", models.PROTECT, related_name="attempts")
    staff = models.ForeignKey("partners.Staff", models.PROTECT, related_name="attempts")
    # The first credential comes of round 1; to renew it everything is learned again, in the next one.
    round = models.PositiveSmallIntegerField(_("round"), default=1)
    attempted_at = models.DateTimeField()
    score = models.PositiveSmallIntegerField(_("score, percent"), null=True, blank=True)
    passed = models.BooleanField(_("passed"))
    answers = models.JSONField(default=list, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            models.UniqueConstraint(
                fields=["lesson", "staff", "round"],
                condition=models.Q(passed=True),
                name="partners_lessonattempt_passed_once",
            ),
            models.CheckConstraint(
                condition=models.Q(score=None) | models.Q(score__lte=100),
                name="partners_lessonattempt_score",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lesson_id} by {self.staff_id}"


class CredentialQuerySet(Lockable["Credential"]):
    def valid(self, *, on: date) -> CredentialQuerySet:
        """Credentials that count on a day; the day they expire on is the first that does not."""
        found = self.filter(state=CredentialState.VALID, earned_on__lte=on)
        return found.filter(models.Q(expires_on=None) | models.Q(expires_on__gt=on))


class Credential(models.Model):
    """A person's dated pass of a certification; `expires_on` is the first day it counts no more."""

    public_id = PublicIdField(prefix="crd")
    certification = models.ForeignKey("partners.Certification", models.PROTECT, related_name="credentials")
    staff = models.ForeignKey("partners.Staff", models.PROTECT, related_name="credentials")
    state = models.CharField(_("state"), max_length=8, choices=CredentialState.choices)
    source = models.CharField(_("how"), max_length=8, choices=CredentialSource.choices)
    earned_on = models.DateField(_("earned"))
    expires_on = models.DateField(_("expires"), null=True, blank=True)
    issuer = models.CharField(_("issued by"), max_length=140, blank=True)
    number = models.CharField(_("number of the certificate"), max_length=60, blank=True)
    proof = models.FileField(max_length=200, blank=True)
    proof_name = models.CharField(_("proof"), max_length=120, blank=True)
    given_at = models.DateTimeField(_("handed in"))
    # Empty when courses gave it.
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("checked"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(_("reason, as the partner reads it"), max_length=300, blank=True)
    # The last reminder that was sent, by how many days before the end it was for.
    reminded_days = models.PositiveSmallIntegerField(_("reminded, days before"), null=True, blank=True)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        constraints = [
            one_of("state", CredentialState, name="partners_credential_state"),
            one_of("source", CredentialSource, name="partners_credential_source"),
            models.UniqueConstraint(
                fields=["certification", "staff", "earned_on"],
                condition=models.Q(state="valid"),
                name="partners_credential_once_a_day",
            ),
            ends_after_start("earned_on", "expires_on", name="partners_credential_expires_later"),
            set_together("revoked_at", "revoked_by", name="partners_credential_revoked_pair"),
            models.CheckConstraint(
                condition=~models.Q(state="revoked")
                | (models.Q(revoked_at__isnull=False) & ~models.Q(reason="")),
                name="partners_credential_revoked_with_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_on"],
                condition=models.Q(state="valid"),
                name="partners_credential_lapses",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
