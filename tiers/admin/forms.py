"""Forms of the set-up pages. People type amounts in major units and lists as words; the rows hold minor units and JSON."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from prm.lib.forms import MoneyField, WordsField
from prm.lib.periods import local_day
from tiers.admin.fields import LinesField
from tiers.choices import Combine, Deduction, Grandfather
from tiers.models import PlanVersion, Program, Tier

if TYPE_CHECKING:
    ProgramModelForm = forms.ModelForm[Program]
    TierModelForm = forms.ModelForm[Tier]
    TierFormSet = forms.BaseInlineFormSet[Tier, Program, TierModelForm]
else:
    ProgramModelForm = TierModelForm = forms.ModelForm
    TierFormSet = forms.BaseInlineFormSet


# Versions begin in years whose calendars are known.
YEARS = (2000, 2199)


class ProgramForm(ProgramModelForm):
    """A program; its amounts are typed in the program's currency."""

    minimum_payout = MoneyField(label=_("Minimum payout"), required=False, help_text=_("Such as 50.00."))
    second_person_above = MoneyField(
        label=_("Adjustments need a second person above"),
        required=False,
        help_text=_("Empty: every adjustment does."),
    )
    allowed_domains = WordsField(
        label=_("Domains links may lead to"),
        help_text=_("Besides the default destination's own, with commas between them."),
    )

    class Meta:
        model = Program
        # Whether it takes applications is moved by verbs of its own.
        exclude = ("minimum_payout_minor", "second_person_above_minor", "is_open", "created_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currency = str(self.data.get(self.add_prefix("currency")) or self.instance.currency).upper()
        for name in ("minimum_payout", "second_person_above"):
            field = self.fields[name]
            assert isinstance(field, MoneyField)  # noqa: S101
            field.currency = currency
        if self.instance.pk:
            self.initial["minimum_payout"] = self.instance.minimum_payout
            self.initial["second_person_above"] = self.instance.second_person_above

    def save(self, commit: bool = True) -> Program:
        """Put the amounts into their columns."""
        for name in ("minimum_payout", "second_person_above"):
            amount = self.cleaned_data[name]
            setattr(self.instance, f"{name}_minor", amount.minor if amount else 0)
        return super().save(commit)


class TierForm(TierModelForm):
    """A tier a new program begins with; the rest is told on the page of its tiers."""

    class Meta:
        model = Tier
        fields = ("rank", "key", "name", "benefits")
        widgets = {"benefits": forms.Textarea(attrs={"rows": 2, "cols": 40})}


class TierRows(TierFormSet):
    """The tiers a program begins with."""

    def clean(self) -> None:
        """Refuse a rank or a key that is typed twice."""
        for field, said in (
            ("rank", _("Another tier of this program has this rank.")),
            ("key", _("Another tier of this program has this key.")),
        ):
            self._refuse_repeated(field, str(said))
        super().clean()

    def _refuse_repeated(self, field: str, said: str) -> None:
        known: set[int | str] = set()
        for form in self.forms:
            value = getattr(form, "cleaned_data", {}).get(field)
            if value is None:
                continue
            if value in known:
                form.add_error(field, said)
            known.add(value)


class PublishForm(forms.Form):
    """From when on a version is to be in force, in the program's time zone."""

    effective_on = forms.DateField(
        label=_("In force from"), widget=forms.DateInput(attrs={"type": "date"}), required=False
    )

    def __init__(self, *args: Any, program: Program, notice_days: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.program = program
        day = _("The day it begins, at midnight in %(zone)s.") % {"zone": program.time_zone}
        self.fields["effective_on"].required = notice_days > 0
        self.fields["effective_on"].help_text = day if notice_days else f"{day} {_('Empty: at once.')}"

    def clean_effective_on(self) -> date | None:
        """Refuse days whose neighbours calendars do not have."""
        day: date | None = self.cleaned_data["effective_on"]
        first, last = YEARS
        if day is not None and not first <= day.year <= last:
            raise ValidationError(
                _("Choose a day from the years %(first)s to %(last)s."), params={"first": first, "last": last}
            )
        return day

    def effective_at(self, *, now: datetime) -> datetime:
        """Return the instant the version begins; today means now."""
        day = self.cleaned_data["effective_on"]
        if day is None or day == local_day(now, self.program.zone):
            return now
        return datetime.combine(day, time(0), tzinfo=self.program.zone)


class SettingsForm(forms.Form):
    """What holds for a whole version: how rules combine, what they pay on, and who keeps the version before."""

    use_required_attribute = False
    combine = forms.ChoiceField(
        label=_("When several rules apply"), choices=Combine.choices, widget=forms.RadioSelect
    )
    deducts = forms.MultipleChoiceField(
        label=_("Taken off before commission"),
        choices=Deduction.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: percentages are of the full amount."),
    )
    excluded_products = LinesField(
        label=_("Products that earn nothing"), help_text=_("One code on each line.")
    )
    excluded_categories = LinesField(
        label=_("Categories that earn nothing"), help_text=_("One on each line.")
    )
    grandfather = forms.ChoiceField(label=_("Who keeps the version before"), choices=Grandfather.choices)
    notice_days = forms.IntegerField(
        label=_("Notice, days"),
        min_value=0,
        max_value=366,
        help_text=_("Partners hear of the change this many days before."),
        error_messages={
            "required": _("Give the notice in days; 0 promises none."),
            "min_value": _("A notice cannot be shorter than 0 days."),
            "max_value": _("A notice cannot be longer than 366 days."),
        },
    )

    @classmethod
    def of(cls, version: PlanVersion, data: Any = None) -> SettingsForm:
        """Return the form of a version."""
        return cls(data, initial={name: getattr(version, name) for name in cls.base_fields})
