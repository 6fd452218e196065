"""A program's plan, its versions and their rules. A published version and its rules never change again: the database
refuses it; a new idea is a new version with its own date of effect."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import one_of, set_together
from prm.lib.fields import PublicIdField
from tiers.choices import Combine, Deduction, EventKind, FlatOnRefund, Grandfather, RateKind, VersionState


class Plan(models.Model):
    public_id = PublicIdField(prefix="pln")
    program = models.OneToOneField("tiers.Program", models.PROTECT, related_name="plan")
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")

    def __str__(self) -> str:
        return self.name


def net_of_tax_shipping_and_discount() -> list[str]:
    return [Deduction.TAX.value, Deduction.SHIPPING.value, Deduction.DISCOUNT.value]


class PlanVersionQuerySet(models.QuerySet["PlanVersion"]):
    def published(self) -> PlanVersionQuerySet:
        """Versions that rate something, now or in their time."""
        return self.exclude(state__in=[VersionState.DRAFT, VersionState.PROPOSED])

    def of_program(self) -> PlanVersionQuerySet:
        """Versions for everybody, without those negotiated with one partner."""
        return self.filter(member_key="")

    def in_force(self, *, at: datetime) -> PlanVersionQuerySet:
        """Published versions that had taken effect at `at`, newest first: the first one of a plan rates the event."""
        return self.published().filter(effective_at__lte=at).order_by("-effective_at", "-number")


class PlanVersion(models.Model):
    """A plan as it is from `effective_at` on, for everybody or, with `member_key`, for the one membership it was negotiated
    with; the newest one in effect rates an event, a negotiated one before the program's."""

    public_id = PublicIdField(prefix="plv")
    plan = models.ForeignKey("tiers.Plan", models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(
        _("state"), max_length=12, choices=VersionState.choices, default=VersionState.DRAFT
    )
    combine = models.CharField(
        _("when several rules apply"), max_length=12, choices=Combine.choices, default=Combine.FIRST_MATCH
    )
    effective_at = models.DateTimeField(_("in force from"), null=True, blank=True)
    member_key = models.CharField(
        _("negotiated with"), max_length=30, blank=True, help_text=_("Public id of a membership.")
    )
    deducts = models.JSONField(
        _("taken off before commission"), default=net_of_tax_shipping_and_discount, blank=True
    )
    excluded_products = models.JSONField(_("products that earn nothing"), default=list, blank=True)
    excluded_categories = models.JSONField(_("categories that earn nothing"), default=list, blank=True)
    grandfather = models.CharField(
        _("who keeps the version before"),
        max_length=12,
        choices=Grandfather.choices,
        default=Grandfather.NOBODY,
    )
    notice_days = models.PositiveSmallIntegerField(
        _("notice, days"), default=0, help_text=_("Partners hear of the change this many days before.")
    )
    notice_sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    proposed_at = models.DateTimeField(null=True, blank=True, editable=False)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    report = models.JSONField(default=dict, blank=True, editable=False)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    sha256 = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PlanVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan version")
        verbose_name_plural = _("plan versions")
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="tiers_planversion_one_per_number"),
            one_of("state", VersionState, name="tiers_planversion_state"),
            one_of("combine", Combine, name="tiers_planversion_combine"),
            one_of("grandfather", Grandfather, name="tiers_planversion_grandfather"),
            set_together("proposed_at", "proposed_by", name="tiers_planversion_proposed_pair"),
            set_together("accepted_at", "accepted_by", name="tiers_planversion_accepted_pair"),
            models.UniqueConstraint(
                fields=["plan", "member_key", "effective_at"],
                condition=~models.Q(state__in=[VersionState.DRAFT, VersionState.PROPOSED]),
                name="tiers_planversion_one_per_instant",
            ),
            set_together("published_at", "published_by", name="tiers_planversion_published_pair"),
            models.CheckConstraint(
                condition=models.Q(state__in=[VersionState.DRAFT, VersionState.PROPOSED])
                | models.Q(effective_at__isnull=False, published_at__isnull=False),
                name="tiers_planversion_published_has_date",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan.name} v{self.number}"


class Rule(models.Model):
    """One rule of a plan version: a rate under conditions. Empty condition lists mean “any”.

    `params` holds what only some kinds have (steps, window, limits, ...) and `conditions` further conditions, both in the
    shape that tiers/engine/reading.py describes and checks.
    """

    version = models.ForeignKey("tiers.PlanVersion", models.CASCADE, related_name="rules")
    key = models.SlugField(_("key"), max_length=40)
    name = models.CharField(_("name"), max_length=120)
    position = models.PositiveSmallIntegerField(_("position"), default=1, help_text=_("1 is tried first."))
    kind = models.CharField(_("rate"), max_length=20, choices=RateKind.choices, default=RateKind.PERCENT)
    rate = models.DecimalField(
        _("percent"), max_digits=9, decimal_places=6, default=Decimal(0), help_text=_("8 means 8 %.")
    )
    flat_minor = models.BigIntegerField(_("flat amount, in minor units"), default=0)
    flat_on_refund = models.CharField(
        _("flat part on a refund"), max_length=10, choices=FlatOnRefund.choices, default=FlatOnRefund.PRO_RATA
    )
    event_kinds = models.JSONField(
        _("event kinds"), default=list, blank=True, help_text=_("Empty: every event with an amount.")
    )
    tier_keys = models.JSONField(_("tiers"), default=list, blank=True, help_text=_("Empty: every tier."))
    countries = models.JSONField(
        _("customer countries"), default=list, blank=True, help_text=_("Empty: every country.")
    )

    params = models.JSONField(_("details"), default=dict, blank=True)
    conditions = models.JSONField(_("conditions"), default=dict, blank=True)
    unusual = models.BooleanField(
        _("a rate below 0 or above 100 % is meant"),
        default=False,
        help_text=_("Without this such a rate is taken for a typing error."),
    )

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="tiers_rule_one_per_position"),
            models.UniqueConstraint(fields=["version", "key"], name="tiers_rule_one_per_key"),
            one_of("kind", RateKind, name="tiers_rule_kind"),
            one_of("flat_on_refund", FlatOnRefund, name="tiers_rule_flat_on_refund"),
            models.CheckConstraint(
                condition=models.Q(flat_minor__gte=0) | models.Q(unusual=True),
                name="tiers_rule_flat_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(rate__gte=0, rate__lte=100) | models.Q(unusual=True),
                name="tiers_rule_rate_0_to_100",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def known_event_kinds(self) -> bool:
        return set(self.event_kinds) <= set(EventKind.values)


class PlanCase(models.Model):
    """An example a plan version carries: what happened, and what it must earn. A version is published only while its
    examples come out as they say.

    `facts` are {kind, amount, occurred_on, tier, country, product, category, quantity, customer_type, ...} as the simulator
    takes them.
    """

    version = models.ForeignKey("tiers.PlanVersion", models.CASCADE, related_name="cases")
    name = models.CharField(_("name"), max_length=120)
    facts = models.JSONField(_("what happened"), default=dict)
    expected_minor = models.BigIntegerField(_("must earn, in minor units"))

    class Meta:
        verbose_name = _("example")
        verbose_name_plural = _("examples")
        constraints = [
            models.UniqueConstraint(fields=["version", "name"], name="tiers_plancase_one_per_name"),
        ]

    def __str__(self) -> str:
        return self.name
