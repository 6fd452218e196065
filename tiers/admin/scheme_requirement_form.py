"""The form of one requirement of a tier: what is asked of which figure, over which time, narrowed to what. Only what its metric knows is in
the form, and a threshold is typed in the unit people use."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from prm.lib.countries import code_of
from prm.lib.forms import MoneyField
from prm.lib.l10n import locale_of
from prm.lib.money import Money
from tiers.admin.fields import LinesField, PercentField
from tiers.admin.scheme_forms import SchemeForm
from tiers.models import Program
from tiers.narrowing import COUNTRY, Names
from tiers.qualify import METRICS, Question, Requirement, Unit, Window
from tiers.qualify import scheme as parts
from tiers.qualify.reading import MOST_MONTHS
from tiers.requirement_words import OPERATOR_NAMES, PARAM_NAMES, WINDOW_NAMES, metric_name

MOST_COUNT = 10**12
# What each metric counts, for who chooses one.
METRIC_SAYS: dict[str, Promise] = {
    "net_revenue": _("Sales less refunds, at the prices customers paid."),
    "sales": _("How many sales stand."),
    "average_order": _("Net revenue of a sale, on average."),
    "new_customers": _("Customers whose first sale in the program it was."),
    "customer_retention": _("Of the customers of the window before, who bought again."),
    "qualified_leads": _("Leads that qualified."),
    "deals_won": _("Deals that came to a sale."),
    "points": _("What earns points is told on the page of the draft."),
    "plan_attainment": _("What the agreed business plan expects by now, and how much of it is reached."),
    "certified_ratio": _("Of the people a partner has on its list, who holds a valid credential."),
    "certified_count": _("People who hold a valid credential."),
    "trainings_completed": _("Trainings that somebody of the partner completed."),
    "activities": _("Events, case studies, webinars and the like that were confirmed."),
    "joint_customers": _("Customers served together, as entered by an account manager."),
    "installed_base": _("Installations the partner looks after, as entered by an account manager."),
    "manual_score": _("From 0 to 100, as entered by an account manager."),
}
GROUPS: tuple[tuple[Promise, tuple[str, ...]], ...] = (
    (_("Sales"), ("net_revenue", "sales", "average_order", "deals_won", "qualified_leads")),
    (_("Customers"), ("new_customers", "customer_retention", "joint_customers", "installed_base")),
    (_("Skills"), ("certified_ratio", "certified_count", "trainings_completed")),
    (_("Working together"), ("activities", "plan_attainment", "points", "manual_score")),
)


class RequirementForm(SchemeForm):
    """A requirement on `metric`; `requirement` when there is one already."""

    operator = forms.ChoiceField(
        label=_("Has to be"),
        choices=[(each, OPERATOR_NAMES[each]) for each in parts.OPERATORS],
        widget=forms.RadioSelect,
        initial=parts.AT_LEAST,
    )
    window = forms.ChoiceField(
        label=_("Counted over"),
        choices=[(each, WINDOW_NAMES[each]) for each in parts.WINDOWS if each != parts.NOW],
    )
    months = forms.IntegerField(
        label=_("How many months"),
        required=False,
        min_value=1,
        max_value=MOST_MONTHS,
        help_text=_("Only for the months before the review: 12 is a year."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        metric: str,
        program: Program,
        requirement: Requirement | None = None,
    ) -> None:
        self.metric, self.program, self.names = METRICS[metric], program, Names(program)
        self.before = requirement
        super().__init__(data, initial=self._initial())
        self.fields["threshold"] = self._threshold()
        for param in self.metric.params:
            self._add_param(param)
        if not self.metric.is_windowed:
            del self.fields["window"], self.fields["months"]
        self.order_fields(["operator", "threshold", "window", "months", *self.metric.params])

    def clean(self) -> dict[str, Any]:
        """Ask for the months where they count."""
        given = super().clean() or {}
        if given.get("window") == parts.TRAILING and not given.get("months") and "months" not in self.errors:
            self.add_error("months", _("Say how many months."))
        return given

    def clean_country(self) -> list[str]:
        """Read each line as a country."""
        found = []
        english = locale_of("en").territories
        own = {each.name: each.key for each in self.names.values(COUNTRY)}
        known = set(own.values())
        for name in self.cleaned_data[COUNTRY]:
            country = own.get(name) or english.get(code_of(name), name)
            if country not in known:
                raise ValidationError(_("“%(name)s” is no country we know."), params={"name": name})
            found.append(country)
        return found

    def requirement(self, key: str, *, weight: int = 0) -> Requirement:
        """Return the requirement that was written."""
        given = self.cleaned_data
        kind = given.get("window", parts.NOW)
        months = given["months"] if kind == parts.TRAILING else 0
        params = tuple(
            (name, tuple(sorted(given[name])))
            for name in sorted(self.metric.params)
            if name in self.fields and given[name]
        )
        return Requirement(
            key=key,
            question=Question(self.metric.key, Window(kind, months), params),
            operator=given["operator"],
            threshold=_exact(given["threshold"]),
            weight=self.before.weight if self.before else weight,
        )

    def _threshold(self) -> forms.Field:
        label = _("%(metric)s, threshold") % {"metric": metric_name(self.metric.key)}
        if self.metric.unit is Unit.MONEY:
            return MoneyField(
                label=label,
                currency=self.program.currency,
                is_signed=True,
                help_text=_("In %(currency)s, such as 50000.00.") % {"currency": self.program.currency},
            )
        if self.metric.unit is Unit.PERCENT:
            return PercentField(label=label, help_text=_("In percent, such as 80 or 74.5."))
        if self.metric.unit is Unit.POINTS:
            return forms.DecimalField(label=label, max_digits=15, decimal_places=2)
        return forms.IntegerField(label=label, min_value=-MOST_COUNT, max_value=MOST_COUNT)

    def _add_param(self, param: str) -> None:
        label = str(PARAM_NAMES.get(param, param))
        if param == COUNTRY:
            self.fields[param] = LinesField(
                label=label,
                help_text=_("Only people in these countries, one on each line. Empty: everywhere."),
            )
            return
        kept = self._kept(param)
        values = [each for each in self.names.values(param) if each.is_in_use or each.key in kept]
        if values:
            self.fields[param] = forms.MultipleChoiceField(
                label=label,
                choices=[(each.key, each.name) for each in values],
                required=False,
                widget=forms.CheckboxSelectMultiple,
                help_text=_("None ticked: any."),
            )

    def _kept(self, param: str) -> tuple[str, ...]:
        return self.before.question.values(param) if self.before else ()

    def _initial(self) -> dict[str, Any]:
        if self.before is None:
            return {"window": parts.TRAILING, "months": 12}
        question = self.before.question
        params: Mapping[str, Any] = {name: list(values) for name, values in question.params}
        countries = [self.names.name(COUNTRY, key) for key in question.values(COUNTRY)]
        return {
            **params,
            COUNTRY: countries,
            "operator": self.before.operator,
            "threshold": self._typed(self.before.threshold),
            "window": question.window.kind,
            "months": question.window.months or None,
        }

    def _typed(self, threshold: Fraction) -> Any:
        if self.metric.unit is Unit.MONEY:
            return Money(int(threshold), self.program.currency)
        if threshold.denominator == 1 and self.metric.unit is Unit.COUNT:
            return int(threshold)
        return Decimal(threshold.numerator) / Decimal(threshold.denominator)


def _exact(value: Money | Decimal | int | None) -> Fraction:
    """Return a typed threshold in the metric's unit; 0 %, which a field may read as nothing, is zero."""
    return Fraction(value.minor) if isinstance(value, Money) else Fraction(value or 0)
