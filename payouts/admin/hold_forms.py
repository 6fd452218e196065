"""Forms of the pages that keep money back or let it go. A form only asks; the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from payouts.choices import PauseCause
from tiers.models import Program

_DATE = forms.DateInput(attrs={"type": "date"})
_PARTNER_READS = _("The partner gets it by e-mail.")


class PauseForm(forms.Form):
    """Why money is kept back, and until when somebody looks."""

    cause = forms.ChoiceField(label=_("Cause"), choices=PauseCause.by_hand)
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_PARTNER_READS)
    review_on = forms.DateField(
        label=_("Looked at again by"), widget=_DATE, help_text=_("The partner is told this day.")
    )


class EndForm(forms.Form):
    """What came of a pause."""

    outcome = forms.CharField(
        label=_("What came of it"),
        max_length=200,
        help_text=_("For your colleagues; the partner is not told."),
    )


class DateForm(forms.Form):
    """From which day lines can be paid, and why that changes."""

    to = forms.DateField(label=_("Ready to pay from"), widget=_DATE)
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_PARTNER_READS)


class ReserveForm(forms.Form):
    """What is held longer, how long and why."""

    program = forms.ModelChoiceField(
        label=_("Program"), queryset=Program.objects.order_by("name"), empty_label=None
    )
    product = forms.CharField(
        label=_("Product"),
        max_length=100,
        required=False,
        help_text=_("As the shop writes it. Empty: every product."),
    )
    category = forms.CharField(
        label=_("Category"), max_length=100, required=False, help_text=_("Empty: every category.")
    )
    hold_days = forms.IntegerField(label=_("Hold, days"), min_value=1)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("The partner reads it on every line that waits longer."),
    )

    def __init__(self, *args: Any, for_partner: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if for_partner:  # the membership says which program
            del self.fields["program"]
