"""The form of a link, as partners and staff fill it in. It reads what was typed; whether a link may say it is decided by the verbs."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from prm.lib.periods import end_of_day_after, start_of_day
from referrals.link_facts import LONGEST_CAMPAIGN, LONGEST_UTM, UTM, Facts
from referrals.listed_rows import day_before_end
from referrals.models import Link

_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
_UTM_LABELS = {
    "utm_source": _("Source (utm_source)"),
    "utm_medium": _("Medium (utm_medium)"),
    "utm_campaign": _("Campaign (utm_campaign)"),
    "utm_term": _("Term (utm_term)"),
    "utm_content": _("Content (utm_content)"),
}


class LinkForm(forms.Form):
    """What a link says, without its short address."""

    use_required_attribute = False

    label = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("Only you see it, for example “Spring newsletter”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    destination_url = forms.URLField(
        label=_("Page it leads to"),
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=forms.URLInput(attrs=_PLAIN),
    )
    campaign = forms.CharField(
        label=_("Campaign"),
        required=False,
        max_length=LONGEST_CAMPAIGN,
        help_text=_("A word of your own. Reports show together what links of one campaign brought."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    expires_at = forms.DateField(
        label=_("Works until"),
        required=False,
        help_text=_("The whole day still counts. Empty: without end."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    utm_source = forms.CharField(label=_UTM_LABELS["utm_source"], required=False, max_length=LONGEST_UTM)
    utm_medium = forms.CharField(label=_UTM_LABELS["utm_medium"], required=False, max_length=LONGEST_UTM)
    utm_campaign = forms.CharField(label=_UTM_LABELS["utm_campaign"], required=False, max_length=LONGEST_UTM)
    utm_term = forms.CharField(label=_UTM_LABELS["utm_term"], required=False, max_length=LONGEST_UTM)
    utm_content = forms.CharField(label=_UTM_LABELS["utm_content"], required=False, max_length=LONGEST_UTM)

    @property
    def utm_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in UTM]

    @property
    def has_utm(self) -> bool:
        """Say whether the fields for UTM parameters should be open: something is in them, or wrong with them."""
        return any(field.value() or field.errors for field in self.utm_fields)

    def facts(self, zone: tzinfo) -> Facts:
        """Return what was asked for; days are those of `zone`."""
        given = self.cleaned_data
        last_on = given["expires_at"]
        return Facts(
            label=given["label"],
            destination_url=given["destination_url"],
            campaign=given["campaign"],
            utm={name: given[name] for name in UTM},
            expires_at=end_of_day_after(start_of_day(last_on, zone), 0, zone) if last_on else None,
        )


class NewLinkForm(LinkForm):
    """A new link, with its short address."""

    slug = forms.CharField(
        label=_("Short address"),
        required=False,
        max_length=40,
        help_text=_(
            "Lower-case letters, digits and hyphens. We make one up if you leave it empty. It cannot be changed later."
        ),
        widget=forms.TextInput(attrs=_PLAIN),
    )


def initial_of(link: Link, zone: tzinfo) -> dict[str, Any]:
    """Return what a link says, for its form."""
    return {
        "label": link.label,
        "destination_url": link.destination_url,
        "campaign": link.campaign,
        "expires_at": day_before_end(link.expires_at, zone),
        **link.utm,
    }
