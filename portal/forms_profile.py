"""The form of a partner's profile. It only asks; what is wrong is said by the verb, all of it at once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from partners import profiles
from partners.choices import LegalForm
from portal import countries
from portal.formats import active_locale

if TYPE_CHECKING:
    from partners.models import Partner

OPTIONAL = frozenset(profiles.FIELDS) - {"name", "language"}


def _text(label: Any, longest: int, *, autocomplete: str = "off", **more: Any) -> forms.CharField:
    widget = more.pop("widget", None) or forms.TextInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=longest, required=False, widget=widget, **more)


class ProfileForm(forms.Form):
    """Who the partner is."""

    name = _text(_("Name partners and customers know"), 140, autocomplete="organization")
    legal_name = _text(_("Legal name"), 140, help_text=_("As it stands in the register or on invoices."))
    legal_form = forms.ChoiceField(
        label=_("Legal form"), required=False, choices=[("", "–"), *LegalForm.choices]
    )
    street = _text(_("Street"), 70, autocomplete="address-line1")
    building_number = _text(_("Building number"), 16)
    postcode = _text(_("Postcode"), 16, autocomplete="postal-code")
    town = _text(_("Town"), 35, autocomplete="address-level2")
    region = _text(_("State or region"), 35, autocomplete="address-level1")
    country = forms.ChoiceField(
        label=_("Country"), required=False, widget=forms.Select(attrs={"autocomplete": "country-name"})
    )
    vat_number = _text(
        _("VAT number"), 30, help_text=_("With the letters of the country in front, such as FR40303265045.")
    )
    website = _text(_("Website"), 300, autocomplete="url")
    email = _text(
        _("Contact e-mail"),
        254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )
    phone = _text(_("Phone"), 40, widget=forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}))
    language = forms.ChoiceField(
        label=_("Language we write to you in"), required=False, choices=settings.LANGUAGES
    )
    languages = _text(
        _("Languages you speak"),
        600,
        help_text=_("Separated by commas, such as English, Deutsch, Polish."),
    )
    specialities = _text(
        _("What you are good at"),
        600,
        help_text=_("Up to 12 words or short phrases, separated by commas."),
    )

    def __init__(self, *args: Any, partner: Partner, at: datetime, **kwargs: Any) -> None:
        self.partner, self.at = partner, at
        first = {name: getattr(partner, name) for name in profiles.FIELDS}
        for name in ("languages", "specialities"):
            first[name] = profiles.text_of(name, first[name])
        super().__init__(*args, **{**kwargs, "initial": first})
        self.kept_elsewhere = profiles.kept_elsewhere(partner, at=at)
        for name in self.kept_elsewhere:
            del self.fields[name]
        field = self.fields["country"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        named = list(countries.choices(active_locale()))
        known = {english for english, _own in named}
        here = [] if partner.country in known or not partner.country else [(partner.country, partner.country)]
        field.choices = [("", "–"), *here, *named]

    def clean(self) -> dict[str, Any]:
        """Say everything that is wrong at once."""
        cleaned = super().clean() or {}
        _values, problems = profiles.look_at(self.partner, cleaned, at=self.at)
        for name, refusal in problems.items():
            self.add_error(name if name in self.fields else None, str(refusal))
        return cleaned
