"""A commission line: one credit under one rule, with its explanation. What it is worth never changes (the database refuses
it); its state says how far the money has come and is moved only by the verbs of this app."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import CommissionKind, CommissionState
from prm.accounts import policy
from prm.accounts.choices import Scope
from prm.lib.constraints import one_of
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField
from prm.lib.money import Money

if TYPE_CHECKING:
    from payouts.models.period import Period
    from prm.accounts.models import ApiKey, User


class CommissionQuerySet(Lockable["Commission"]):
    def due_for_release(self, *, at: datetime) -> CommissionQuerySet:
        """Lines on hold whose payable instant is not after `at`."""
        return self.filter(state=CommissionState.ON_HOLD, payable_at__lte=at)

    def in_period(self, period: Period) -> CommissionQuerySet:
        return self.filter(period=period)

    def visible_to_key(self, key: ApiKey) -> CommissionQuerySet:
        """Lines an API key may look at: keys are the operator's own, so all or none."""
        return self if key.allows(Scope.COMMISSIONS_READ) else self.none()

    def visible_to(self, user: User) -> CommissionQuerySet:
        if policy.may(user, "see_commissions"):
            return self
        return self.filter(
            membership__partner__members__user=user, membership__partner__members__ended_at=None
        )


class Commission(models.Model):
    public_id = PublicIdField(prefix="com")
    key = models.CharField(_("idempotency key"), max_length=120, unique=True)
    credit = models.ForeignKey(
        "referrals.Credit", models.PROTECT, null=True, blank=True, related_name="commissions"
    )
    conversion = models.ForeignKey(
        "referrals.Conversion", models.PROTECT, null=True, blank=True, related_name="commissions"
    )
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="commissions")
    plan_version = models.ForeignKey("tiers.PlanVersion", models.PROTECT, related_name="commissions")
    rule_key = models.CharField(_("rule"), max_length=40)
    kind = models.CharField(_("kind"), max_length=10, choices=CommissionKind.choices)
    window = models.CharField(
        _("window"), max_length=20, blank=True, help_text=_("What a rule over a whole window counts it in.")
    )
    customer_key = models.CharField(
        _("customer counted"), max_length=20, blank=True, help_text=_("For rules that count per customer.")
    )
    volume = models.BigIntegerField(_("counted in the window"), default=0)
    base_minor = models.BigIntegerField(_("commissionable amount, in minor units"))
    rate = models.DecimalField(_("percent"), max_digits=9, decimal_places=6)
    flat_minor = models.BigIntegerField(_("flat part, in minor units"), default=0)
    amount_minor = models.BigIntegerField(_("commission, in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    because = models.JSONField(_("explanation"))
    effective_at = models.DateTimeField(_("happened"))
    period = models.ForeignKey("payouts.Period", models.PROTECT, related_name="commissions")
    payable_at = models.DateTimeField(_("ready to pay from"))
    state = models.CharField(_("state"), max_length=12, choices=CommissionState.choices)
    pause_reason = models.CharField(_("reason of the pause"), max_length=200, blank=True)
    reverses = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="reversals")
    accrued_in = models.ForeignKey("payouts.Transaction", models.PROTECT, related_name="commissions")
    released_in = models.ForeignKey(
        "payouts.Transaction", models.PROTECT, null=True, blank=True, related_name="released_commissions"
    )
    statement = models.ForeignKey(
        "payouts.Statement", models.PROTECT, null=True, blank=True, related_name="commissions"
    )
    payment = models.ForeignKey(
        "payouts.Payment", models.PROTECT, null=True, blank=True, related_name="commissions"
    )
    computed_at = models.DateTimeField(_("computed"))

    objects = CommissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("commission")
        verbose_name_plural = _("commissions")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(credit__isnull=False, conversion__isnull=False)
                | models.Q(credit=None, conversion=None, kind__in=CommissionKind.of_a_month()),
                name="payouts_commission_only_months_have_no_event",
            ),
            one_of("kind", CommissionKind, name="payouts_commission_kind"),
            one_of("state", CommissionState, name="payouts_commission_state"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["on_statement", "sent", "paid"])
                | models.Q(statement__isnull=False),
                name="payouts_commission_on_statement_has_one",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["payable", "on_statement", "sent", "paid"])
                | models.Q(released_in__isnull=False),
                name="payouts_commission_payable_was_released",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["sent", "paid"]) | models.Q(payment__isnull=False),
                name="payouts_commission_sent_has_a_payment",
            ),
        ]
        indexes = [
            models.Index(fields=["membership", "-effective_at"], name="payouts_commission_recent"),
            models.Index(
                fields=["membership", "rule_key", "window"],
                condition=~models.Q(window=""),
                name="payouts_commission_window",
            ),
            models.Index(
                fields=["payable_at"], condition=models.Q(state="on_hold"), name="payouts_commission_held"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def base(self) -> Money:
        return Money(self.base_minor, self.currency)
