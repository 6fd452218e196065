"""A program: one partner offering with its currency, time zone, calendar and promises. Its money is always in its own
currency, and its months are months in its own time zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import not_negative, one_of
from prm.lib.fields import PublicIdField
from prm.lib.money import Money, exponent
from tiers.choices import FxMoment, PartnershipType


def known_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(_("“%(value)s” is not an IANA time zone."), params={"value": value})


def known_currency(value: str) -> None:
    try:
        exponent(value)
    except ValueError as error:
        raise ValidationError(
            _("“%(value)s” is not an ISO 4217 currency."), params={"value": value}
        ) from error


class ProgramQuerySet(models.QuerySet["Program"]):
    def listed(self) -> ProgramQuerySet:
        """Programs a stranger may see and apply to."""
        return self.filter(is_public=True).order_by("name", "pk")


class Program(models.Model):
    public_id = PublicIdField(prefix="prg")
    legal_entity = models.ForeignKey("tiers.LegalEntity", models.PROTECT, related_name="programs")
    slug = models.SlugField(_("address"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    partnership_type = models.CharField(_("partnership type"), max_length=20, choices=PartnershipType.choices)
    summary = models.TextField(_("who it is for"), blank=True, max_length=2000)
    currency = models.CharField(_("currency"), max_length=3, validators=[known_currency])
    time_zone = models.CharField(_("time zone"), max_length=60, validators=[known_time_zone])
    cookie_days = models.PositiveSmallIntegerField(
        _("cookie window, days"),
        default=30,
        help_text=_("A click earns credit for this many days of 24 hours."),
    )
    hold_days = models.PositiveSmallIntegerField(
        _("hold, days"), default=14, help_text=_("Local days a commission waits before it is ready to pay.")
    )
    clawback_days = models.PositiveSmallIntegerField(
        _("claw-back window, days"),
        null=True,
        blank=True,
        help_text=_("Refunds later than this after the sale cost the program. Empty: no limit."),
    )
    minimum_payout_minor = models.BigIntegerField(_("minimum payout, in minor units"), default=0)
    payment_day = models.PositiveSmallIntegerField(
        _("payment day"),
        default=14,
        help_text=_("Day of the following month on which payments leave, 1 to 28."),
    )
    dispute_days = models.PositiveSmallIntegerField(
        _("days to question a line"), default=30, help_text=_("Local days after the statement was issued.")
    )
    answer_days = models.PositiveSmallIntegerField(_("working days to answer a question"), default=5)
    second_person_above_minor = models.BigIntegerField(
        _("adjustments need a second person above, in minor units"), default=0
    )
    fx_moment = models.CharField(
        _("exchange rate of"), max_length=12, choices=FxMoment.choices, default=FxMoment.PAYMENT
    )
    decision_days = models.PositiveSmallIntegerField(_("working days to decide an application"), default=5)
    destination_url = models.URLField(_("default destination of links"), max_length=500)
    allowed_domains = models.JSONField(
        _("domains links may lead to"),
        default=list,
        blank=True,
        help_text=_("Besides the default destination's own."),
    )
    is_open = models.BooleanField(_("takes applications"), default=True)
    reopens_on = models.DateField(
        _("applications open again on"),
        null=True,
        blank=True,
        help_text=_("Said on the page while it is closed."),
    )
    most_partners = models.PositiveIntegerField(
        _("partners at most"),
        null=True,
        blank=True,
        help_text=_(
            "With so many active partners the program takes no further applications. Empty: no limit."
        ),
    )
    contact_email = models.EmailField(
        _("contact"), blank=True, help_text=_("Empty: the address of the legal entity.")
    )
    is_public = models.BooleanField(_("listed publicly"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProgramQuerySet.as_manager()

    class Meta:
        verbose_name = _("program")
        verbose_name_plural = _("programs")
        constraints = [
            one_of("partnership_type", PartnershipType, name="tiers_program_partnership_type"),
            not_negative("minimum_payout_minor", name="tiers_program_minimum_not_negative"),
            not_negative("second_person_above_minor", name="tiers_program_second_person_not_negative"),
            one_of("fx_moment", FxMoment, name="tiers_program_fx_moment"),
            models.CheckConstraint(
                condition=models.Q(payment_day__gte=1, payment_day__lte=28), name="tiers_program_payment_day"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def minimum_payout(self) -> Money:
        return Money(self.minimum_payout_minor, self.currency)

    @property
    def second_person_above(self) -> Money:
        return Money(self.second_person_above_minor, self.currency)
