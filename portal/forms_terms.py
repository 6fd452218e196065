"""The forms of the pages about terms. They read what was typed; whether it may be done is decided by the verbs they lead to."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.amendments import LONGEST_NOTE
from partners.choices import TermsSection
from partners.clause_questions import LONGEST_QUESTION


class AgreeForm(forms.Form):
    """Yes to the text that was shown."""

    accept = forms.BooleanField(
        label=_("I have read these terms and accept them for the partner"),
        error_messages={"required": _("Tick the box to accept the terms.")},
    )
    shown = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)


class ClauseForm(forms.Form):
    """A question about one section."""

    section = forms.ChoiceField(label=_("Section"), choices=TermsSection.choices)
    text = forms.CharField(
        label=_("Your question"),
        max_length=LONGEST_QUESTION,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The answer comes by e-mail and stays here for your team."),
    )


class DeclineAmendmentForm(forms.Form):
    """Why an amendment is declined."""

    note = forms.CharField(
        label=_("Why?"),
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Whoever proposed it reads this."),
    )
