"""The form of a code's terms, as staff fill it in. It reads what was typed; whether a code may give it is decided by the verbs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from prm.lib.money import BadAmount, Money
from prm.lib.periods import end_of_day_after, local_day, start_of_day
from referrals.code_terms import Terms
from referrals.listed_rows import day_before_end
from referrals.models import Code
from tiers.models import Program

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class CodeForm(forms.Form):
    """What a code gives, how often and when."""

    use_required_attribute = False

    discount_percent = forms.DecimalField(
        label=gettext_lazy("Discount, percent"), required=False, max_digits=5, decimal_places=2
    )
    discount_amount = forms.CharField(
        label=gettext_lazy("Discount, amount"),
        required=False,
        max_length=20,
        help_text=gettext_lazy("In the program's currency, with a point before decimals. Not both."),
    )
    use_limit = forms.IntegerField(
        label=gettext_lazy("Uses at most"), required=False, help_text=gettext_lazy("Empty: without limit.")
    )
    starts_at = forms.DateField(label=gettext_lazy("Valid from"), required=False, widget=_DATE)
    ends_at = forms.DateField(
        label=gettext_lazy("Valid until"),
        required=False,
        widget=_DATE,
        help_text=gettext_lazy("The whole day still counts."),
    )

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.program = program

    def clean_discount_amount(self) -> Money | None:
        """Read the amount in the program's currency."""
        text = self.cleaned_data["discount_amount"].strip()
        try:
            return Money.parse(text, self.program.currency) if text else None
        except BadAmount:
            raise forms.ValidationError(_("Write an amount such as 12.50.")) from None

    def terms(self) -> Terms:
        """Return what was asked for; days are those of the program."""
        given, zone = self.cleaned_data, self.program.zone
        starts_on, last_on = given["starts_at"], given["ends_at"]
        return Terms(
            percent=given["discount_percent"],
            amount=given["discount_amount"],
            use_limit=given["use_limit"],
            starts_at=start_of_day(starts_on, zone) if starts_on else None,
            ends_at=end_of_day_after(start_of_day(last_on, zone), 0, zone) if last_on else None,
        )


class NewCodeForm(CodeForm):
    """A new code."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Letters, digits and hyphens. Empty: one is made of the partner's name."),
    )
    field_order = ("code",)


def initial_of(code: Code) -> dict[str, Any]:
    """Return what a code gives, for its form."""
    program = code.membership.program
    amount = Money(code.discount_minor, program.currency) if code.discount_minor is not None else None
    return {
        "discount_percent": code.discount_percent,
        "discount_amount": str(amount.decimal()) if amount is not None else "",
        "use_limit": code.use_limit,
        "starts_at": local_day(code.starts_at, program.zone) if code.starts_at else None,
        "ends_at": day_before_end(code.ends_at, program.zone),
    }
