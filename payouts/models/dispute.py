"""A dispute: a partner's question about one line, or about who is credited for an order, answered by a day that was promised. What it changes is an adjustment in an open
month; the line itself stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import DisputeCause, DisputeState
from prm.accounts import policy
from prm.lib.constraints import one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField

if TYPE_CHECKING:
    from prm.accounts.models import User

_OPEN = (DisputeState.OPENED, DisputeState.ANSWERED, DisputeState.WAITING_PARTNER)


class DisputeQuerySet(Lockable["Dispute"]):
    def open(self) -> DisputeQuerySet:
        return self.filter(state__in=_OPEN)

    def visible_to(self, user: User) -> DisputeQuerySet:
        if policy.may(user, "see_disputes"):
            return self
        return self.filter(
            membership__partner__members__user=user, membership__partner__members__ended_at=None
        )


class Dispute(models.Model):
    public_id = PublicIdField(prefix="dsp")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="disputes")
    commission = models.ForeignKey(
        "payouts.Commission", models.PROTECT, null=True, blank=True, related_name="disputes"
    )
    # Without a line it is about credit: of this order, or of one that nobody found.
    conversion = models.ForeignKey(
        "referrals.Conversion", models.PROTECT, null=True, blank=True, related_name="disputes"
    )
    # What the partner had asked and read before (`referrals.attribution.inquiry`), as it was then.
    inquiry = models.JSONField(_("what was asked"), default=dict, blank=True)
    cause = models.CharField(_("what is wrong"), max_length=10, choices=DisputeCause.choices)
    state = models.CharField(_("state"), max_length=16, choices=DisputeState.choices)
    opened_at = models.DateTimeField(_("asked"))
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    answer_by_at = models.DateTimeField(_("answer promised by"))
    first_answered_at = models.DateTimeField(_("first answered"), null=True, blank=True)
    suggested_minor = models.BigIntegerField(_("correction suggested, in minor units"), null=True, blank=True)
    suggestion = models.JSONField(_("how the suggestion comes about"), default=dict, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = DisputeQuerySet.as_manager()

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        constraints = [
            one_of("cause", DisputeCause, name="payouts_dispute_cause"),
            one_of("state", DisputeState, name="payouts_dispute_state"),
            set_together("decided_at", "decided_by", name="payouts_dispute_decided_pair"),
            models.UniqueConstraint(
                fields=["commission"],
                condition=models.Q(state__in=["opened", "answered", "waiting_partner"]),
                name="payouts_dispute_one_open_per_line",
            ),
            models.UniqueConstraint(
                fields=["membership", "conversion"],
                condition=models.Q(
                    state__in=["opened", "answered", "waiting_partner"], conversion__isnull=False
                ),
                name="payouts_dispute_one_open_per_order",
            ),
            models.CheckConstraint(
                condition=models.Q(commission__isnull=False, conversion=None)
                | (models.Q(commission=None) & ~models.Q(inquiry={})),
                name="payouts_dispute_is_about_something",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["opened", "answered", "waiting_partner"], decided_at=None)
                | models.Q(state__in=["accepted", "refused", "withdrawn"], decided_at__isnull=False),
                name="payouts_dispute_open_or_decided",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class DisputeMessage(models.Model):
    """One message of the thread; never changed."""

    dispute = models.ForeignKey("payouts.Dispute", models.PROTECT, related_name="messages")
    is_from_partner = models.BooleanField(_("written by the partner"))
    text = models.TextField(_("text"), max_length=4000)
    written_at = models.DateTimeField(_("written"))
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    evidence = models.FileField(_("evidence"), upload_to="evidence/", blank=True)
    evidence_name = models.CharField(max_length=120, blank=True)

    class Meta:
        verbose_name = _("message of a dispute")
        verbose_name_plural = _("messages of disputes")
        constraints = [
            models.CheckConstraint(condition=~models.Q(text=""), name="payouts_disputemessage_says_something")
        ]

    def __str__(self) -> str:
        return f"{self.dispute_id} {self.written_at:%Y-%m-%d %H:%M}"
