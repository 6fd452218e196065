"""Form fields of the rule editor: percents as people write them, lists of percents, and quantities whose unit depends on what is
counted. What is typed is read exactly or refused beside its field, never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from prm.lib.forms import MoneyField
from prm.lib.money import Money

_PERCENT = re.compile(r"[-\N{MINUS SIGN}]?[0-9]{1,4}([.,][0-9]{1,6})?")
_BLANKS = re.compile(r"[\s\u00a0\u202f]")
_LARGEST_COUNT = 1_000_000_000
NOT_A_PERCENT = _("Write a percentage such as 8 or 12.5.")


def percent_of(text: str) -> Decimal | None:
    """Return the percents a text writes, "12,5 %" as 12.5; nothing when it writes none."""
    bare = _BLANKS.sub("", text).removesuffix("%")
    if not _PERCENT.fullmatch(bare):
        return None
    return Decimal(bare.replace(",", ".").replace("\N{MINUS SIGN}", "-"))


def percent_text(percents: Decimal) -> str:
    """Write percents as the editor shows and the rows hold them: 12.5, without the zeros of a column."""
    return format(percents.normalize(), "f") if percents else "0"


class PercentField(forms.CharField):
    """A percentage, typed as 8, 8 % or 12,5; its value is the Decimal 8."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off"})

    def prepare_value(self, value: Any) -> Any:
        """Show a percentage without needless zeros."""
        return percent_text(value) if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Any:
        """Read the percentage; nothing typed is nothing.

        Raises: ValidationError.
        """
        if isinstance(value, Decimal) or value in self.empty_values:
            return value or None
        found = percent_of(str(value))
        if found is None:
            raise ValidationError(NOT_A_PERCENT, code="not_a_percent")
        return found

    def run_validators(self, value: Any) -> None:
        """Run nothing more: the validators of texts do not fit numbers."""


class PercentsField(forms.CharField):
    """A list of percentages, typed as 20; 10; 5: a semicolon or a blank parts them, since a comma may be a decimal mark."""

    def prepare_value(self, value: Any) -> Any:
        """Show the list as it is typed."""
        return value if isinstance(value, str) or value is None else "; ".join(map(percent_text, value))

    def to_python(self, value: Any) -> Any:
        """Read the list.

        Raises: ValidationError.
        """
        parts: Iterable[str] = re.split(r"[;\n]+|(?<=%)\s*,|,\s+|\s+(?!%)", str(value or ""))
        typed = [part for part in parts if part.strip()]
        found = [percent_of(part) for part in typed]
        if None in found:
            raise ValidationError(NOT_A_PERCENT, code="not_a_percent")
        return found

    def validate(self, value: Any) -> None:
        """Refuse an empty list where one is needed."""
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """Run nothing more: the validators of texts do not fit lists."""


class MeasureField(MoneyField):
    """An amount of money, or with `is_counted` a whole number; its value is a whole number of minor units or of pieces."""

    def __init__(self, *, is_counted: bool = False, **kwargs: Any) -> None:
        self.is_counted = is_counted
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show stored units as they are typed."""
        if not isinstance(value, int) or self.is_counted or not self.currency:
            return value
        return str(Money(value, self.currency).decimal())

    def to_python(self, value: Any) -> Any:
        """Read the quantity; nothing typed is nothing.

        Raises: ValidationError.
        """
        if not self.is_counted:
            amount = super().to_python(value)
            return amount.minor if isinstance(amount, Money) else amount
        text = _BLANKS.sub("", str(value if value is not None else "")).removesuffix("%")
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > _LARGEST_COUNT:
            raise ValidationError(_("Write a whole number such as 25."), code="not_a_count")
        return int(text)


class LinesField(forms.CharField):
    """A list of texts, one on each line; commas belong to the text."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 30})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "max_length": 20_000, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        """Show each text on its line."""
        return value if isinstance(value, str) or value is None else "\n".join(map(str, value))

    def to_python(self, value: Any) -> Any:
        """Return the texts, each once, in the order typed."""
        lines = value.splitlines() if isinstance(value, str) else value or []
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))

    def run_validators(self, value: Any) -> None:
        """Run nothing more: the validators of texts do not fit lists."""
