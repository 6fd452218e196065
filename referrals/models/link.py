"""A tracked link of a membership. Its destination comes from this row and from nowhere else."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField

slug_validator = RegexValidator(
    r"\A[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z",
    _("Use lower-case letters a to z, digits and hyphens, 1 to 40 of them."),
)


class LinkQuerySet(Lockable["Link"]):
    def active(self) -> LinkQuerySet:
        return self.filter(is_active=True)


class Link(models.Model):
    public_id = PublicIdField(prefix="lnk")
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="links")
    slug = models.CharField(_("short address"), max_length=40, unique=True, validators=[slug_validator])
    label = models.CharField(_("label"), max_length=80)
    destination_url = models.URLField(_("leads to"), max_length=500)
    campaign = models.CharField(_("campaign"), max_length=64, blank=True, help_text=_("Reports group by it."))
    # What is added to the destination's query: utm_source, utm_medium, utm_campaign, utm_term, utm_content.
    utm = models.JSONField(_("UTM parameters"), default=dict, blank=True)
    is_active = models.BooleanField(_("on"), default=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    replacement = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replaces", verbose_name=_("replaced by")
    )
    created_at = models.DateTimeField()

    objects = LinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(replacement=None) | ~models.Q(replacement=models.F("pk")),
                name="referrals_link_not_its_own_replacement",
            ),
        ]

    def __str__(self) -> str:
        return self.slug
