"""The forms of “Why not me?”: what is asked about, and the question that follows. They read what was typed; the verbs decide."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from payouts import evidence


class InquiryForm(forms.Form):
    """One of three things to ask about."""

    use_required_attribute = False

    order = forms.CharField(
        label=_("Order number"),
        required=False,
        max_length=100,
        help_text=_("As your customer or the shop names it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    day = forms.DateField(
        label=_("Day"),
        required=False,
        help_text=_(
            "Every order of that day on whose way something of yours was, and your clicks that led to none."
        ),
        error_messages={"invalid": _("Enter a day, such as 2026-11-20.")},
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    email = forms.EmailField(
        label=_("Customer's e-mail address"),
        required=False,
        max_length=254,
        help_text=_("It is compared and not kept."),
        error_messages={"invalid": _("Enter an e-mail address like name@example.com.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class AskCreditForm(forms.Form):
    """What the partner expected."""

    text = forms.CharField(
        label=_("Your question"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What you expected, and why. What you read above goes with it."),
        error_messages={"required": _("Write what you expected, and why.")},
    )
    evidence = forms.FileField(
        label=_("A file that shows it"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": evidence.ACCEPTED}),
        help_text=_("PDF, PNG, JPEG, text or CSV, up to 10 MB."),
    )
