"""An adjustment: money added or taken by a person, with a reason, evidence and, above the program's limit, a second person. It is booked
once, in the open month, and shown to the partner under its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import AdjustmentKind, AdjustmentReason, AdjustmentState
from prm.accounts import policy
from prm.lib.constraints import one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.models import User


class AdjustmentQuerySet(Lockable["Adjustment"]):
    def visible_to(self, user: User) -> AdjustmentQuerySet:
        if policy.may(user, "see_ledger"):
            return self
        return self.filter(
            state=AdjustmentState.POSTED,
            membership__partner__members__user=user,
            membership__partner__members__ended_at=None,
        )


class Adjustment(models.Model):
    public_id = PublicIdField(prefix="adj")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="adjustments")
    kind = models.CharField(_("kind"), max_length=12, choices=AdjustmentKind.choices)
    amount_minor = models.BigIntegerField(_("amount, in minor units; negative takes"))
    currency = models.CharField(_("currency"), max_length=3)
    reason = models.CharField(_("reason"), max_length=20, choices=AdjustmentReason.choices)
    note = models.CharField(_("what the partner reads"), max_length=200)
    internal_note = models.TextField(_("internal note"), blank=True, max_length=2000)
    is_taxable = models.BooleanField(_("part of the self-billed invoice"), default=True)
    commission = models.ForeignKey(
        "payouts.Commission", models.PROTECT, null=True, blank=True, related_name="adjustments"
    )
    dispute = models.ForeignKey(
        "payouts.Dispute", models.PROTECT, null=True, blank=True, related_name="adjustments"
    )
    evidence = models.FileField(_("evidence"), upload_to="evidence/", blank=True)
    evidence_name = models.CharField(max_length=120, blank=True)
    evidence_sha256 = models.CharField(max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=AdjustmentState.choices)
    proposed_at = models.DateTimeField(_("proposed"))
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decision_note = models.CharField(_("note on the decision"), max_length=200, blank=True)
    needs_second_person = models.BooleanField(_("needs a second person"))
    posted_in = models.OneToOneField(
        "payouts.Transaction", models.PROTECT, null=True, blank=True, related_name="adjustment"
    )

    objects = AdjustmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        constraints = [
            one_of("kind", AdjustmentKind, name="payouts_adjustment_kind"),
            one_of("reason", AdjustmentReason, name="payouts_adjustment_reason"),
            one_of("state", AdjustmentState, name="payouts_adjustment_state"),
            models.CheckConstraint(condition=~models.Q(amount_minor=0), name="payouts_adjustment_not_zero"),
            models.CheckConstraint(condition=~models.Q(note=""), name="payouts_adjustment_has_a_note"),
            set_together("decided_at", "decided_by", name="payouts_adjustment_decided_pair"),
            models.CheckConstraint(
                condition=models.Q(state="posted", posted_in__isnull=False)
                | (~models.Q(state="posted") & models.Q(posted_in=None)),
                name="payouts_adjustment_posted_in_one",
            ),
            models.CheckConstraint(
                condition=models.Q(needs_second_person=False)
                | ~models.Q(state="posted")
                | (models.Q(decided_by__isnull=False) & ~models.Q(decided_by=models.F("proposed_by"))),
                name="payouts_adjustment_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
