"""The details of a partner as staff edits them. The verb decides what is right; the form says all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners import profiles
from partners.models import Partner

if TYPE_CHECKING:
    PartnerModelForm = forms.ModelForm[Partner]
else:
    PartnerModelForm = forms.ModelForm


class PartnerForm(PartnerModelForm):
    """Names, address, languages and who looks after the partner."""

    languages = forms.CharField(
        label=_("Languages spoken"),
        required=False,
        max_length=600,
        help_text=_("Separated by commas, such as English, Deutsch, Polish."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    specialities = forms.CharField(
        label=_("Specialities"),
        required=False,
        max_length=600,
        help_text=_("Up to 12 words or short phrases, separated by commas."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    class Meta:
        model = Partner
        fields = (*profiles.FIELDS, "account_manager")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("languages", "specialities"):
            self.initial[name] = profiles.text_of(name, getattr(self.instance, name))

    def clean(self) -> dict[str, Any]:
        """Say everything that is wrong at once."""
        cleaned = super().clean() or {}
        if self.instance.pk is None:
            return cleaned
        given = {name: cleaned[name] for name in profiles.FIELDS if name in cleaned}
        stored = Partner.objects.get(pk=self.instance.pk)
        _values, problems = profiles.look_at(stored, given, at=timezone.now())
        for name, refusal in problems.items():
            self.add_error(name if name in self.fields else None, str(refusal))
        return cleaned

    def _post_clean(self) -> None:
        """Leave the row alone: the verb writes it."""
