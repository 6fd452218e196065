"""The form of a rule: what every rule has and what its model needs besides. Fields of other models are not in the form, so a rule never
stores what its model does not use."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.utils.translation import gettext_lazy as _

from prm.lib.forms import MoneyField, WordsField
from tiers.admin.fields import MeasureField, PercentField, PercentsField
from tiers.admin.rule_models import BUDGET_WINDOWS, FAMILIES, METRICS, MODELS, WINDOWS, is_counted, windows
from tiers.choices import EventKind, FlatOnRefund, RateKind
from tiers.models import Program

ALWAYS = ("name", "kind", "tier_keys", "join", "unusual")
_LASTS = (
    ("months", _("For some months from the first payment")),
    ("payments", _("For the first payments")),
    ("life", _("For as long as the customer pays")),
)
_RATE_NEEDED = {RateKind.PERCENT, RateKind.PERCENT_PLUS_FLAT}
_FLAT_NEEDED = {
    RateKind.FLAT,
    RateKind.PERCENT_PLUS_FLAT,
    RateKind.PER_UNIT,
    RateKind.PACKAGE,
    RateKind.RETAINER,
    RateKind.DRAW,
}
_ANY = _("Empty: none.")


def _kinds() -> list[tuple[str, Any]]:
    labels = dict(RateKind.choices)
    return [(kind, labels[RateKind(kind)]) for _label, kinds in FAMILIES for kind in kinds]


def _amount(label: Any, help_text: Any = _ANY) -> MoneyField:
    return MoneyField(label=label, required=False, help_text=help_text)


def _period(label: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=WINDOWS, required=False)


def _months() -> forms.IntegerField:
    return forms.IntegerField(
        label=_("Its length in months"),
        required=False,
        min_value=1,
        max_value=600,
        help_text=_("For blocks of months and for the last months."),
    )


class RuleForm(forms.Form):
    """A rule of a draft, everything in the words and units people use."""

    use_required_attribute = False
    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("Partners read it beside every amount it pays.")
    )
    kind = forms.ChoiceField(label=_("How it pays"), choices=_kinds, widget=forms.RadioSelect)
    rate = PercentField(label=_("Percent"), required=False, help_text=_("Such as 8 or 12.5."))
    levels = PercentsField(
        label=_("Percent of each level"),
        help_text=_("The recruiter first, then whoever recruited the recruiter: 5; 2; 1."),
    )
    override_of = forms.ChoiceField(
        label=_("Of what"),
        choices=[
            ("commission", _("Of what the recruited partner earns")),
            ("sales", _("Of what the recruited partner sells")),
        ],
        widget=forms.RadioSelect,
    )
    lasts = forms.ChoiceField(label=_("How long"), choices=_LASTS, widget=forms.RadioSelect)
    lasts_for = forms.IntegerField(
        label=_("How many months or payments"), required=False, min_value=1, max_value=100_000
    )
    schedule = PercentsField(
        label=_("Percent of each month"),
        required=False,
        help_text=_(
            "Only when it changes: 20; 10; 5 pays 20 % in month 1, 10 % in month 2, 5 % from then on."
        ),
    )
    metric = forms.ChoiceField(label=_("What is counted"), choices=METRICS)
    window = forms.ChoiceField(label=_("Counted over"), choices=WINDOWS)
    window_months = _months()
    target = MeasureField(label=_("Target"), help_text=_("What 100 % is, for each period."))
    package = MeasureField(label=_("Size of a block"))
    flat = MoneyField(label=_("Flat amount"), required=False, is_signed=True)
    stacking = forms.BooleanField(
        label=_("Every threshold reached pays its own bonus"),
        required=False,
        help_text=_("Otherwise only the highest one does."),
    )
    crossing = forms.ChoiceField(
        label=_("The order that reaches a step"),
        choices=[("old", _("still has the rate before it")), ("new", _("already has the new rate"))],
        widget=forms.RadioSelect,
    )
    flat_on_refund = forms.ChoiceField(label=_("Flat amounts on a refund"), choices=FlatOnRefund.choices)
    event_kinds = forms.MultipleChoiceField(
        label=_("Events"),
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
    join = forms.ChoiceField(
        label=_("These conditions"),
        choices=[("all", _("must all be met")), ("any", _("need one that is met"))],
        widget=forms.RadioSelect,
    )
    event_min = _amount(_("At least, for an event"))
    event_max = _amount(_("At most, for an event"))
    customer_max = _amount(_("At most, for a customer"), _("All that one customer's events earn together."))
    limit_window = _period(_("Period of the next two limits"))
    limit_months = _months()
    window_min = _amount(_("At least, for a partner and period"), _("What is missing is paid at its end."))
    window_max = _amount(_("At most, for a partner and period"))
    budget_max = _amount(_("Budget for all partners together"), _("When it is spent, the rule pays no more."))
    budget_window = forms.ChoiceField(label=_("Period of the budget"), choices=BUDGET_WINDOWS, required=False)
    unusual = forms.BooleanField(
        label=_("A rate below 0 or above 100 %, or a negative amount, is meant"),
        required=False,
        help_text=_("Without this it is taken for a typing error."),
    )

    def __init__(self, *args: Any, program: Program, kind: str, metric: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.program, self.model = program, MODELS[kind]
        for field in self.fields.values():
            if isinstance(field, MoneyField):
                field.currency = program.currency
        self._choices("tier_keys", [(tier.key, tier.name) for tier in program.tiers.by_rank()])
        self._choices("window", list(windows(kind)))
        self._measure("package", counted=is_counted(kind, metric))
        self._measure("target", counted=is_counted(kind, metric))
        self.fields["flat"].label = self.model.flat
        self.fields["rate"].required = kind in _RATE_NEEDED
        self.fields["flat"].required = kind in _FLAT_NEEDED
        for name in set(self.fields) - {*ALWAYS, *self.model.fields}:
            del self.fields[name]

    def hush(self) -> None:
        """Show what was typed without judging it."""
        self._errors, self.cleaned_data = ErrorDict(), {}

    def clean(self) -> dict[str, Any]:
        """Hold together what belongs together."""
        given = super().clean() or self.cleaned_data
        kind, has_rate = given.get("kind"), bool(given.get("rate"))
        if given.get("lasts") in ("months", "payments") and not given.get("lasts_for"):
            self._miss("lasts_for", _("Say how many."))
        if kind == RateKind.RECURRING and not (has_rate or given.get("schedule")):
            self._miss("rate", _("Give a percentage."))
        if kind == RateKind.PARTICIPATION and not (has_rate or given.get("flat")):
            self._miss("rate", _("Give a percentage or an amount."))
        return given

    def _miss(self, name: str, text: Any) -> None:
        """Say that something is missing, unless what was typed there is wrong anyhow."""
        if not self.has_error(name):
            self.add_error(name, text)

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = choices

    def _measure(self, name: str, *, counted: bool) -> None:
        field = self.fields[name]
        assert isinstance(field, MeasureField)  # noqa: S101
        field.is_counted = counted
