"""A hit on a link: append only. Only a person's click counts; others are kept apart by kind. The visitor is a random first-party number;
the address is kept as a hash whose key changes every day, and is emptied on a schedule."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import one_of
from referrals.choices import ClickKind


class ClickQuerySet(models.QuerySet["Click"]):
    def of_people(self) -> "ClickQuerySet":
        """Clicks that count: somebody opened the link."""
        return self.filter(kind=ClickKind.PERSON)


class Click(models.Model):
    click_id = models.CharField(
        max_length=26, unique=True, help_text=_("Time-sorted id handed to the destination.")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=ClickKind.choices, default=ClickKind.PERSON)
    link = models.ForeignKey("referrals.Link", models.PROTECT, related_name="clicks")
    visitor = models.CharField(max_length=26, blank=True, db_index=True)
    clicked_at = models.DateTimeField(db_index=True)
    referrer_host = models.CharField(max_length=100, blank=True)
    sub_id = models.CharField(max_length=64, blank=True)
    sub2 = models.CharField(max_length=64, blank=True)
    sub3 = models.CharField(max_length=64, blank=True)
    sub4 = models.CharField(max_length=64, blank=True)
    sub5 = models.CharField(max_length=64, blank=True)
    campaign = models.CharField(_("campaign"), max_length=64, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    # The name of a parameter that a search engine adds to paid clicks, such as gclid.
    ad_parameter = models.CharField(max_length=16, blank=True)
    address_hash = models.CharField(max_length=32, blank=True)
    agent_hash = models.CharField(max_length=16, blank=True)

    objects = ClickQuerySet.as_manager()

    class Meta:
        verbose_name = _("click")
        verbose_name_plural = _("clicks")
        constraints = [one_of("kind", ClickKind, name="referrals_click_kind")]
        indexes = [
            models.Index(fields=["link", "clicked_at"], name="referrals_click_link_when"),
            # For signals of the last days, and to empty it afterwards.
            models.Index(
                fields=["address_hash", "clicked_at"],
                condition=~models.Q(address_hash=""),
                name="referrals_click_address",
            ),
        ]

    def __str__(self) -> str:
        return self.click_id
