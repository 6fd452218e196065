"""A recorded business event. One row per event and source, for ever: a repeat answers with the first, and a different
body under the same id is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.accounts import policy
from prm.accounts.choices import Scope
from prm.lib.constraints import not_negative, one_of
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField
from prm.lib.money import Money
from referrals.choices import Channel, ConversionState
from tiers.choices import EventKind

if TYPE_CHECKING:
    from prm.accounts.models import ApiKey, User


class ConversionQuerySet(Lockable["Conversion"]):
    def waiting_for_original(self) -> ConversionQuerySet:
        """Refunds and chargebacks that name an event which has not arrived yet."""
        waiting = self.filter(original=None).exclude(original_external_id="")
        return waiting.exclude(state=ConversionState.REJECTED)

    def visible_to_key(self, key: ApiKey) -> ConversionQuerySet:
        """Conversions an API key may look at: keys are the operator's own, so all or none."""
        return (
            self if key.allows(Scope.CONVERSIONS_READ) or key.allows(Scope.CONVERSIONS_WRITE) else self.none()
        )

    def visible_to(self, user: User) -> ConversionQuerySet:
        if policy.may(user, "see_conversions"):
            return self
        return self.filter(
            credits__membership__partner__members__user=user,
            credits__membership__partner__members__ended_at=None,
        ).distinct()


class Conversion(models.Model):
    public_id = PublicIdField(prefix="cnv")
    source = models.CharField(_("source"), max_length=40)
    external_id = models.CharField(_("event id"), max_length=100)
    kind = models.CharField(_("kind"), max_length=16, choices=EventKind.choices)
    state = models.CharField(
        _("state"), max_length=20, choices=ConversionState.choices, default=ConversionState.RECORDED
    )
    occurred_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"))
    customer = models.ForeignKey(
        "referrals.Customer", models.PROTECT, null=True, blank=True, related_name="conversions"
    )
    country = models.CharField(_("customer country"), max_length=64, blank=True)
    amount_minor = models.BigIntegerField(_("amount, in minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    code_text = models.CharField(_("code used"), max_length=40, blank=True)
    click_id = models.CharField(_("click id"), max_length=26, blank=True)
    product = models.CharField(_("product"), max_length=60, blank=True)
    category = models.CharField(_("category"), max_length=60, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    tax_minor = models.BigIntegerField(_("tax in the amount"), default=0)
    shipping_minor = models.BigIntegerField(_("shipping in the amount"), default=0)
    discount_minor = models.BigIntegerField(_("discount in the amount"), default=0)
    cost_minor = models.BigIntegerField(_("cost of goods"), default=0)
    sub_id = models.CharField(_("sub-id"), max_length=80, blank=True)
    campaign = models.CharField(_("campaign"), max_length=64, blank=True)
    channel = models.CharField(_("told by"), max_length=8, choices=Channel.choices, default=Channel.API)
    lead_key = models.CharField(_("lead"), max_length=60, blank=True)
    # Blind indexes: of the means of payment, and of the address with the key of its day (emptied on a schedule).
    payment_key = models.CharField(max_length=64, blank=True)
    address_hash = models.CharField(max_length=32, blank=True)
    deal_key = models.CharField(_("deal"), max_length=60, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    original_external_id = models.CharField(_("event it refunds"), max_length=100, blank=True)
    # Always the sale: a chargeback won back that names its chargeback points at the sale behind it.
    original = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="refunds")
    payload_sha256 = models.CharField(max_length=64)

    objects = ConversionQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversion")
        verbose_name_plural = _("conversions")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], name="referrals_conversion_once_per_source"
            ),
            one_of("kind", EventKind, name="referrals_conversion_kind"),
            one_of("state", ConversionState, name="referrals_conversion_state"),
            one_of("channel", Channel, name="referrals_conversion_channel"),
            not_negative("amount_minor", name="referrals_conversion_amount_not_negative"),
            models.CheckConstraint(
                condition=models.Q(tax_minor__gte=0, shipping_minor__gte=0)
                & models.Q(discount_minor__gte=0, cost_minor__gte=0)
                & models.Q(
                    amount_minor__gte=models.F("tax_minor")
                    + models.F("shipping_minor")
                    + models.F("discount_minor")
                ),
                name="referrals_conversion_deductions_fit",
            ),
            models.CheckConstraint(
                condition=models.Q(original_external_id="")
                | models.Q(kind__in=[EventKind.REFUND, EventKind.CHARGEBACK, EventKind.CHARGEBACK_WON]),
                name="referrals_conversion_only_refunds_name_an_original",
            ),
        ]
        indexes = [
            models.Index(fields=["occurred_at"], name="referrals_conversion_when"),
            # The few refunds whose sale has not come yet: asked for with every batch.
            models.Index(
                fields=["source", "original_external_id"],
                condition=models.Q(original=None) & ~models.Q(original_external_id=""),
                name="referrals_conv_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class ConversionLine(models.Model):
    """One product of an order. The lines' amounts come to the conversion's amount or less; what is left over, such as shipping,
    belongs to no product."""

    conversion = models.ForeignKey("referrals.Conversion", models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField(_("position"))
    product = models.CharField(_("product"), max_length=60, blank=True)
    category = models.CharField(_("category"), max_length=60, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    amount_minor = models.BigIntegerField(_("amount, in minor units"))
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("line of a conversion")
        verbose_name_plural = _("lines of conversions")
        constraints = [
            models.UniqueConstraint(
                fields=["conversion", "position"], name="referrals_conversionline_one_per_position"
            ),
            not_negative("amount_minor", name="referrals_conversionline_amount_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.conversion_id}/{self.position}"
