"""The forms of the application journey. Every error says what is wrong and how to put it right, beside its field and in the summary."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from partners.application_forms.validators import one_line as one_line
from partners.application_forms.validators import phone_number as phone_number
from partners.application_forms.validators import printable as printable
from partners.applications import Answers
from portal import countries
from portal.formats import active_locale

SHORTEST_TEXT = 20


class ApplyForm(forms.Form):
    """What an applicant tells us; the order is the order on the page."""

    use_required_attribute = False  # the server answers with all errors at once, in the reader's language

    full_name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        validators=[printable, one_line],
        error_messages={"required": _("Enter your name.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("We send the decision here."),
        error_messages={
            "required": _("Enter your e-mail address."),
            "invalid": _("Enter an e-mail address like name@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=40,
        help_text=_("With the country code. We call only when something about your application is unclear."),
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
    website = forms.URLField(
        label=_("Website or channel"),
        max_length=300,
        required=False,
        assume_scheme="https",
        validators=[printable, one_line],
        error_messages={"invalid": _("Enter a web address like www.example.com.")},
        widget=forms.TextInput(attrs={"autocomplete": "url", "inputmode": "url"}),
    )
    audience = forms.CharField(
        label=_("Audience"),
        max_length=300,
        required=False,
        help_text=_("Who reads, watches or buys from you, and how many they are."),
        validators=[printable, one_line],
    )
    how_promote = forms.CharField(
        label=_("How will you promote us?"),
        max_length=4000,
        min_length=SHORTEST_TEXT,
        help_text=_("Two or three sentences are enough."),
        validators=[printable],
        error_messages={
            "required": _("Say how you will promote us."),
            "min_length": _(
                "Say a little more about how you will promote us: at least %(limit_value)d letters."
            ),
        },
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    # People do not see it; programs that fill in every field do.
    leave_empty = forms.CharField(
        label=_("Leave this field empty"),
        required=False,
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )

    about_you = ("full_name", "email", "phone", "company", "country")
    about_audience = ("website", "audience", "how_promote")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        country = cast(forms.ChoiceField, self.fields["country"])
        country.choices = [("", _("Choose a country")), *countries.choices(active_locale())]

    def answers(self) -> Answers:
        """Return what was said, as the verb wants it."""
        return Answers.read({**self.cleaned_data, "language": get_language() or "en"})

    @property
    def is_trap_sprung(self) -> bool:
        """Tell whether something that is no person filled in the form."""
        return bool(self.data.get("leave_empty", ""))


class AcceptForm(forms.Form):
    """The last page: the terms that were shown, and the tick that accepts them."""

    use_required_attribute = False

    accept = forms.BooleanField(
        label=_("I have read the terms and accept them"),
        error_messages={"required": _("Read the terms and tick the box to accept them.")},
    )
    terms = forms.CharField(max_length=40, widget=forms.HiddenInput)
    draft = forms.CharField(max_length=20000, widget=forms.HiddenInput, required=False)


class ReplyForm(forms.Form):
    """An applicant's answer to a question of ours."""

    use_required_attribute = False

    text = forms.CharField(
        label=_("Your message"),
        max_length=4000,
        validators=[printable],
        error_messages={"required": _("Write a message first.")},
        widget=forms.Textarea(attrs={"rows": 5}),
    )
