"""Form fields that a form in the product has and Django has not: numbers without floats, and a few files at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

_BLANKS = re.compile(r"[\s\u00a0\u202f']")
_GROUPED = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]{1,2})?")
_PLAIN = re.compile(r"(-?[0-9]{1,15})(?:[.,]([0-9]{1,2}))?")


class NumberField(forms.CharField):
    """A number, whole or with one or two decimals, read exactly; its value is a Decimal, nothing typed is None."""

    default_error_messages = {  # as every field of Django has it
        "number": _("Write a number such as 1200 or 2.5."),
        "least": _("Write a number that is %(limit)s at least."),
        "most": _("Write a number that is %(limit)s at most."),
    }

    def __init__(self, *, least: int | None = None, most: int | None = None, **kwargs: Any) -> None:
        self.least, self.most = least, most
        super().__init__(**kwargs)
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off"})

    def prepare_value(self, value: Any) -> Any:
        """Show a number as it is typed."""
        return plain(value) if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Any:
        """Read the number.

        Raises: ValidationError.
        """
        text = _BLANKS.sub("", str(value if value is not None else "")).replace("\N{MINUS SIGN}", "-")
        if not text:
            return None
        if _GROUPED.fullmatch(text) and (get_language() or "en").startswith("en"):
            text = text.replace(",", "")
        found = _PLAIN.fullmatch(text)
        # 1.000 is a thousand here and one there: three digits behind a mark are not guessed at.
        if found is None:
            raise ValidationError(self.error_messages["number"], code="number")
        return Decimal(found[1] + (f".{found[2]}" if found[2] else ""))

    def validate(self, value: Any) -> None:
        """Refuse nothing where something is needed, and what lies outside the limits."""
        if value is None:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return
        if self.least is not None and value < self.least:
            raise ValidationError(self.error_messages["least"], code="least", params={"limit": self.least})
        if self.most is not None and value > self.most:
            raise ValidationError(self.error_messages["most"], code="most", params={"limit": self.most})

    def run_validators(self, value: Any) -> None:
        """Run nothing more: the validators of texts do not fit numbers."""


class WholeNumberField(NumberField):
    """A whole number; its value is an int."""

    default_error_messages = {"number": _("Write a whole number such as 1200.")}

    def to_python(self, value: Any) -> Any:
        """Read the number.

        Raises: ValidationError.
        """
        number = super().to_python(value)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise ValidationError(self.error_messages["number"], code="number")
        return int(number)


class SeveralField(forms.MultipleChoiceField):
    """Any of several choices, with so many chosen at least and at most."""

    def __init__(self, *, least: int | None = None, most: int | None = None, **kwargs: Any) -> None:
        self.least, self.most = least, most
        super().__init__(**kwargs)

    def validate(self, value: Any) -> None:
        """Refuse what is no choice, too few and too many; choosing nothing is too few only where something is needed."""
        super().validate(value)
        if value and self.least is not None and len(value) < self.least:
            said = ngettext(
                "Choose %(limit)d answer at least.", "Choose %(limit)d answers at least.", self.least
            )
            raise ValidationError(said, code="least", params={"limit": self.least})
        if value and self.most is not None and len(value) > self.most:
            said = ngettext(
                "Choose %(limit)d answer at most.", "Choose %(limit)d answers at most.", self.most
            )
            raise ValidationError(said, code="most", params={"limit": self.most})


class FilesWidget(forms.FileInput):
    """A control that takes several files at once."""

    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Return every file that was given."""
        return files.getlist(name) if hasattr(files, "getlist") else [files[name]] if name in files else []


class FilesField(forms.FileField):
    """Some files; what is in them is looked at when they are kept. `initial` holds the names of those that are kept already."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        self.most = most
        super().__init__(widget=FilesWidget(), **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return the new files; together with those already kept they are not too many.

        Raises: ValidationError.
        """
        given, kept = [each for each in data or [] if each], list(initial or [])
        if self.required and not given and not kept:
            raise ValidationError(self.error_messages["required"], code="required")
        too_many_files(len(given), kept=kept, most=self.most)
        return [super(FilesField, self).clean(each) for each in given]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Tell whether a file was given."""
        return bool(data)


def too_many_files(given: int, *, kept: Sequence[Any], most: int) -> None:
    """Refuse more files than a question, or a form, takes.

    Raises: ValidationError.
    """
    if given and given + len(kept) > most:
        said = ngettext(
            "Give %(most)d file at most; remove one that is there already to give another.",
            "Give %(most)d files at most; remove one that is there already to give another.",
            most,
        )
        raise ValidationError(said, code="too_many", params={"most": most})


def plain(number: Decimal) -> str:
    """Write a number as people type it and as it is stored: 1200, 2.5."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
