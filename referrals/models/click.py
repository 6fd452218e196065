"""A click on a link: append only, one row a hit that counts. The visitor is a random first-party number, no address is kept."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Click(models.Model):
    click_id = models.CharField(
        max_length=26, unique=True, help_text=_("Time-sorted id handed to the destination.")
    )
    link = models.ForeignKey("referrals.Link", models.PROTECT, related_name="clicks")
    visitor = models.CharField(max_length=26, db_index=True)
    clicked_at = models.DateTimeField(db_index=True)
    referrer_host = models.CharField(max_length=100, blank=True)
    sub_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("click")
        verbose_name_plural = _("clicks")

    def __str__(self) -> str:
        return self.click_id
