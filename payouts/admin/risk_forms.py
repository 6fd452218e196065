"""Forms of the pages about risk. A form only reads what was typed; the verbs decide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from payouts import evidence
from payouts.choices import RiskKind, RiskSanction
from payouts.models import RiskSignal
from payouts.risk.common import LONGEST_OUTCOME, LONGEST_REASON, LONGEST_TEXT
from payouts.risk.thresholds import FIGURES, ON, Thresholds
from payouts.risk.words import evidence_of
from referrals.models import Conversion

DAY = forms.DateInput(attrs={"type": "date"})


class SignalsField(forms.ModelMultipleChoiceField):
    """Signals to choose from, each with what was seen."""

    def label_from_instance(self, obj: Any) -> str:
        """Return kind and evidence."""
        return f"{obj.get_kind_display()}: {evidence_of(obj)}"


class ConversionsField(forms.ModelMultipleChoiceField):
    """Conversions to choose from, each with its amount."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the order and what it was worth."""
        return f"{obj.external_id}, {obj.amount}"


class OpenForm(forms.Form):
    """What a case is about, why its lines wait, and by when it is decided."""

    signals = SignalsField(
        label=_("Signals"), queryset=RiskSignal.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=LONGEST_REASON, help_text=_("The partner reads this at once.")
    )
    review_on = forms.DateField(label=_("Decided by"), widget=DAY)


class AddForm(forms.Form):
    """Signals that belong to the case as well."""

    signals = SignalsField(
        label=_("Signals"), queryset=RiskSignal.objects.none(), widget=forms.CheckboxSelectMultiple
    )


class NoteForm(forms.Form):
    """What was found."""

    text = forms.CharField(
        label=_("Note"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Only staff read this."),
    )
    evidence = forms.FileField(
        label=_("File"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": evidence.ACCEPTED}),
        help_text=_("PDF, PNG, JPEG, text or CSV, up to 10 MB."),
    )


class OutcomeForm(forms.Form):
    """What came of it."""

    outcome = forms.CharField(
        label=_("What came of it"), max_length=LONGEST_OUTCOME, help_text=_("The partner reads this.")
    )


class ConfirmForm(OutcomeForm):
    """What is taken away, and what follows besides."""

    conversions = ConversionsField(
        label=_("Take away the credit of"),
        queryset=Conversion.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What these earned is reversed; all other lines of the case go on."),
    )
    sanction = forms.ChoiceField(
        label=_("What follows besides"),
        choices=RiskSanction.choices,
        initial=RiskSanction.NONE,
        widget=forms.RadioSelect,
    )


class DismissForm(forms.Form):
    """Why signals are set aside."""

    because = forms.CharField(
        label=_("Why nothing is wrong"), max_length=LONGEST_REASON, help_text=_("Only staff read this.")
    )


class ThresholdsForm(forms.Form):
    """What a program looks for: each kind with its figures."""

    def __init__(self, *args: Any, now: Thresholds, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind, figures in FIGURES.items():
            label = RiskKind(kind).label
            self.fields[f"{kind}_{ON}"] = forms.BooleanField(
                label=label, required=False, initial=now.is_on(kind)
            )
            values = now.of(kind)
            for figure in figures:
                self.fields[f"{kind}_{figure.name}"] = forms.IntegerField(
                    label=figure.label,
                    min_value=figure.least,
                    max_value=figure.most,
                    initial=values[figure.name],
                    widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
                )

    def given(self) -> dict[str, dict[str, Any]]:
        """Return what was typed, by kind."""
        return {
            str(kind): {
                name: self.cleaned_data[f"{kind}_{name}"]
                for name in (ON, *(figure.name for figure in figures))
            }
            for kind, figures in FIGURES.items()
        }

    def kinds(self) -> Iterable[list[forms.BoundField]]:
        """Yield the fields of each kind together."""
        for kind, figures in FIGURES.items():
            yield [self[f"{kind}_{name}"] for name in (ON, *(figure.name for figure in figures))]
