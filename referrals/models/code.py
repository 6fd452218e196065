"""A partner's promo code. Stored folded to capitals, unique over all programs and for ever, so that a code names one membership."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import ends_after_start
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField

code_validator = RegexValidator(
    r"\A[A-Z0-9](?:[A-Z0-9-]{0,38}[A-Z0-9])?\Z",
    _("Use capital letters A to Z, digits and hyphens, 1 to 40 of them."),
)


def fold(text: str) -> str:
    """Return `text` as codes are stored and compared: without surrounding blanks, in capitals."""
    return text.strip().upper()


class CodeQuerySet(Lockable["Code"]):
    def active(self) -> CodeQuerySet:
        return self.filter(is_active=True)


class Code(models.Model):
    public_id = PublicIdField(prefix="cod")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="codes")
    code = models.CharField(_("code"), max_length=40, unique=True, validators=[code_validator])
    is_active = models.BooleanField(_("on"), default=True)
    # What the buyer saves, for the shop: a percentage or an amount in the program's currency, or neither.
    discount_percent = models.DecimalField(
        _("discount, percent"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    discount_minor = models.BigIntegerField(_("discount, in minor units"), null=True, blank=True)
    use_limit = models.PositiveIntegerField(
        _("uses at most"), null=True, blank=True, help_text=_("Empty: without limit.")
    )
    # Counted only while there is a limit, in the transaction that credits by it.
    uses = models.PositiveIntegerField(_("uses counted"), default=0, editable=False)
    starts_at = models.DateTimeField(_("valid from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("valid until"), null=True, blank=True)
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()

    objects = CodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("code")
        verbose_name_plural = _("codes")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(discount_percent=None)
                | models.Q(discount_percent__gt=0, discount_percent__lte=100),
                name="referrals_code_percent_0_to_100",
            ),
            models.CheckConstraint(
                condition=models.Q(discount_minor=None) | models.Q(discount_minor__gt=0),
                name="referrals_code_discount_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(discount_percent=None) | models.Q(discount_minor=None),
                name="referrals_code_one_discount",
            ),
            models.CheckConstraint(
                condition=models.Q(use_limit=None) | models.Q(uses__lte=models.F("use_limit")),
                name="referrals_code_within_limit",
            ),
            models.CheckConstraint(
                condition=models.Q(retired_at=None) | models.Q(is_active=False),
                name="referrals_code_retired_is_off",
            ),
            ends_after_start("starts_at", "ends_at", name="referrals_code_ends_after_start"),
        ]

    def __str__(self) -> str:
        return self.code
