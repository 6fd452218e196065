"""Addresses a partner is called at when something of its own happens. A call is written with its body before it is made, is made again with
growing pauses, and is never made to an address inside the operator's network."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import PostbackDeliveryState, PostbackEvent
from prm.lib.constraints import one_of
from prm.lib.db import Lockable
from prm.lib.fields import EncryptedTextField, PublicIdField


class PostbackQuerySet(Lockable["Postback"]):
    def in_use(self) -> PostbackQuerySet:
        """Addresses nobody has removed."""
        return self.filter(removed_at=None)


class Postback(models.Model):
    public_id = PublicIdField(prefix="pbk")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="postbacks")
    url = models.URLField(_("address"), max_length=500)
    events = models.JSONField(_("events"), default=list)
    secret = EncryptedTextField()
    previous_secret = EncryptedTextField(blank=True)
    previous_ends_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    failing_since_at = models.DateTimeField(_("failing since"), null=True, blank=True)
    disabled_at = models.DateTimeField(_("switched off"), null=True, blank=True)
    disabled_because = models.CharField(_("why it was switched off"), max_length=200, blank=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)

    objects = PostbackQuerySet.as_manager()

    class Meta:
        verbose_name = _("postback")
        verbose_name_plural = _("postbacks")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(disabled_at=None) | ~models.Q(disabled_because=""),
                name="payouts_postback_disabled_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class PostbackDeliveryQuerySet(Lockable["PostbackDelivery"]):
    def due(self) -> PostbackDeliveryQuerySet:
        """Calls that have to be made, again or for the first time."""
        return self.filter(state=PostbackDeliveryState.QUEUED)


class PostbackDelivery(models.Model):
    """One call: `key` names what happened, so that it is told once per address."""

    public_id = PublicIdField(prefix="pbd")
    postback = models.ForeignKey("payouts.Postback", models.PROTECT, related_name="deliveries")
    event = models.CharField(_("event"), max_length=12, choices=PostbackEvent.choices)
    key = models.CharField(max_length=80)
    body = models.TextField(_("body"))
    state = models.CharField(_("state"), max_length=8, choices=PostbackDeliveryState.choices)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("created"))
    next_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    sent_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(_("last answer"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=300, blank=True)

    objects = PostbackDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("postback delivery")
        verbose_name_plural = _("postback deliveries")
        constraints = [
            one_of("event", PostbackEvent, name="payouts_postbackdelivery_event"),
            one_of("state", PostbackDeliveryState, name="payouts_postbackdelivery_state"),
            models.UniqueConstraint(fields=["postback", "key"], name="payouts_postbackdelivery_once"),
        ]
        indexes = [
            models.Index(
                fields=["next_at"], condition=models.Q(state="queued"), name="payouts_postbackdelivery_due"
            )
        ]

    def __str__(self) -> str:
        return self.public_id
