"""Form fields for what people type and columns hold: amounts in major units, and lists of words. An amount is read exactly, with the
decimals of its currency and no more."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from prm.lib import l10n
from prm.lib.money import BadAmount, Money, UnknownCurrency, exponent

_BLANKS = re.compile(r"[\s\u00a0\u202f']")
_MESSAGES = {
    "not_an_amount": _("Write an amount such as %(example)s."),
    "too_many_decimals": _("%(currency)s has %(decimals)s decimals: write an amount such as %(example)s."),
    "too_large": _("This amount is too large."),
    "negative": _("The amount must not be negative."),
    "no_currency": _("Choose the currency first."),
}


class MoneyField(forms.CharField):
    """An amount typed in major units, such as 2.00; its value is Money. The form sets `currency` before it cleans."""

    default_error_messages = _MESSAGES  # type: ignore[assignment]  # the stubs know one kind of promise

    def __init__(self, *, currency: str = "", is_signed: bool = False, **kwargs: Any) -> None:
        self.currency = currency
        self.is_signed = is_signed
        super().__init__(**kwargs)
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off"})

    def prepare_value(self, value: Any) -> Any:
        """Show an amount as it is typed."""
        return str(value.decimal()) if isinstance(value, Money) else value

    def to_python(self, value: Any) -> Any:
        """Read the amount; nothing typed is nothing.

        Raises: ValidationError.
        """
        if isinstance(value, Money):
            return value
        text = self._without_currency(_BLANKS.sub("", str(value or "")))
        if not text:
            return None
        try:
            amount = Money.parse(self._with_point(text), self.currency)
        except UnknownCurrency as error:
            raise ValidationError(_MESSAGES["no_currency"], code="no_currency") from error
        except BadAmount as error:
            raise ValidationError(_MESSAGES[error.code], code=error.code, params=self._params()) from error
        if amount.minor < 0 and not self.is_signed:
            raise ValidationError(_MESSAGES["negative"], code="negative")
        return amount

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare amounts, so that 2 and 2.00 are the same."""
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except ValidationError:
            return True

    def _without_currency(self, text: str) -> str:
        """Leave out the field's own currency, by code or sign; another one stays, and is refused."""
        if not self.currency:
            return text
        for name in (self.currency, l10n.currency_sign(self.currency)):
            text = text.removeprefix(name).removesuffix(name)
        return text

    def _with_point(self, text: str) -> str:
        """Read one comma as the decimal mark where nothing else can be meant; 1,000 stays unreadable."""
        whole, comma, part = text.partition(",")
        is_mark = comma and "." not in text and 0 < len(part) <= exponent(self.currency)
        return f"{whole}.{part}" if is_mark else text

    def _params(self) -> dict[str, Any]:
        decimals = exponent(self.currency)
        example = Money(2 * 10**decimals, self.currency).decimal()
        return {"currency": self.currency, "decimals": decimals, "example": str(example)}


class WordsField(forms.CharField):
    """A list of words, typed with commas, spaces or new lines between them."""

    def __init__(self, *, capitals: bool = False, **kwargs: Any) -> None:
        self.capitals = capitals
        super().__init__(**{"required": False, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        """Show the words with commas between them."""
        return value if isinstance(value, str) or value is None else ", ".join(map(str, value))

    def to_python(self, value: Any) -> Any:
        """Return the words, each once, in the order typed."""
        text = value if isinstance(value, str) else ", ".join(value or [])
        words = [word.upper() if self.capitals else word for word in re.split(r"[,;\n\r]+", text)]
        return _once(word.strip() for word in words)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the words, not how they were typed."""
        return bool(self.to_python(initial) != self.to_python(data))

    def validate(self, value: Any) -> None:
        """Refuse an empty list where one is needed."""
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """Run nothing more: the validators of texts do not fit lists."""


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(word for word in words if word))
