"""The form by which a team says where it wants to be called and for what. It reads what was typed; the verbs decide."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from payouts.choices import PostbackEvent


class EventsForm(forms.Form):
    """What is told."""

    use_required_attribute = False

    events = forms.MultipleChoiceField(
        label=_("Call us when"),
        choices=PostbackEvent.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one event.")},
    )


class PostbackForm(EventsForm):
    """Where, and what."""

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_(
            "An https address of your server. In its query, {click_id}, {sub1} to {sub5}, {order}, {amount}, {currency} and {event} are "
            "filled in."
        ),
        error_messages={"required": _("Enter the address.")},
        widget=forms.URLInput(attrs={"autocomplete": "off", "inputmode": "url"}),
    )
    field_order = ("url", "events")
