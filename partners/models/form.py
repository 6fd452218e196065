"""A program's application form in versions. A published version is immutable, and an application keeps the one it was filled with."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import FormState
from prm.lib.constraints import one_of
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField


class FormVersionQuerySet(Lockable["FormVersion"]):
    def in_use(self) -> FormVersionQuerySet:
        """Return the version newcomers fill in, one per program."""
        return self.filter(state=FormState.PUBLISHED)


class FormVersion(models.Model):
    """`definition` is read by `partners.application_forms.definition`."""

    public_id = PublicIdField(prefix="frm")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="form_versions")
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=12, choices=FormState.choices, default=FormState.DRAFT)
    definition = models.JSONField(_("questions"))
    is_standard = models.BooleanField(
        _("made by the product"),
        default=False,
        help_text=_("The form a program has until somebody publishes one of its own."),
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    sha256 = models.CharField(max_length=64, blank=True, editable=False)

    objects = FormVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("application form")
        verbose_name_plural = _("application forms")
        constraints = [
            models.UniqueConstraint(fields=["program", "number"], name="partners_formversion_one_per_number"),
            one_of("state", FormState, name="partners_formversion_state"),
            models.UniqueConstraint(
                fields=["program"],
                condition=models.Q(state="published"),
                name="partners_formversion_one_in_use",
            ),
            models.UniqueConstraint(
                fields=["program"], condition=models.Q(state="draft"), name="partners_formversion_one_draft"
            ),
            models.CheckConstraint(
                condition=models.Q(state="draft", published_at=None)
                | (~models.Q(state="draft") & models.Q(published_at__isnull=False)),
                name="partners_formversion_published_has_date",
            ),
            models.CheckConstraint(
                condition=models.Q(published_at=None)
                | models.Q(is_standard=True)
                | models.Q(published_by__isnull=False),
                name="partners_formversion_published_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id} form v{self.number}"
