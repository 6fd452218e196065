"""A partner's promo code. Stored folded to capitals, unique over all programs, so that a code names one membership."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

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
    created_at = models.DateTimeField()

    objects = CodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("code")
        verbose_name_plural = _("codes")

    def __str__(self) -> str:
        return self.code
