"""Where applicants reach people: the kinds of channel, and the small fields that a channel and a reference are told in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.application_forms.fields import WholeNumberField
from partners.application_forms.validators import one_line, printable


class ChannelKind(models.TextChoices):
    WEBSITE = "website", _("Website or blog")
    NEWSLETTER = "newsletter", _("Newsletter")
    YOUTUBE = "youtube", "YouTube"
    INSTAGRAM = "instagram", "Instagram"
    TIKTOK = "tiktok", "TikTok"
    FACEBOOK = "facebook", "Facebook"
    LINKEDIN = "linkedin", "LinkedIn"
    X = "x", "X"
    TWITCH = "twitch", "Twitch"
    PODCAST = "podcast", _("Podcast")
    OTHER = "other", _("Another channel")


class WebAddressField(forms.URLField):
    """A web address: https is assumed, and nothing but http and https is taken."""

    default_validators = [URLValidator(schemes=("http", "https"))]  # as every field of Django has it

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{
                "max_length": 300,
                "assume_scheme": "https",
                "validators": [printable, one_line],
                "widget": forms.TextInput(attrs={"autocomplete": "url", "inputmode": "url"}),
                **kwargs,
            }
        )


def channel_parts() -> dict[str, forms.Field]:
    """Return the small fields of one channel."""
    unknown = _("Choose what kind of channel it is.")
    address = _("Enter the channel's address, such as www.example.com.")
    size = _("Enter about how many people follow it, such as 1200.")
    return {
        "kind": forms.ChoiceField(
            label=_("Kind"),
            choices=[("", _("Choose")), *ChannelKind.choices],
            error_messages={"required": unknown, "invalid_choice": unknown},
        ),
        "url": WebAddressField(
            label=_("Address"),
            error_messages={"required": address, "invalid": address},
            widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url"}),
        ),
        "audience": WholeNumberField(
            label=_("Followers, readers or visitors"),
            least=0,
            most=10**10,
            error_messages={"required": size, "number": size},
        ),
    }


def reference_parts() -> dict[str, forms.Field]:
    """Return the small fields of one reference."""
    return {
        "full_name": forms.CharField(
            label=_("Name"),
            max_length=120,
            validators=[printable, one_line],
            error_messages={"required": _("Enter the person's name.")},
            widget=_quiet(),
        ),
        "company": forms.CharField(
            label=_("Company"),
            max_length=140,
            required=False,
            validators=[printable, one_line],
            widget=_quiet(),
        ),
        "email": forms.EmailField(
            label=_("E-mail address"),
            max_length=254,
            error_messages={
                "required": _("Enter the person's e-mail address."),
                "invalid": _("Enter an e-mail address like name@example.com."),
            },
            widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        ),
        "relation": forms.CharField(
            label=_("How you know each other"),
            max_length=140,
            validators=[printable, one_line],
            error_messages={"required": _("Say how you know each other, such as “customer since 2022”.")},
            widget=_quiet(),
        ),
    }


def _quiet() -> forms.TextInput:
    # The browser would offer the applicant's own name.
    return forms.TextInput(attrs={"autocomplete": "off"})
