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
    is_active = models.BooleanField(_("on"), default=True)
    created_at = models.DateTimeField()

    objects = LinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")

    def __str__(self) -> str:
        return self.slug
