"""The forms on the page of an invitation into a program. They read what was typed; the verbs decide."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from partners.application_forms.validators import one_line, phone_number, printable
from partners.invitation_answers import Reply
from partners.models import ProgramInvitation
from portal import countries
from portal.formats import active_locale


class AcceptInvitationForm(forms.Form):
    """Who joins. The mailbox is the invited one, so it is not asked for."""

    use_required_attribute = False  # the server answers with all errors at once, in the reader's language

    full_name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        validators=[printable, one_line],
        error_messages={"required": _("Enter your name.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=40,
        help_text=_("With the country code."),
        validators=[printable, phone_number],
        error_messages={"required": _("Enter a phone number.")},
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    company = forms.CharField(
        label=_("Company or creator name"),
        max_length=140,
        validators=[printable, one_line],
        error_messages={"required": _("Enter the name of your company, or the name you publish under.")},
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    country = forms.ChoiceField(
        label=_("Country"),
        error_messages={
            "required": _("Choose the country you work from."),
            "invalid_choice": _("Choose the country you work from."),
        },
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )
    accept = forms.BooleanField(
        label=_("I have read the terms and accept them"),
        error_messages={"required": _("Read the terms and tick the box to accept them.")},
    )
    terms = forms.CharField(max_length=40, widget=forms.HiddenInput, required=False)
    shown = forms.CharField(max_length=64, widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, invitation: ProgramInvitation, **kwargs: Any) -> None:
        initial = {"full_name": invitation.full_name, "company": invitation.company}
        if invitation.prospect is not None:
            initial |= {"phone": invitation.prospect.phone, "country": invitation.prospect.country}
        kwargs["initial"] = initial | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        country = cast(forms.ChoiceField, self.fields["country"])
        country.choices = [("", _("Choose a country")), *countries.choices(active_locale())]
        if invitation.addendum.strip():
            self.fields["accept"].label = _("I have read the terms and the addendum, and accept both")

    def reply(self) -> Reply:
        """Return what was said, as the verb wants it."""
        names = ("full_name", "phone", "company", "country")
        said = {name: self.cleaned_data[name] for name in names}
        return Reply(language=(get_language() or "en").split("-")[0], **said)


class CounterForm(forms.Form):
    """What somebody would rather have."""

    use_required_attribute = False

    text = forms.CharField(
        label=_("What would you rather have?"),
        max_length=4000,
        help_text=_("We read it and answer with another proposal, or say why not."),
        validators=[printable],
        error_messages={"required": _("Write what you would rather have.")},
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class DeclineInvitationForm(forms.Form):
    """Why not, for whoever wants to say so."""

    use_required_attribute = False

    reason = forms.CharField(
        label=_("Why not?"),
        required=False,
        max_length=2000,
        validators=[printable],
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class FreshLinkForm(forms.Form):
    """The mailbox that was invited."""

    use_required_attribute = False

    email = forms.EmailField(
        label=_("The e-mail address that was invited"),
        max_length=254,
        error_messages={
            "required": _("Enter your e-mail address."),
            "invalid": _("Enter an e-mail address like name@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
