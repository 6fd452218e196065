"""The forms of an import: the file, what each of its columns means, and how its values are written. A form only asks; `referrals.mapping`
decides whether the answers make sense."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from referrals import mapping
from referrals.mapping import ATTRIBUTE, CONSTANTS, FIELDS, IGNORED, FileMapping
from tiers.choices import EventKind

OWN_ATTRIBUTE = f"{ATTRIBUTE}*"
LONGEST_EXAMPLE = 60


class ImportForm(forms.Form):
    """A file of sales and how to take it."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, plain or .gz, in UTF-8, with a header line."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.gz,text/csv,application/gzip"}),
    )
    source = forms.CharField(
        label=_("Source"),
        max_length=40,
        initial="import",
        help_text=_(
            "The shop or system the event ids belong to. The same id of the same source counts once."
        ),
    )
    dry_run = forms.BooleanField(
        label=_("Only try it: check every line and keep nothing"), required=False, initial=True
    )
    atomic = forms.BooleanField(
        label=_("Take all lines or none"),
        required=False,
        help_text=_("Otherwise the good lines are taken and the faulty ones are named."),
    )


class ColumnsForm(forms.Form):
    """What each column of one file means; the values to begin with are those remembered or guessed."""

    def __init__(
        self,
        *args: Any,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        suggested: FileMapping,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.header = header
        self.suggested = suggested
        for index, column in enumerate(header):
            meaning = suggested.meaning_of(column)
            self.fields[f"column_{index}"] = forms.ChoiceField(
                label=column,
                required=False,
                choices=_meanings(meaning),
                initial=meaning,
                help_text=_example(index, rows),
            )
        self._add_constants()
        self._add_options()

    def _add_constants(self) -> None:
        kinds = [("", "–"), *EventKind.choices]
        for name in CONSTANTS:
            initial = self.suggested.constants.get(name, "")
            field = (
                forms.ChoiceField(choices=kinds, initial=initial, required=False)
                if name == "kind"
                else forms.CharField(max_length=64, initial=initial, required=False)
            )
            field.label = str(FIELDS[name])
            self.fields[f"always_{name}"] = field

    def _add_options(self) -> None:
        zones = [(zone, zone) for zone in sorted(available_timezones())]
        told: dict[str, tuple[Any, list[tuple[str, Any]]]] = {
            "decimal": (_("Amounts are written with a"), list(mapping.DECIMALS.items())),
            "dates": (_("Dates are written"), list(mapping.DATES.items())),
            "zone": (_("Time zone of dates that say none"), zones),
            "negatives": (_("Amounts below zero"), list(mapping.NEGATIVES.items())),
        }
        for name, (label, choices) in told.items():
            self.fields[name] = forms.ChoiceField(
                label=label, choices=choices, initial=getattr(self.suggested, name)
            )
        self.fields["atomic"] = forms.BooleanField(
            label=_("Take all lines or none"),
            required=False,
            help_text=_("Otherwise the good lines are taken and the faulty ones are named."),
        )

    def clean(self) -> dict[str, Any]:
        """Refuse two columns for one fact."""
        values: dict[str, Any] = super().clean() or {}
        seen: dict[str, str] = {}
        for index, column in enumerate(self.header):
            meaning = values.get(f"column_{index}", "")
            if meaning in seen and meaning in FIELDS:
                told = {"what": FIELDS[meaning], "column": seen[meaning]}
                self.add_error(f"column_{index}", _("“%(column)s” is already this: %(what)s.") % told)
            seen.setdefault(meaning, column)
        return values

    def told(self) -> FileMapping:
        """Return what was said about the columns."""
        values = self.cleaned_data
        columns: dict[str, str] = {}
        attributes: dict[str, str] = {}
        for index, column in enumerate(self.header):
            meaning = values[f"column_{index}"]
            if meaning.startswith(ATTRIBUTE):
                name = column if meaning == OWN_ATTRIBUTE else meaning
                attributes[name.removeprefix(ATTRIBUTE)] = column
            elif meaning:
                columns[meaning] = column
        return FileMapping(
            columns=columns,
            constants={name: value for name in CONSTANTS if (value := values[f"always_{name}"].strip())},
            attributes=attributes,
            delimiter=self.suggested.delimiter,
            decimal=values["decimal"],
            dates=values["dates"],
            zone=values["zone"],
            negatives=values["negatives"],
        )

    def place_of(self, name: str | None) -> str | None:
        """Return the field of this form at which a refusal about `name` is shown."""
        if name in self.fields:
            return name
        return f"always_{name}" if f"always_{name}" in self.fields else None

    def columns_asked(self) -> list[forms.BoundField]:
        """Return the questions about columns, in their order."""
        return [self[f"column_{index}"] for index in range(len(self.header))]

    def constants_asked(self) -> list[forms.BoundField]:
        """Return the questions about what is the same in every line."""
        return [self[f"always_{name}"] for name in CONSTANTS]

    def options_asked(self) -> list[forms.BoundField]:
        """Return the questions about how values are written."""
        return [self[name] for name in ("decimal", "dates", "zone", "negatives", "atomic")]


def _meanings(meaning: str) -> list[tuple[str, Any]]:
    choices: list[tuple[str, Any]] = [(IGNORED, _("Not read")), *FIELDS.items()]
    if meaning.startswith(ATTRIBUTE):
        told = {"name": meaning.removeprefix(ATTRIBUTE)}
        choices.append((meaning, _("A further fact: %(name)s") % told))
    return [*choices, (OWN_ATTRIBUTE, _("A further fact, by the column’s name"))]


def _example(index: int, rows: Sequence[Sequence[str]]) -> str:
    """Return the first value a column has."""
    found = (row[index].strip() for row in rows if index < len(row))
    return next((text[:LONGEST_EXAMPLE] for text in found if text), "")
