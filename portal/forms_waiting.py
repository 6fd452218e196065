"""The form that keeps a mailbox until a program opens. Like the application it has a field people do not see and programs fill in."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class WaitingForm(forms.Form):
    """One address, for one mail."""

    use_required_attribute = False  # the server answers in the reader's language

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("We write once, when applications open, and then delete the address."),
        error_messages={
            "required": _("Enter your e-mail address."),
            "invalid": _("Enter an e-mail address like name@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    leave_empty = forms.CharField(
        label=_("Leave this field empty"),
        required=False,
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )

    @property
    def is_trap_sprung(self) -> bool:
        """Tell whether something that is no person filled in the form."""
        return bool(self.data.get("leave_empty", ""))
