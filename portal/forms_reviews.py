"""The form by which a partner answers about lines under review. It reads what was typed; the verb decides."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from payouts import evidence
from payouts.risk.common import LONGEST_TEXT


class AnswerForm(forms.Form):
    """The partner's side."""

    text = forms.CharField(
        label=gettext_lazy("Your answer"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("What explains it, in your words. Up to 4,000 characters."),
    )
    evidence = forms.FileField(
        label=gettext_lazy("A file that shows it"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": evidence.ACCEPTED}),
        help_text=gettext_lazy("PDF, PNG, JPEG, text or CSV, up to 10 MB."),
    )
