"""The forms of leaving a program and of asking for one's data. What was typed to confirm is compared here; whether it may be done is decided
by the verbs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class LeaveForm(forms.Form):
    """From when on, and the program's name as a confirmation."""

    on = forms.DateField(
        label=_("Leave as this day begins"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Leave it empty to leave now."),
    )
    confirmation = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, program_name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.program_name = program_name
        self.fields["confirmation"].label = _("Type “%(name)s” to confirm") % {"name": program_name}

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"])
        if " ".join(typed.split()).casefold() != " ".join(self.program_name.split()).casefold():
            raise forms.ValidationError(
                _("Type the name as it stands here: %(name)s"), params={"name": self.program_name}
            )
        return typed
