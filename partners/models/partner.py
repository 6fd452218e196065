"""A partner: an organisation or sole trader. It may hold memberships in several programs; money never hangs on it directly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners import keys
from partners.choices import LegalForm
from prm.accounts import policy
from prm.lib.constraints import one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField

if TYPE_CHECKING:
    from prm.accounts.models import User


class PartnerQuerySet(Lockable["Partner"]):
    def visible_to(self, user: User) -> PartnerQuerySet:
        """Partners whose pages `user` may see: staff with the capability see all, a team member sees the own ones."""
        if policy.may(user, "see_partners"):
            return self
        return self.filter(members__user=user, members__ended_at=None)


class Partner(models.Model):
    public_id = PublicIdField(prefix="ptn")
    name = models.CharField(_("name"), max_length=140)
    legal_name = models.CharField(_("legal name"), max_length=140, blank=True)
    legal_form = models.CharField(_("legal form"), max_length=16, choices=LegalForm.choices, blank=True)
    website = models.URLField(_("website"), max_length=300, blank=True)
    email = models.EmailField(_("contact e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    street = models.CharField(_("street"), max_length=70, blank=True)
    building_number = models.CharField(_("building number"), max_length=16, blank=True)
    postcode = models.CharField(_("postcode"), max_length=16, blank=True)
    town = models.CharField(_("town"), max_length=35, blank=True)
    region = models.CharField(_("state or region"), max_length=35, blank=True)
    country = models.CharField(_("country"), max_length=64, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=5, default="en", choices=settings.LANGUAGES)
    languages = models.JSONField(_("languages spoken"), default=list, blank=True)
    specialities = models.JSONField(_("specialities"), default=list, blank=True)
    account_manager = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="managed_partners"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged_partners"
    )
    merged_at = models.DateTimeField(null=True, blank=True)
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    erased_at = models.DateTimeField(null=True, blank=True)

    objects = PartnerQuerySet.as_manager()

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        constraints = [
            set_together("merged_into", "merged_at", "merged_by", name="partners_partner_merged_together"),
            models.CheckConstraint(
                condition=models.Q(merged_into=None) | ~models.Q(merged_into=models.F("pk")),
                name="partners_partner_not_merged_into_itself",
            ),
            one_of("legal_form", ["", *LegalForm.values], name="partners_partner_legal_form"),
        ]
        indexes = [
            models.Index(fields=["name"], name="partners_partner_name"),
            *(models.Index(keys.of_partner(name), name=f"partners_partner_{name}") for name in keys.KEYS),
        ]

    def __str__(self) -> str:
        return self.name
