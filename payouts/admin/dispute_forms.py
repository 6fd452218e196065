"""Forms of the pages about questions. A form only reads what was typed; the verbs decide."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from payouts import evidence
from prm.lib.money import BadAmount, Money


class AnswerForm(forms.Form):
    """An answer, or what the partner has to say first."""

    text = forms.CharField(
        label=_("Answer"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("The partner reads this."),
    )
    waits_for_partner = forms.BooleanField(
        label=_("We need something from the partner first"), required=False
    )
    evidence = forms.FileField(
        label=_("File"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": evidence.ACCEPTED}),
        help_text=_("PDF, PNG, JPEG, text or CSV, up to 10 MB. The partner can take it."),
    )


class ReasonForm(forms.Form):
    """Why nothing changes, or why a question is open again."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The partner reads this."),
    )


class AcceptForm(forms.Form):
    """How much follows from a question that was right, and what the partner reads."""

    amount = forms.CharField(
        label=_("Correction"),
        max_length=20,
        help_text=_("Such as 12.50; with a minus it takes. Zero accepts without money."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The partner reads this, on the statement its first 200 characters."),
    )

    def __init__(self, *args: Any, currency: str, may_pay: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        if not may_pay:
            self.fields["amount"].widget = forms.HiddenInput()
            self.fields["amount"].required = False

    def clean_amount(self) -> Money:
        """Return the amount in the currency of the line."""
        try:
            return Money.parse(self.cleaned_data["amount"].strip() or "0", self.currency)
        except BadAmount as fault:
            raise forms.ValidationError(
                _("Write an amount in %(currency)s, such as 12.50."), params={"currency": self.currency}
            ) from fault


class CreditForm(forms.Form):
    """How much of an order is credited to the partner that asked."""

    order = forms.CharField(
        label=_("Order number"),
        max_length=100,
        help_text=_("The number under which the shop has told it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    share = forms.DecimalField(
        label=_("Share of the partner that asked, in percent"),
        min_value=Decimal("0.0001"),
        max_value=100,
        max_digits=7,
        decimal_places=4,
        help_text=_("Who is credited now keeps the proportions in what is left."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The partner reads this. Name no other partner."),
    )

    def __init__(self, *args: Any, is_known: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_known:
            del self.fields["order"]

    def clean_share(self) -> Decimal:
        """Return the share as a fraction of one."""
        return Decimal(self.cleaned_data["share"]) / 100


class SpanForm(forms.Form):
    """Which questions are counted: those asked from one day to another, both included."""

    first = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=_("To"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        """Refuse a span that ends before it begins."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if isinstance(first, date) and isinstance(last, date) and last < first:
            self.add_error("last", _("The last day must not be before the first."))
        return cleaned
