"""The outbox. A message is stored with the change that caused it, once per key, and keeps its text after it has left."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import not_negative
from prm.lib.fields import PublicIdField

MAX_ATTEMPTS = 8


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    """Questions asked of the outbox."""

    def unsent(self) -> OutgoingMailQuerySet:
        """Keep messages that have not left."""
        return self.filter(sent_at=None)

    def due(self, *, at: datetime) -> OutgoingMailQuerySet:
        """Keep messages that may be tried at `at`: not sent, not given up, and not just tried."""
        return self.unsent().filter(attempts__lt=MAX_ATTEMPTS, next_attempt_at__lte=at)

    def given_up(self) -> OutgoingMailQuerySet:
        """Keep messages that were tried as often as we try and never left."""
        return self.unsent().filter(attempts__gte=MAX_ATTEMPTS)


class OutgoingMail(models.Model):
    """One message to one person."""

    public_id = PublicIdField(prefix="mail")
    key = models.CharField(_("key"), max_length=200)
    kind = models.CharField(_("kind"), max_length=80)
    to = models.EmailField(_("to"), max_length=254)
    language = models.CharField(_("language"), max_length=8, default="en")
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"))
    about = models.CharField(_("about"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.TextField(_("last error"), blank=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mails")
        constraints = (
            models.UniqueConstraint(fields=["key"], name="mail_outgoingmail_key_unique"),
            not_negative("attempts", name="mail_outgoingmail_attempts_not_negative"),
        )
        indexes = (
            models.Index(
                fields=["next_attempt_at"],
                name="mail_outgoing_due",
                condition=models.Q(sent_at=None),
            ),
            models.Index(fields=["about"], name="mail_outgoing_about"),
        )

    def __str__(self) -> str:
        return f"{self.kind}: {self.to}"
