"""Contacts that are told rather than clicked, and who brought whom. A customer has one owner at a time in a program."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import ends_after_start, one_of, only_one_open, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField
from referrals.choices import ReferralCause, TouchKind


class TouchQuerySet(Lockable["Touch"]):
    def standing(self) -> "TouchQuerySet":
        """Touches nobody has withdrawn."""
        return self.filter(withdrawn_at=None)


class Touch(models.Model):
    """A deal, a lead or an introduction. It is found by its reference, by its customer, or by the blind index of an e-mail address;
    a deal counts up to the end of the local day `ends_on`."""

    public_id = PublicIdField(prefix="tch")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="touches")
    kind = models.CharField(_("kind"), max_length=5, choices=TouchKind.choices)
    reference = models.CharField(_("reference"), max_length=60, blank=True)
    customer = models.ForeignKey(
        "referrals.Customer", models.PROTECT, null=True, blank=True, related_name="touches"
    )
    email_key = models.CharField(max_length=64, blank=True)
    touched_at = models.DateTimeField(_("happened"))
    ends_on = models.DateField(_("protected until"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    recorded_at = models.DateTimeField(_("recorded"))
    # Empty when a server told it with a key.
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_because = models.CharField(_("why it was withdrawn"), max_length=200, blank=True)

    objects = TouchQuerySet.as_manager()

    class Meta:
        verbose_name = _("touch")
        verbose_name_plural = _("touches")
        constraints = [
            one_of("kind", TouchKind, name="referrals_touch_kind"),
            models.UniqueConstraint(
                fields=["membership", "kind", "reference"],
                condition=~models.Q(reference="") & models.Q(withdrawn_at=None),
                name="referrals_touch_once_per_reference",
            ),
            models.CheckConstraint(
                condition=~models.Q(reference="")
                | models.Q(customer__isnull=False)
                | ~models.Q(email_key=""),
                name="referrals_touch_can_be_found",
            ),
            set_together("withdrawn_at", "withdrawn_by", name="referrals_touch_withdrawn_pair"),
        ]
        indexes = [
            models.Index(fields=["kind", "reference"], name="referrals_touch_reference"),
            models.Index(
                fields=["email_key"], condition=~models.Q(email_key=""), name="referrals_touch_email"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class ReferralQuerySet(Lockable["Referral"]):
    def open(self) -> "ReferralQuerySet":
        """Who owns customers now."""
        return self.filter(ended_at=None)


class Referral(models.Model):
    """A membership brought a customer: since when, and until when later purchases earn (`earns_until_at`, empty for as long as it is the
    owner). A transfer ends one and begins the next at the same instant."""

    public_id = PublicIdField(prefix="ref")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="referrals")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="referrals")
    customer = models.ForeignKey("referrals.Customer", models.PROTECT, related_name="referrals")
    conversion = models.ForeignKey(
        "referrals.Conversion", models.PROTECT, null=True, blank=True, related_name="+"
    )
    cause = models.CharField(_("how"), max_length=12, choices=ReferralCause.choices)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    since_at = models.DateTimeField(_("since"))
    earns_until_at = models.DateTimeField(_("earns until"), null=True, blank=True)
    recorded_at = models.DateTimeField(_("recorded"))
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = ReferralQuerySet.as_manager()

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        constraints = [
            one_of("cause", ReferralCause, name="referrals_referral_cause"),
            only_one_open("program", "customer", until="ended_at", name="referrals_referral_one_owner"),
            ends_after_start("since_at", "earns_until_at", name="referrals_referral_earns_after_start"),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(ended_at__gte=models.F("since_at")),
                name="referrals_referral_ends_after_start",
            ),
            models.CheckConstraint(
                condition=~models.Q(cause="transferred") | ~models.Q(reason=""),
                name="referrals_referral_transfer_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
