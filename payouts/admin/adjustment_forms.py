"""The form that puts an adjustment forward, and the one that decides on it. A form only asks; the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from payouts.choices import AdjustmentKind, AdjustmentReason
from payouts.evidence import ACCEPTED
from prm.lib.forms import MoneyField
from prm.lib.ids import is_public_id, public_id


class AdjustmentForm(forms.Form):
    """What is added or taken, why, and what the partner reads. The file is asked for when it is looked at: a browser forgets one."""

    kind = forms.ChoiceField(label=_("What it is"), choices=AdjustmentKind.choices)
    amount = MoneyField(
        label=_("Amount"), is_signed=True, help_text=_("With a minus it takes from the balance.")
    )
    reason = forms.ChoiceField(label=_("Reason"), choices=AdjustmentReason.choices)
    note = forms.CharField(
        label=_("What the partner reads"),
        max_length=200,
        help_text=_("On the statement, in the portal and in the e-mail."),
    )
    internal_note = forms.CharField(
        label=_("For your colleagues"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The partner does not see it."),
    )
    is_taxable = forms.BooleanField(label=_("Part of the self-billed invoice"), required=False, initial=True)
    evidence = forms.FileField(
        label=_("Evidence"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=_("PDF, PNG, JPEG, text or CSV, up to 10 MB. Marketing costs need one."),
    )

    # Names what is put forward, so that two clicks on one page put it forward once.
    once = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, currency: str, with_file: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        amount = self.fields["amount"]
        assert isinstance(amount, MoneyField)  # noqa: S101
        amount.currency = currency
        amount.label = _("Amount, %(currency)s") % {"currency": currency}
        self.fields["once"].initial = public_id("adj")
        if not with_file:
            del self.fields["evidence"]

    def clean_once(self) -> str:
        """Return the name the page gave, nothing when it is none of ours."""
        given = str(self.cleaned_data["once"])
        return given if is_public_id(given, "adj") else ""


class DecisionForm(forms.Form):
    """A word on the decision."""

    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, help_text=_("For your colleagues.")
    )


class RefusalForm(forms.Form):
    """Why a proposal comes to nothing."""

    note = forms.CharField(label=_("Why"), max_length=200, help_text=_("For who proposed it."))
