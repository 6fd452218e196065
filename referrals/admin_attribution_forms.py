"""The forms on which people say how a program gives credit, and from when on. People type days, amounts and names; what is stored
are hours, minor units and codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from prm.lib.countries import code_of, is_code
from prm.lib.forms import MoneyField, WordsField
from prm.lib.money import Money
from prm.lib.periods import local_day
from referrals.attribution.settings import (
    DAY,
    HOUR,
    LONGEST_WINDOW,
    TOUCH_KINDS,
    WINDOWED,
    Qualifies,
    Settings,
    TouchKind,
)
from referrals.attribution_sentences import CONTACT_NAMES, MODEL_NAMES
from referrals.facts import GIVES_BACK, TAKES_BACK
from tiers.choices import EventKind
from tiers.models import Program

HOURS, DAYS = "hours", "days"
_UNITS = [(DAYS, gettext_lazy("days")), (HOURS, gettext_lazy("hours"))]
_MOST_DAYS = LONGEST_WINDOW // DAY
_MOST_HOURS = LONGEST_WINDOW // HOUR
_EARNING = [(kind.value, kind.label) for kind in EventKind if kind not in TAKES_BACK | {GIVES_BACK}]
_YEARS = (1900, 2199)
_WINDOW_NAMES: dict[str, Promise] = {
    "click": gettext_lazy("A click counts for"),
    "lead": gettext_lazy("A lead counts for"),
    "intro": gettext_lazy("An introduction counts for"),
    "view": gettext_lazy("A banner that was seen counts for"),
}


class Section(NamedTuple):
    """A heading with rows of fields below it."""

    title: str
    says: str
    rows: list[list[forms.BoundField]]


class SettingsForm(forms.Form):
    """All of how a program gives credit."""

    use_required_attribute = False
    model = forms.ChoiceField(
        label=gettext_lazy("Of several contacts of the same rank"),
        choices=list(MODEL_NAMES.items()),
        widget=forms.RadioSelect,
    )
    assists = forms.BooleanField(
        label=gettext_lazy("Credit partners who helped without getting a share"),
        required=False,
        help_text=gettext_lazy("They earn nothing by the share; a plan can pay a bonus for helping."),
    )
    recurring_months = forms.IntegerField(
        label=gettext_lazy("Months in which a customer's later purchases earn"),
        required=False,
        min_value=1,
        max_value=240,
        help_text=gettext_lazy(
            "Counted from the first credited event by the calendar. Empty: without an end. Only used where who brought"
            " the customer counts."
        ),
    )
    customers = forms.ChoiceField(
        label=gettext_lazy("Customers"),
        choices=[
            ("all", gettext_lazy("New and existing customers count alike")),
            ("new", gettext_lazy("Only customers who have not bought before")),
        ],
        widget=forms.RadioSelect,
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Events that count"),
        choices=_EARNING,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None ticked: all of them."),
    )
    least = MoneyField(
        label=gettext_lazy("Least amount of an order"),
        required=False,
        help_text=gettext_lazy("Before anything is deducted. Empty: any amount."),
    )
    countries = WordsField(
        label=gettext_lazy("Countries of customers"),
        help_text=gettext_lazy("Names or codes, with commas between them. Empty: every country."),
    )
    products = WordsField(
        label=gettext_lazy("Products"),
        help_text=gettext_lazy("As the shop names them, with commas between them. Empty: every product."),
    )
    categories = WordsField(
        label=gettext_lazy("Categories"),
        help_text=gettext_lazy("As the shop names them, with commas between them. Empty: every category."),
    )
    attributes = forms.CharField(
        label=gettext_lazy("Attributes an event has to carry"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One per line, such as channel = web."),
    )

    def __init__(self, data: Any = None, *, program: Program, settings: Settings) -> None:
        super().__init__(data, initial=_initial(settings, program))
        self.settings = settings
        for kind in TOUCH_KINDS:
            self.fields[f"rank_{kind}"] = forms.ChoiceField(
                label=str(CONTACT_NAMES[kind]), choices=_ranks(), required=False
            )
        for name, label in [
            *_WINDOW_NAMES.items(),
            ("half_life", gettext_lazy("One that is half as much worth is older by")),
        ]:
            field = name if name == "half_life" else f"window_{name}"
            self.fields[field] = forms.IntegerField(label=str(label), min_value=1, max_value=_MOST_HOURS)
            unit = forms.ChoiceField(label=gettext_lazy("Days or hours"), choices=_UNITS)
            self.fields[f"{field}_unit"] = unit
        least = self.fields["least"]
        if isinstance(least, MoneyField):
            least.currency = program.currency

    def sections(self) -> Iterator[Section]:
        """Yield the fields as the page groups them."""
        says = _(
            "Contacts with the lowest number decide; those with the same number share. What never counts has no number."
        )
        yield Section(_("Which contacts decide"), says, self._rows(*(f"rank_{kind}" for kind in TOUCH_KINDS)))
        yield Section(_("How credit is shared"), "", self._rows("model", "half_life", "assists"))
        windows = [f"window_{kind}" for kind in WINDOWED]
        yield Section(_("How long contacts count"), "", self._rows(*windows, "recurring_months"))
        names = ("customers", "kinds", "least", "countries", "products", "categories", "attributes")
        yield Section(_("What counts as a referral"), "", self._rows(*names))

    def _rows(self, *names: str) -> list[list[forms.BoundField]]:
        """Return each field in a row of its own, with its unit beside it."""
        return [[self[each] for each in (name, f"{name}_unit") if each in self.fields] for name in names]

    def clean_countries(self) -> list[str]:
        """Return codes; refuse what is no country."""
        codes = [code_of(each) for each in self.cleaned_data["countries"]]
        unknown = [
            each
            for each, code in zip(self.cleaned_data["countries"], codes, strict=True)
            if not is_code(code)
        ]
        if unknown:
            raise ValidationError(_("No country is called %(names)s."), params={"names": ", ".join(unknown)})
        return sorted(set(codes))

    def clean_attributes(self) -> tuple[tuple[str, str], ...]:
        """Read names and values."""
        found = {}
        for line in self.cleaned_data["attributes"].splitlines():
            if not line.strip():
                continue
            name, equals, value = (part.strip() for part in line.partition("="))
            if not (name and equals and value):
                raise ValidationError(
                    _("Write “%(line)s” as a name, an equals sign and a value."), params={"line": line[:60]}
                )
            found[name] = value
        return tuple(sorted(found.items()))

    def clean(self) -> dict[str, Any]:
        """Ask for one contact that counts, and keep windows within what can be looked back."""
        given = super().clean() or {}
        if not any(given.get(f"rank_{kind}") for kind in TOUCH_KINDS):
            self.add_error("rank_deal", _("At least one kind of contact has to count."))
        for name in [*(f"window_{kind}" for kind in WINDOWED), "half_life"]:
            if given.get(name) and _hours(given, name) > _MOST_HOURS:
                self.add_error(name, _("At most %(days)s days.") % {"days": _MOST_DAYS})
        return given

    def wanted(self) -> Settings:
        """Return what was written."""
        given = self.cleaned_data
        groups: dict[int, list[TouchKind]] = {}
        for kind in TOUCH_KINDS:
            if given[f"rank_{kind}"]:
                groups.setdefault(int(given[f"rank_{kind}"]), []).append(kind)
        least: Money | None = given["least"]
        return Settings(
            model=given["model"],
            precedence=tuple(tuple(groups[rank]) for rank in sorted(groups)),
            window_hours={kind: _hours(given, f"window_{kind}") for kind in WINDOWED},
            half_life_hours=_hours(given, "half_life"),
            recurring_months=given["recurring_months"],
            assists=given["assists"],
            qualifies=Qualifies(
                kinds=tuple(given["kinds"]),
                least_minor=least.minor if least else 0,
                countries=tuple(given["countries"]),
                products=tuple(given["products"]),
                categories=tuple(given["categories"]),
                attributes=given["attributes"],
                customers=given["customers"],
            ),
        )


class PublishForm(forms.Form):
    """From when on events are judged by a version, in the program's time zone."""

    effective_on = forms.DateField(
        label=gettext_lazy("In force from"), widget=forms.DateInput(attrs={"type": "date"}), required=False
    )

    def __init__(self, data: Any = None, *, program: Program) -> None:
        super().__init__(data)
        self.program = program
        text = _("The day it begins, at midnight in %(zone)s. Empty: at once.")
        self.fields["effective_on"].help_text = text % {"zone": program.time_zone}

    def clean_effective_on(self) -> date | None:
        """Refuse days whose neighbours calendars do not have."""
        day: date | None = self.cleaned_data["effective_on"]
        if day is not None and not _YEARS[0] <= day.year <= _YEARS[1]:
            raise ValidationError(
                _("Choose a day from the years %(first)s to %(last)s."),
                params={"first": _YEARS[0], "last": _YEARS[1]},
            )
        return day

    def effective_at(self, *, now: datetime) -> datetime:
        """Return the instant the version begins; today means now."""
        day = self.cleaned_data["effective_on"]
        if day is None or day == local_day(now, self.program.zone):
            return now
        return datetime.combine(day, time(0), tzinfo=self.program.zone)


def _ranks() -> list[tuple[str, Any]]:
    return [("", _("Never")), *((str(rank), str(rank)) for rank in range(1, len(TOUCH_KINDS) + 1))]


def _hours(given: Mapping[str, Any], name: str) -> int:
    return int(given[name]) * (24 if given.get(f"{name}_unit") == DAYS else 1)


def _initial(settings: Settings, program: Program) -> dict[str, Any]:
    asks = settings.qualifies
    values: dict[str, Any] = {
        "model": settings.model,
        "assists": settings.assists,
        "recurring_months": settings.recurring_months,
        "customers": asks.customers,
        "kinds": list(asks.kinds),
        "least": Money(asks.least_minor, program.currency) if asks.least_minor else None,
        "countries": list(asks.countries),
        "products": list(asks.products),
        "categories": list(asks.categories),
        "attributes": "\n".join(f"{name} = {value}" for name, value in asks.attributes),
    }
    for kind in TOUCH_KINDS:
        rank = settings.rank(kind)
        values[f"rank_{kind}"] = "" if rank is None else str(rank + 1)
    standing = {f"window_{kind}": settings.window_hours.get(kind, 24) for kind in WINDOWED}
    for name, hours in {**standing, "half_life": settings.half_life_hours}.items():
        is_days = hours % 24 == 0
        values[name], values[f"{name}_unit"] = (hours // 24, DAYS) if is_days else (hours, HOURS)
    return values
