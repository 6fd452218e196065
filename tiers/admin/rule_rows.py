"""Rows of the rule editor: the steps of a table and the conditions. Empty rows are left out, so a page without a script can offer
spare ones; what a row means is read in the unit of its column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar

from django import forms
from django.forms.utils import ErrorDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from prm.lib.countries import code_of
from prm.lib.forms import MoneyField
from prm.lib.money import Money
from tiers.admin.fields import MeasureField, PercentField
from tiers.choices import EventKind, PartnershipType
from tiers.engine.attributes import ATTRIBUTES, LISTS, OPERATORS, attribute_of
from tiers.models import Program
from tiers.order_form import CUSTOMERS, ROLE_NAMES

MOST_ROWS = 60
CUSTOM = "attribute"
Row = TypeVar("Row", bound="RowForm")


class RowForm(forms.Form):
    """One row; `is_blank` when nothing was entered in it."""

    use_required_attribute = False

    def number(self, at: int) -> None:
        """Name each control for those who do not see the column it stands in."""
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = gettext("%(column)s, row %(row)s") % {
                "column": field.label,
                "row": at,
            }

    def hush(self) -> None:
        """Show what was typed without judging it."""
        self._errors, self.cleaned_data = ErrorDict(), {}

    def is_blank(self) -> bool:
        """Say whether nothing was entered."""
        return not any(str(self[name].value() or "").strip() for name in self.asked())

    def asked(self) -> Iterable[str]:
        """Return the names of the fields whose content makes the row count."""
        return self.fields


class Rows(Generic[Row]):
    """The rows of one table; `data` is what was posted, `initial` what is stored."""

    def __init__(
        self,
        form: type[Row],
        prefix: str,
        *,
        data: Mapping[str, Any] | None,
        initial: list[dict[str, Any]],
        spare: int,
        **options: Any,
    ) -> None:
        self.prefix = prefix
        self.name = f"{prefix}-count"
        count = len(initial) + spare if data is None else _count(data.get(self.name)) or spare
        self.forms: list[Row] = [
            form(
                data,
                prefix=f"{prefix}-{at}",
                initial=initial[at] if data is None and at < len(initial) else None,
                **options,
            )
            for at in range(count)
        ]
        for at, row in enumerate(self.forms, start=1):
            row.number(at)

    @property
    def count(self) -> int:
        return len(self.forms)

    @cached_property
    def filled(self) -> list[Row]:
        """Return the rows in which something was entered, in order."""
        return [row for row in self.forms if not row.is_blank()]

    def is_valid(self) -> bool:
        """Say whether every row that counts can be read; the others are not judged."""
        for row in self.forms:
            if row.is_blank():
                row.hush()
        read = [row.is_valid() for row in self.filled]  # all of them, to name every fault
        return all(read)

    def hush(self) -> None:
        """Show what was typed without judging it."""
        for row in self.forms:
            row.hush()

    def faults(self) -> list[tuple[str, str]]:
        """Return every fault with the id to jump to."""
        return [
            (field.auto_id, _in_row(at, str(error)))
            for at, row in enumerate(self.forms, start=1)
            for field in row
            for error in field.errors
        ]

    def names(self) -> set[str]:
        """Return the names under which the rows are posted."""
        return {self.name, *(field.html_name for row in self.forms for field in row)}


def _in_row(at: int, error: str) -> str:
    return gettext("Row %(row)s: %(fault)s") % {"row": at, "fault": error}


def _count(typed: object) -> int:
    text = str(typed or "")
    return min(int(text), MOST_ROWS) if re.fullmatch(r"[0-9]{1,4}", text) else 0


_PAYS_NOTHING = {
    "rate": _("Give a percentage; write 0 if the step pays nothing."),
    "flat": _("Give an amount; write 0 if the step pays nothing."),
}


class StepForm(RowForm):
    """A row of a rule's table."""

    start = MeasureField(label=_("From"), required=False)
    rate = PercentField(label=_("Percent"), required=False)
    flat = MoneyField(label=_("Amount"), required=False, is_signed=True)

    def __init__(
        self, *args: Any, currency: str, columns: tuple[str, ...], counts: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        start, flat = self.fields["start"], self.fields["flat"]
        assert isinstance(start, MeasureField) and isinstance(flat, MoneyField)  # noqa: S101
        start.currency, start.is_counted, flat.currency = currency, counts, currency
        for name in {"rate", "flat"} - set(columns):
            del self.fields[name]

    def clean_start(self) -> int:
        """Take an empty start of a row that pays something for the beginning."""
        start = self.cleaned_data["start"]
        return start if isinstance(start, int) else 0

    def clean(self) -> dict[str, Any]:
        """Ask for what the step pays: an empty cell may be forgotten, a 0 is meant."""
        given = super().clean() or self.cleaned_data
        pays = [name for name in ("rate", "flat") if name in self.fields]
        if pays and all(given.get(name) is None and not self.has_error(name) for name in pays):
            self.add_error(pays[0], _PAYS_NOTHING[pays[0]])
        return given

    def stored(self) -> dict[str, Any]:
        """Return the step as a rule stores it."""
        rate, flat = self.cleaned_data.get("rate"), self.cleaned_data.get("flat")
        step: dict[str, Any] = {"from": self.cleaned_data["start"]}
        if rate is not None:
            step["rate"] = format(rate, "f")
        if isinstance(flat, Money):
            step["flat"] = flat.minor
        return step


def attribute_choices() -> list[tuple[str, Any]]:
    """Return everything a condition can ask about, in the reader's language."""
    named = [(each.key, gettext(each.label)) for each in ATTRIBUTES.values()]
    return [("", "–"), *named, (CUSTOM, gettext("Something the event carries"))]


def known_values(program: Program) -> dict[str, dict[str, str]]:
    """Return for the attributes with a closed list what each value is called."""
    named: dict[str, Iterable[tuple[str, Any]]] = {
        "kind": EventKind.choices,
        "partnership_type": PartnershipType.choices,
        "customer_type": CUSTOMERS,
        "role": ROLE_NAMES,
        "tier": [(tier.key, tier.name) for tier in program.tiers.all()],
        "currency": [(program.currency, program.currency)],
    }
    return {key: {value: str(label) for value, label in choices} for key, choices in named.items()}


class ConditionForm(RowForm):
    """A row of conditions: what is asked, how it is compared and with what."""

    attribute = forms.ChoiceField(label=_("What"), required=False)
    name = forms.CharField(label=_("Its name"), required=False, max_length=40)
    operator = forms.ChoiceField(label=_("Is"), required=False)
    values = forms.CharField(label=_("Value"), required=False, max_length=20_000)

    def __init__(self, *args: Any, currency: str, known: dict[str, dict[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency, self.known = currency, known
        attribute, operator = self.fields["attribute"], self.fields["operator"]
        assert isinstance(attribute, forms.ChoiceField) and isinstance(operator, forms.ChoiceField)  # noqa: S101
        attribute.choices = attribute_choices()
        operator.choices = [(key, gettext(text)) for key, text in OPERATORS.items()]
        self.fields["values"].widget.attrs["autocomplete"] = "off"

    def asked(self) -> Iterable[str]:
        """A chosen operator alone is no condition: every empty row has one."""
        return ("attribute", "values", "name")

    def clean(self) -> dict[str, Any]:
        """Read the values as the attribute writes them."""
        given = super().clean() or self.cleaned_data
        key = self._key(given)
        known = attribute_of(key)
        if not given.get("attribute"):
            self.add_error("attribute", _("Choose what the condition asks about."))
        elif known is None:
            self.add_error("name", _("Write its name in letters and digits, such as plan or colour."))
        else:
            given["key"] = key
            given["read"] = [self._read(part, key, known.type) for part in self._parts(given)]
            if not given["read"]:
                self.add_error("values", _("Write what it is compared with."))
        return given

    def stored(self) -> dict[str, Any]:
        """Return the condition as a rule stores it."""
        given = self.cleaned_data
        return {"attribute": given["key"], "operator": given["operator"], "values": given["read"]}

    def _key(self, given: Mapping[str, Any]) -> str:
        chosen, name = str(given.get("attribute") or ""), str(given.get("name") or "").strip()
        return f"attribute:{name}" if chosen == CUSTOM else chosen

    def _parts(self, given: Mapping[str, Any]) -> list[str]:
        text = str(given.get("values") or "")
        parts = re.split(r"[,;\n]+", text) if given.get("operator") in LISTS else [text]
        return list(dict.fromkeys(part.strip() for part in parts if part.strip()))

    def _read(self, typed: str, key: str, kind: str) -> str:
        """Return a value as rules store it: the key of a label, an amount with a point, a country by its code."""
        if kind == "country":
            return code_of(typed)
        if kind in ("amount", "number"):
            return _number(typed)
        labels = self.known.get(key, {})
        folded = {label.casefold(): value for value, label in labels.items()}
        return folded.get(typed.casefold(), typed)


def _number(typed: str) -> str:
    bare = re.sub(r"[\s\u00a0\u202f]", "", typed)
    return bare.replace(",", ".") if bare.count(",") == 1 and "." not in bare else bare


def condition_initial(stored: Mapping[str, Any], known: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return a stored condition as the editor shows it."""
    key = str(stored["attribute"])
    labels = known.get(key, {})
    values = ", ".join(labels.get(value, value) for value in stored["values"])
    is_custom = key.startswith("attribute:")
    return {
        "attribute": CUSTOM if is_custom else key,
        "name": key.removeprefix("attribute:") if is_custom else "",
        "operator": stored["operator"],
        "values": values,
    }
