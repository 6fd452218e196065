"""The forms of questions about a line. They read what was typed; whether it may be asked is decided by the verbs they lead to."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from payouts import evidence
from payouts.choices import DisputeCause


class AskForm(forms.Form):
    """What is wrong with a line."""

    cause = forms.ChoiceField(
        label=gettext_lazy("What is wrong?"), choices=DisputeCause.choices, widget=forms.RadioSelect
    )
    text = forms.CharField(
        label=gettext_lazy("Your question"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("What you expected, and why. Up to 4,000 characters."),
    )
    evidence = forms.FileField(
        label=gettext_lazy("A file that shows it"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": evidence.ACCEPTED}),
        help_text=gettext_lazy("PDF, PNG, JPEG, text or CSV, up to 10 MB."),
    )


class ReplyForm(forms.Form):
    """What the partner writes back."""

    text = forms.CharField(
        label=gettext_lazy("Write back"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )
    evidence = forms.FileField(
        label=gettext_lazy("A file that shows it"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": evidence.ACCEPTED}),
        help_text=gettext_lazy("PDF, PNG, JPEG, text or CSV, up to 10 MB."),
    )
