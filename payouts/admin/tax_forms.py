"""Forms of the pages about taxes. A form only asks; the verbs in payouts/tax decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from payouts import evidence
from payouts.choices import TaxFormKind, TaxStatus, VatMode
from payouts.tax.profiles import TaxFacts
from prm.accounts.back_office import locale
from prm.lib import countries, l10n

_DAY = {"type": "date"}


def _day(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    widget = forms.DateInput(attrs=_DAY, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, widget=widget, help_text=help_text)


class ProfileForm(forms.Form):
    """A partner's tax details, and what only staff may choose."""

    country_code = forms.ChoiceField(label=_("Country"))
    status = forms.ChoiceField(label=_("Status"), choices=TaxStatus.choices)
    vat_number = forms.CharField(label=_("VAT number"), required=False, max_length=30)
    registration_number = forms.CharField(label=_("Registration number"), required=False, max_length=30)
    mode = forms.ChoiceField(
        label=_("VAT"),
        required=False,
        choices=[("", _("As it follows from countries and status")), *VatMode.choices],
    )
    rate = forms.DecimalField(
        label=_("VAT rate, percent"),
        required=False,
        max_digits=5,
        decimal_places=2,
        help_text=_("Only with domestic VAT chosen above."),
    )
    exemption_reason = forms.CharField(
        label=_("Reason no VAT is charged"),
        required=False,
        max_length=200,
        help_text=_("Printed on the invoice. Left empty, it is worded by the country's law."),
    )
    needs_form = forms.BooleanField(label=_("Paid only with a valid tax form"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["country_code"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        names = l10n.locale_of(locale()).territories
        named = [(str(code), str(name)) for code, name in names.items() if countries.is_code(str(code))]
        named.sort(key=lambda pair: pair[1])
        field.choices = named

    def facts(self) -> TaxFacts:
        """Return what was entered."""
        return TaxFacts(**self.cleaned_data)


class WithholdingForm(forms.Form):
    """What is withheld from a partner's payments."""

    rate = forms.DecimalField(label=_("Percent of the payment"), max_digits=5, decimal_places=2)
    basis = forms.CharField(
        label=_("What it rests on"), max_length=200, help_text=_("The law, treaty or certificate.")
    )
    starts_on = _day(_("For payments from"))


class EndForm(forms.Form):
    """When something is withheld no longer."""

    ends_on = _day(_("For payments before"), help_text=_("Nothing is withheld from this day on."))


class ReceiveForm(forms.Form):
    """A tax form that came by another way than the portal."""

    kind = forms.ChoiceField(label=_("Form"), choices=TaxFormKind.choices)
    signed_on = _day(_("Signed on"))
    expires_on = _day(
        _("Valid until"),
        required=False,
        help_text=_("For a certificate of residence. A W-8 ends by itself, a W-9 does not end."),
    )
    tax_number = forms.CharField(
        label=_("Tax number on the form"),
        required=False,
        max_length=40,
        help_text=_("Stored encrypted; only the last four characters are shown."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    document = forms.FileField(
        label=_("The signed form"),
        required=False,
        help_text=_("PDF or picture, up to 10 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": evidence.ACCEPTED}),
    )
