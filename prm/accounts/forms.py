"""The form an invited person opens an account with. The address is the invited one and cannot be another."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm
from allauth.core import context
from django import forms
from django.utils.translation import gettext_lazy as _

from prm.accounts import signup


class InvitedSignupForm(SignupForm):  # type: ignore[misc]
    """Sign-up with a name, for the invited address."""

    full_name = forms.CharField(
        label=_("Your name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ("full_name", "email", "password1", "password2")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        invited = signup.invited_email(context.request)
        if invited is not None:
            self.fields["email"].initial = invited
            self.fields["email"].widget.attrs["readonly"] = True

    def clean_email(self) -> str:
        """Refuse an address that was not invited."""
        email: str = super().clean_email()
        if not signup.is_invited(context.request, email):
            raise forms.ValidationError(_("This invitation is for another address."), code="not_invited")
        return email
