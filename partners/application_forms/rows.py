"""Questions answered in rows of a few small fields: channels and references. They are plain inputs that work without JavaScript; empty
rows count for nothing, and what is wrong in a row is said at its own field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorList
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise as Words

Row = dict[str, Any]
_SHOWN_AT_FIRST = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One small field of a row, as the page lays it out."""

    id: str
    label: Words
    control: SafeString
    errors: list[str]
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One row as the page lays it out; `is_extra` rows wait behind “add another”."""

    legend: str
    parts: list[Part]
    is_extra: bool


class RowsWidget(forms.Widget):
    """The inputs of all rows, named `<question>-<row>-<part>`."""

    def __init__(self, parts: Mapping[str, forms.Field], *, most: int) -> None:
        super().__init__()
        self.parts, self.most = parts, most

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[Row]:
        """Return what was typed, row by row, the empty ones too."""
        return [
            {key: str(data.get(f"{name}-{number}-{key}") or "").strip() for key in self.parts}
            for number in range(self.most)
        ]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        """Tell whether no row was sent at all."""
        return not any(name_given.startswith(f"{name}-") for name_given in data)

    def control(
        self, name: str, number: int, key: str, value: Any, attrs: Mapping[str, Any] | None = None
    ) -> SafeString:
        """Return one input of one row."""
        shown: SafeString = self.parts[key].widget.render(
            f"{name}-{number}-{key}", value, attrs=dict(attrs or {})
        )
        return shown

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return every input in a row, for pages that do not lay rows out themselves."""
        rows: Sequence[Row] = value or []
        controls = [
            self.control(name, number, key, rows[number].get(key, "") if number < len(rows) else "")
            for number in range(self.most)
            for key in self.parts
        ]
        return mark_safe("".join(controls))  # noqa: S308


class RowsBoundField(forms.BoundField):
    """A question in rows on a page: each small field with its id, value and errors."""

    field: RowsField

    @property
    def widget(self) -> RowsWidget:
        return cast(RowsWidget, self.field.widget)

    @property
    def errors_of_rows(self) -> dict[str, list[str]]:
        """Return what is wrong by `<row>-<part>`; what concerns the whole question stands under nothing."""
        found: dict[str, list[str]] = {}
        for error in self.errors.as_data():
            place = place_of(error)
            # Beside its field an error need not say again which row it is about.
            said = [str(error.params["problem"])] if place and error.params else error.messages
            found.setdefault(place, []).extend(said)
        return found

    @property
    def own_errors(self) -> list[str]:
        return self.errors_of_rows.get("", [])

    @property
    def described_by(self) -> str:
        """Return the ids of what explains the whole question: its help, and what is wrong with it as a whole."""
        ids = [f"{self.auto_id}_helptext"] if self.help_text else []
        return " ".join([*ids, *([f"{self.auto_id}_error"] if self.own_errors else [])])

    @property
    def first_place(self) -> str:
        """Return the place of the first small field, where one begins to answer."""
        return f"0-{next(iter(self.field.parts))}"

    @property
    def lines(self) -> list[Line]:
        """Return the rows to show: those that are filled, and some empty ones."""
        rows: list[Row] = self.value() or []
        filled = max((number for number, row in enumerate(rows, start=1) if any(row.values())), default=0)
        shown = max(_SHOWN_AT_FIRST, self.field.least, filled)
        return [
            Line(
                legend=self.field.legend(number + 1),
                parts=self._parts(number, rows[number] if number < len(rows) else {}),
                is_extra=number >= shown,
            )
            for number in range(self.field.most)
        ]

    @property
    def has_extra(self) -> bool:
        return any(line.is_extra for line in self.lines)

    def _parts(self, number: int, row: Row) -> list[Part]:
        return [self._part(number, key, part, row.get(key, "")) for key, part in self.field.parts.items()]

    def _part(self, number: int, key: str, part: forms.Field, value: Any) -> Part:
        errors = self.errors_of_rows.get(f"{number}-{key}", [])
        own_id = f"{self.auto_id}-{number}-{key}"
        attrs: dict[str, Any] = {"id": own_id}
        if errors:
            attrs |= {"aria-invalid": "true", "aria-describedby": f"{own_id}_error"}
        return Part(
            id=own_id,
            label=part.label or key,
            control=self.widget.control(self.html_name, number, key, "" if value is None else value, attrs),
            errors=errors,
            is_optional=not part.required,
        )


class RowsField(forms.Field):
    """A list of rows. A row somebody began has to be complete; `least` rows have to be given."""

    def __init__(
        self, *, parts: Mapping[str, forms.Field], row_name: Words, least: int, most: int, **kwargs: Any
    ) -> None:
        self.parts, self.row_name, self.least, self.most = parts, row_name, least, most
        super().__init__(widget=RowsWidget(parts, most=most), required=least > 0, **kwargs)

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> RowsBoundField:
        """Return the question as the page lays it out."""
        return RowsBoundField(form, self, field_name)

    def legend(self, number: int) -> str:
        """Return what a row is called: “Channel 2”."""
        return _("%(row)s %(number)d") % {"row": self.row_name, "number": number}

    def clean(self, value: Any) -> list[Row]:
        """Return the rows somebody filled in, each part read by its own field.

        Raises: ValidationError, one for each small field that is wrong.
        """
        errors: list[ValidationError] = []
        rows: list[Row] = []
        for number, given in enumerate(value or []):
            if any(given.values()):
                rows.append(self._clean_row(number, given, errors))
        if errors:
            raise ValidationError(errors)
        if len(rows) < self.least:
            raise self._too_few()
        return rows

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is filled in."""
        return [row for row in initial or [] if any(row.values())] != [
            row for row in data or [] if any(row.values())
        ]

    def _clean_row(self, number: int, given: Row, errors: list[ValidationError]) -> Row:
        cleaned: Row = {}
        for key, part in self.parts.items():
            try:
                cleaned[key] = part.clean(given.get(key, ""))
            except ValidationError as refusal:
                errors.extend(self._placed(number, key, message) for message in refusal.messages)
        return cleaned

    def _placed(self, number: int, key: str, message: str) -> ValidationError:
        said = _("%(row)s: %(problem)s")
        return ValidationError(
            said,
            code="row",
            params={"row": self.legend(number + 1), "problem": message, "place": f"{number}-{key}"},
        )

    def _too_few(self) -> ValidationError:
        said = ngettext(
            "Fill in %(least)d row of “%(question)s” at least.",
            "Fill in %(least)d rows of “%(question)s” at least.",
            self.least,
        )
        return ValidationError(
            said,
            code="required",
            params={"least": self.least, "question": self.label, "place": ""},
        )


def place_of(error: ValidationError) -> str:
    """Return where in a question of rows an error belongs; nothing for errors of the whole."""
    params = error.params if isinstance(error.params, Mapping) else {}
    return str(params.get("place", ""))


def errors_in(errors: ErrorList) -> list[tuple[str, str]]:
    """Return each error with its place, in the order of the rows."""
    return [(place_of(error), message) for error in errors.as_data() for message in error.messages]


CHANNEL = gettext_lazy("Channel")
REFERENCE = gettext_lazy("Reference")
