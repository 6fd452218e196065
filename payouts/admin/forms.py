"""Forms of the pages that move money. A form only asks; the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from payouts.choices import PaymentState
from tiers.models import LegalEntity, Program


class PrepareForm(forms.Form):
    """Whom to pay for, in what, and when."""

    legal_entity = forms.ModelChoiceField(
        label=_("Legal entity"), queryset=LegalEntity.objects.order_by("name"), empty_label=None
    )
    currency = forms.ChoiceField(label=_("Currency"))
    execute_on = forms.DateField(
        label=_("Payment date"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("The day the bank pays."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currency = self.fields["currency"]
        assert isinstance(currency, forms.ChoiceField)  # noqa: S101
        known = Program.objects.order_by("currency").values_list("currency", flat=True).distinct()
        currency.choices = [(code, code) for code in known]


class NoteForm(forms.Form):
    """What somebody found who looked at checks."""

    note = forms.CharField(
        label=_("What you found"), max_length=200, help_text=_("Whoever approves the run reads this.")
    )


class LeaveOutForm(forms.Form):
    """Why a payment is taken out of its run."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("It stays in the list of what was left out.")
    )


class SettleForm(forms.Form):
    """What the bank calls the payment of the batch."""

    reference = forms.CharField(
        label=_("Bank reference"), max_length=60, help_text=_("From the bank's statement of account.")
    )


class FailForm(forms.Form):
    """Why a payment came back."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("As the bank says it. The partner gets it by e-mail.")
    )
    # What the page showed: a payment that was booked as paid since then is looked at again first.
    seen = forms.ChoiceField(choices=PaymentState.choices, required=False, widget=forms.HiddenInput)


class CorrectionForm(forms.Form):
    """Why a statement is corrected."""

    reason = forms.CharField(
        label=_("What was wrong"), max_length=200, help_text=_("The partner reads it on both documents.")
    )
