"""Forms of the set-up pages. People type amounts in major units and lists as words; the rows hold minor units and JSON."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from prm.lib.forms import MoneyField, WordsField
from prm.lib.money import Money
from tiers.choices import EventKind
from tiers.models import Program, Rule, Tier

if TYPE_CHECKING:
    ProgramModelForm = forms.ModelForm[Program]
    TierModelForm = forms.ModelForm[Tier]
    RuleModelForm = forms.ModelForm[Rule]
else:
    ProgramModelForm = TierModelForm = RuleModelForm = forms.ModelForm


class ProgramForm(ProgramModelForm):
    """A program; its minimum payout is typed in the program's currency."""

    minimum_payout = MoneyField(label=_("Minimum payout"), required=False, help_text=_("Such as 50.00."))
    allowed_domains = WordsField(
        label=_("Domains links may lead to"),
        help_text=_("Besides the default destination's own, with commas between them."),
    )

    class Meta:
        model = Program
        exclude = ("minimum_payout_minor", "created_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["minimum_payout"]
        assert isinstance(field, MoneyField)  # noqa: S101
        field.currency = str(self.data.get(self.add_prefix("currency")) or self.instance.currency).upper()
        if self.instance.pk:
            self.initial["minimum_payout"] = self.instance.minimum_payout

    def save(self, commit: bool = True) -> Program:
        """Put the amount into its column."""
        amount = self.cleaned_data["minimum_payout"]
        self.instance.minimum_payout_minor = amount.minor if amount else 0
        return super().save(commit)


class PlainTierForm(TierModelForm):
    """A tier as it is stored."""

    class Meta:
        model = Tier
        fields = ("rank", "key", "name", "benefits")


class TierForm(TierModelForm):
    """A tier; what it asks for is typed in the program's currency."""

    revenue_from = MoneyField(label=_("Net revenue of 12 months, from"), required=False)

    class Meta:
        model = Tier
        fields = ("rank", "key", "name", "revenue_from", "benefits")
        widgets = {"benefits": forms.Textarea(attrs={"rows": 2, "cols": 40})}

    def __init__(self, *args: Any, currency: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["revenue_from"]
        assert isinstance(field, MoneyField)  # noqa: S101
        field.currency = currency
        if self.instance.pk:
            self.initial["revenue_from"] = Money(self.instance.revenue_from_minor, currency)

    def save(self, commit: bool = True) -> Tier:
        """Put the amount into its column."""
        amount = self.cleaned_data["revenue_from"]
        self.instance.revenue_from_minor = amount.minor if amount else 0
        return super().save(commit)


class RuleForm(RuleModelForm):
    """A rule of a draft: the flat amount in major units, the conditions as boxes and words."""

    flat = MoneyField(label=_("Flat amount"), required=False, help_text=_("For each event, such as 2.00."))
    event_kinds = forms.MultipleChoiceField(
        label=_("Event kinds"),
        choices=EventKind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: every event with an amount."),
    )
    tier_keys = forms.MultipleChoiceField(
        label=_("Tiers"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: every tier."),
    )
    countries = WordsField(
        label=_("Customer countries"), help_text=_("Empty: every country. Commas between them.")
    )

    class Meta:
        model = Rule
        fields = (
            "position",
            "key",
            "name",
            "kind",
            "rate",
            "flat",
            "flat_on_refund",
            "event_kinds",
            "tier_keys",
            "countries",
        )

    def __init__(
        self, *args: Any, currency: str = "", tiers: list[tuple[str, str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        flat, keys = self.fields["flat"], self.fields["tier_keys"]
        assert isinstance(flat, MoneyField) and isinstance(keys, forms.MultipleChoiceField)  # noqa: S101
        flat.currency = currency
        keys.choices = tiers or []
        if self.instance.pk:
            self.initial["flat"] = Money(self.instance.flat_minor, currency)

    def save(self, commit: bool = True) -> Rule:
        """Put the amount into its column."""
        amount = self.cleaned_data["flat"]
        self.instance.flat_minor = amount.minor if amount else 0
        return super().save(commit)


class PublishForm(forms.Form):
    """From when on a version is to be in force, in the program's time zone."""

    effective_on = forms.DateField(
        label=_("In force from"), widget=forms.DateInput(attrs={"type": "date"}), required=False
    )

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.program = program
        self.fields["effective_on"].help_text = _(
            "The day it begins, at midnight in %(zone)s. Empty: at once."
        ) % {"zone": program.time_zone}

    def effective_at(self, *, now: datetime) -> datetime:
        """Return the instant the version begins."""
        day = self.cleaned_data["effective_on"]
        if day is None:
            return now
        return datetime.combine(day, time(0), tzinfo=self.program.zone)


class OrderForm(forms.Form):
    """An order to try."""

    tier = forms.ModelChoiceField(label=_("Tier"), queryset=Tier.objects.none(), empty_label=None)
    kind = forms.ChoiceField(label=_("Event"), choices=EventKind.choices, initial=EventKind.SALE)
    amount = MoneyField(label=_("Amount"))
    country = forms.CharField(label=_("Customer country"), required=False, max_length=64)
    on = forms.DateField(label=_("Date"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "auto_id": "try_%s"})
        self.program = program
        tiers, amount = self.fields["tier"], self.fields["amount"]
        assert isinstance(tiers, forms.ModelChoiceField) and isinstance(amount, MoneyField)  # noqa: S101
        tiers.queryset = Tier.objects.filter(program=program).by_rank()
        amount.currency = program.currency
        amount.label = _("Amount in %(currency)s") % {"currency": program.currency}

    def occurred_at(self) -> datetime:
        """Return the instant the order is tried with: noon of the day given, else now."""
        day = self.cleaned_data["on"]
        return datetime.combine(day, time(12), tzinfo=self.program.zone) if day else timezone.now()
