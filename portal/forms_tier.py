"""The form of an appeal against a fall. Whether it may be made is decided by the verb."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.application_forms.validators import printable
from partners.tier_reviews.appeals import LONGEST


class AppealForm(forms.Form):
    """Why the partner thinks the review is wrong."""

    text = forms.CharField(
        label=_("What do we see wrongly?"),
        max_length=LONGEST,
        validators=[printable],
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_(
            "Name the orders, people or activities that are missing. Somebody who can decide reads it."
        ),
    )
