"""How a program's links behave, the doors conversions come in by besides the API, what was learned of files, and what keeps the daily
figures true. A program without settings of its own has the defaults below."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import one_of
from prm.lib.fields import EncryptedTextField, PublicIdField
from referrals.choices import InletKind


class TrackingSettings(models.Model):
    program = models.OneToOneField("tiers.Program", models.PROTECT, related_name="tracking")
    link_host = models.CharField(
        _("own domain of links"),
        max_length=100,
        blank=True,
        help_text=_("One of the domains this installation serves links at. Empty: its own address."),
    )
    sets_cookie = models.BooleanField(
        _("remembers visitors in a cookie"),
        default=True,
        help_text=_("Off: credit rests on the click id in the address, on codes, leads and deals."),
    )
    counts_views = models.BooleanField(_("counts views of banners"), default=False)
    forbids_paid_search = models.BooleanField(_("forbids paid search"), default=False)
    shows_customers = models.BooleanField(_("partners see who their customers are"), default=False)

    class Meta:
        verbose_name = _("tracking settings")
        verbose_name_plural = _("tracking settings")

    def __str__(self) -> str:
        return str(self.program_id)


class AddressKey(models.Model):
    """The key addresses of one UTC day were hashed with. When it is deleted, what was hashed with it says nothing any more."""

    used_on = models.DateField(unique=True)
    secret = EncryptedTextField()

    class Meta:
        verbose_name = _("key of a day")
        verbose_name_plural = _("keys of days")

    def __str__(self) -> str:
        return str(self.used_on)


class Inlet(models.Model):
    """A door for conversions that need no API key: an address a server calls with a signature, or a pixel of a page."""

    public_id = PublicIdField(prefix="inl")
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=8, choices=InletKind.choices)
    source = models.CharField(_("source"), max_length=40)
    kinds = models.JSONField(_("events it may tell"), default=list)
    secret = EncryptedTextField(blank=True)
    previous_secret = EncryptedTextField(blank=True)
    previous_ends_at = models.DateTimeField(null=True, blank=True)
    needs_time = models.BooleanField(
        _("asks for the time"),
        default=False,
        help_text=_("A call must say when it was signed, and is refused after five minutes."),
    )
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("inlet")
        verbose_name_plural = _("inlets")
        constraints = [one_of("kind", InletKind, name="referrals_inlet_kind")]

    def __str__(self) -> str:
        return self.name


class ImportMapping(models.Model):
    """Which column of a shop's file means what, remembered by the file's header."""

    public_id = PublicIdField(prefix="map")
    source = models.CharField(_("source"), max_length=40)
    header_sha256 = models.CharField(max_length=64)
    mapping = models.JSONField(_("columns"), default=dict)
    changed_at = models.DateTimeField(_("changed"))
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("mapping of a file")
        verbose_name_plural = _("mappings of files")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "header_sha256"], name="referrals_importmapping_once_per_header"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.header_sha256[:8]}"


class RollupMark(models.Model):
    """Something a daily figure is made of has changed: written in the transaction that changed it, taken away by the one that has
    counted again. Without a program it is about conversions nobody is credited for, by UTC days."""

    program = models.ForeignKey("tiers.Program", models.CASCADE, null=True, blank=True, related_name="+")
    happened_on = models.DateField(_("day"))

    class Meta:
        verbose_name = _("mark of a day")
        verbose_name_plural = _("marks of days")

    def __str__(self) -> str:
        return f"{self.program_id} {self.happened_on}"
