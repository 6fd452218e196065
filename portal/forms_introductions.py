"""The forms by which partners introduce somebody, and ask to be introduced. They read what was typed; the verbs decide."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.application_forms.validators import one_line, printable
from partners.prospects import Introduced, NotAgreed


class IntroduceForm(forms.Form):
    """Somebody the partner knows."""

    use_required_attribute = False

    full_name = forms.CharField(
        label=_("Their name"),
        max_length=120,
        validators=[printable, one_line],
        error_messages={"required": _("Enter the person's name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    company = forms.CharField(
        label=_("Company or creator name"),
        max_length=140,
        required=False,
        validators=[printable, one_line],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=_("Their e-mail address"),
        max_length=254,
        error_messages={
            "required": _("Enter the person's e-mail address."),
            "invalid": _("Enter an e-mail address like name@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    why = forms.CharField(
        label=_("Why they would be a good partner"),
        max_length=2000,
        validators=[printable],
        error_messages={"required": _("Say why they would be a good partner.")},
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    agreed = forms.BooleanField(
        label=_("I have asked this person, and they agreed that you write to them"),
        error_messages={"required": NotAgreed.message},
    )

    def introduced(self) -> Introduced:
        """Return what was said, as the verb wants it."""
        return Introduced(**self.cleaned_data)


class WishForm(forms.Form):
    """Whom the partner would like to meet."""

    use_required_attribute = False

    text = forms.CharField(
        label=_("I would like to meet partners who …"),
        max_length=2000,
        validators=[printable],
        help_text=_("For example: who run workshops in Lyon, or sell to gardeners."),
        error_messages={"required": _("Say whom you would like to meet.")},
        widget=forms.Textarea(attrs={"rows": 4}),
    )
