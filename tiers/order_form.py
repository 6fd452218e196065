"""An order as people describe it, for the examples of a plan and for trying one. What was typed becomes the facts that examples store,
so an order that was tried can be kept as an example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from prm.lib.forms import MoneyField
from prm.lib.money import Money
from tiers.choices import Deduction, EventKind
from tiers.models import Program

COUNTED = ("sales", "new_customers", "leads", "units")
ROLE_NAMES = (
    ("sourced", _("Brought the customer")),
    ("influenced", _("Influenced")),
    ("assisted", _("Assisted")),
    ("fulfilled", _("Fulfilled")),
)
CUSTOMERS = (
    ("new", pgettext_lazy("customer", "New")),
    ("returning", pgettext_lazy("customer", "Returning")),
)
_TEXTS = ("country", "product", "category", "code", "deal", "tier", "customer_type", "role", "partner")
DEDUCTED = tuple(Deduction.values)
MAIN = (
    "kind",
    "amount",
    "occurred_on",
    "tier",
    "customer_type",
    "country",
    "product",
    "category",
    "quantity",
)
MORE = (
    "before_revenue",
    "before_count",
    "payments",
    "joined_on",
    "customer_since",
    "code",
    "deal",
    "partner",
    "role",
    *DEDUCTED,
)


def _day(label: Any, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}), **kwargs
    )


def _text(label: Any, most: int = 100, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=most, **kwargs)


class OrderForm(forms.Form):
    """An order to try: what happened, to whom, and what was before."""

    use_required_attribute = False
    kind = forms.ChoiceField(label=_("Event"), choices=EventKind.choices, initial=EventKind.SALE)
    amount = MoneyField(label=_("Amount"))
    occurred_on = _day(_("Date"))
    tier = forms.ChoiceField(label=_("Tier"), required=False)
    customer_type = forms.ChoiceField(
        label=_("Customer"), choices=[("", _("Not known")), *CUSTOMERS], required=False
    )
    country = _text(_("Customer country"), 64, help_text=_("Its name or two letters: France or FR."))
    product = _text(_("Product"))
    category = _text(_("Category"))
    quantity = forms.IntegerField(
        label=_("Quantity"), min_value=0, max_value=1_000_000, initial=1, required=False
    )
    before_revenue = MoneyField(
        label=_("Revenue before"), required=False, help_text=_("What the period had already brought.")
    )
    before_count = forms.IntegerField(
        label=_("Number before"),
        min_value=0,
        max_value=1_000_000_000,
        required=False,
        help_text=_("Sales, customers, leads or pieces the period had already brought."),
    )
    payments = forms.IntegerField(
        label=_("Payments of the customer before"), min_value=0, max_value=100_000, required=False
    )
    customer_since = _day(_("First sale to the customer"))
    joined_on = _day(_("The partner joined"))
    code = _text(_("Code used"), 40)
    deal = _text(_("Deal"), 40)
    partner = _text(
        _("Membership"), 30, help_text=_("Its public id, such as mem_…: for rules about one partner.")
    )
    role = forms.ChoiceField(label=_("What the partner did"), choices=ROLE_NAMES, required=False)
    tax = MoneyField(label=_("Tax in it"), required=False)
    shipping = MoneyField(label=_("Shipping in it"), required=False)
    discount = MoneyField(label=_("Discount in it"), required=False)
    cost = MoneyField(label=_("Cost of goods"), required=False)

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.program = program
        for field in self.fields.values():
            if isinstance(field, MoneyField):
                field.currency = program.currency
        tiers = self.fields["tier"]
        assert isinstance(tiers, forms.ChoiceField)  # noqa: S101
        tiers.choices = [
            ("", _("None")),
            *((tier.key, tier.name) for tier in program.tiers.in_use().by_rank()),
        ]
        self.fields["amount"].label = _("Amount in %(currency)s") % {"currency": program.currency}

    def main(self) -> list[forms.BoundField]:
        """Return the fields everybody looks for."""
        return [self[name] for name in MAIN]

    def more(self) -> list[forms.BoundField]:
        """Return the fields for rules that ask for more."""
        return [self[name] for name in MORE]

    def has_more(self) -> bool:
        """Say whether one of the further fields says something, or is wrong."""
        usual = ("", None, "sourced")
        return any(field.value() not in usual or field.errors for field in self.more())

    def facts(self) -> dict[str, Any]:
        """Return the order as examples store it."""
        given = self.cleaned_data
        facts: dict[str, Any] = {"kind": given["kind"], "amount": str(given["amount"].decimal())}
        facts |= {name: given[name] for name in _TEXTS if given.get(name)}
        for name in ("occurred_on", "customer_since", "joined_on"):
            if given[name]:
                facts[name] = given[name].isoformat()
        facts |= {name: given[name] for name in ("quantity", "payments") if given[name] is not None}
        taken = {name: str(given[name].decimal()) for name in DEDUCTED if given[name]}
        before = _before(given)
        return facts | ({"deductions": taken} if taken else {}) | ({"before": before} if before else {})


def _before(given: Mapping[str, Any]) -> dict[str, Any]:
    before: dict[str, Any] = {}
    if isinstance(given["before_revenue"], Money):
        before["revenue"] = str(given["before_revenue"].decimal())
    if given["before_count"] is not None:
        before |= dict.fromkeys(COUNTED, given["before_count"])
    return before


def initial_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored facts as the form shows them."""
    before = facts.get("before") or {}
    counted = before if isinstance(before, Mapping) else {"revenue": before}
    plain = {name: value for name, value in facts.items() if name in OrderForm.base_fields}
    counts = [value for name, value in counted.items() if name != "revenue"]
    return {
        **plain,
        **dict(facts.get("deductions") or {}),
        "before_revenue": counted.get("revenue"),
        "before_count": max(counts) if counts else None,
    }


def kept_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stored facts say that the form does not ask: it stays as it is."""
    asked = {*OrderForm.base_fields, "deductions", "before"}
    return {name: value for name, value in facts.items() if name not in asked}
