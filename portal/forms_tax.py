"""What a partner enters about its taxes. A form only asks; the verbs in payouts/tax decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from payouts import evidence
from payouts.choices import TaxFormKind, TaxStatus
from portal import countries
from portal.formats import active_locale
from prm.lib.countries import code_of

_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}
ADDRESS = ("street", "building_number", "postcode", "town")


class TaxProfileForm(forms.Form):
    """Where and as what the partner is taxed, and the address its invoices carry."""

    country_code = forms.ChoiceField(label=_("Country you are taxed in"))
    status = forms.ChoiceField(label=_("You are"), choices=TaxStatus.choices, widget=forms.RadioSelect)
    vat_number = forms.CharField(
        label=_("VAT number"),
        required=False,
        max_length=30,
        help_text=_("With the letters of the country in front, such as FR40303265045."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    registration_number = forms.CharField(
        label=_("Registration number"),
        required=False,
        max_length=30,
        help_text=_("Such as SIREN, KRS or company number."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    street = forms.CharField(
        label=_("Street"), max_length=70, widget=forms.TextInput(attrs={"autocomplete": "address-line1"})
    )
    building_number = forms.CharField(
        label=_("Building number"),
        required=False,
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    postcode = forms.CharField(
        label=_("Postcode"),
        required=False,
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )
    town = forms.CharField(
        label=_("Town"), max_length=35, widget=forms.TextInput(attrs={"autocomplete": "address-level2"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["country_code"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        named = [(code_of(english), own) for english, own in countries.choices(active_locale())]
        field.choices = [("", "–"), *named]

    def address(self) -> dict[str, str]:
        """Return the parts of the address as the verb takes them, the country by its English name."""
        country = countries.name(self.cleaned_data["country_code"], "en")
        return {name: self.cleaned_data[name] for name in ADDRESS} | {"country": country}


class TaxDocumentForm(forms.Form):
    """A tax form that was filled in and signed."""

    kind = forms.ChoiceField(label=_("Form"), choices=TaxFormKind.choices)
    signed_on = forms.DateField(
        label=_("Signed on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    expires_on = forms.DateField(
        label=_("Valid until"),
        required=False,
        help_text=_("For a certificate of residence. A W-8 ends by itself, a W-9 does not end."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    tax_number = forms.CharField(
        label=_("Tax number on the form"),
        required=False,
        max_length=40,
        help_text=_("Stored encrypted; only the last four characters are shown from then on."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    document = forms.FileField(
        label=_("The signed form"),
        required=False,
        help_text=_("PDF or picture, up to 10 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": evidence.ACCEPTED}),
    )


class AgreementForm(forms.Form):
    """A person agrees to what was shown."""

    version = forms.CharField(max_length=40, widget=forms.HiddenInput)
    agreed = forms.BooleanField(
        label=_("We agree that our invoices are written for us as described"),
        error_messages={"required": _("Tick the box if you agree.")},
    )
