"""What was done, by whom, to what. Rows are appended in the transaction of what they record and the database refuses to change them."""

from __future__ import annotations

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from prm.lib.fields import PublicIdField


class AuditEvent(models.Model):
    """One thing somebody, or the system, did."""

    public_id = PublicIdField(prefix="aud")
    at = models.DateTimeField(_("at"), default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        on_delete=models.PROTECT,
        related_name="audit_events",
        null=True,
        blank=True,
    )
    action = models.CharField(_("action"), max_length=80)
    object_type = models.CharField(_("kind of object"), max_length=80, blank=True)
    object_pk = models.CharField(_("object key"), max_length=64, blank=True)
    object_public_id = models.CharField(_("object"), max_length=64, blank=True)
    object_text = models.CharField(_("object name"), max_length=200, blank=True)
    note = models.TextField(_("note"), max_length=4000, blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    request_id = models.CharField(_("request"), max_length=64, null=True, blank=True)

    redaction = models.ForeignKey(
        "self",
        verbose_name=_("redacted for"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        editable=False,
        help_text=_("The erasure for which a person was taken out of this event."),
    )

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes = (
            models.Index(fields=["-at", "-id"], name="audit_event_at"),
            models.Index(fields=["object_type", "object_pk"], name="audit_event_object"),
            models.Index(fields=["action", "-at"], name="audit_event_action"),
        )
        constraints = (
            models.CheckConstraint(condition=~models.Q(action=""), name="audit_auditevent_action_present"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.object_public_id or self.object_text}".strip()
