"""An end buyer as the operator's shop knows it. Partners only ever see the masked name."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.fields import PublicIdField


class Customer(models.Model):
    public_id = PublicIdField(prefix="cus")
    source = models.CharField(_("source"), max_length=40)
    external_id = models.CharField(_("id at the source"), max_length=100)
    country = models.CharField(_("country"), max_length=64, blank=True)
    # Blind indexes (`referrals.identity`): equal for equal values, and nobody can read the value from them.
    email_key = models.CharField(max_length=64, blank=True)
    mailbox_key = models.CharField(max_length=64, blank=True)
    domain_key = models.CharField(max_length=64, blank=True)
    vat_key = models.CharField(max_length=64, blank=True)
    has_disposable_mail = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], name="referrals_customer_once_per_source"
            )
        ]
        indexes = [
            models.Index(
                fields=["email_key"], condition=~models.Q(email_key=""), name="referrals_customer_email"
            ),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def masked(self) -> str:
        """The id with all but its last three characters hidden, as partners see it."""
        return "•••" + self.external_id[-3:]
