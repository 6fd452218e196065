"""Read targets as people type them: amounts with the decimals of the currency, everything else as whole numbers. Whether a target makes sense is
for the verbs to say."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from prm.lib.forms import MoneyField
from prm.lib.money import Money
from tiers.targets import is_money

_BLANKS = re.compile(r"[\s\u00a0\u202f']")
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def read_target(text: str, metric: str, currency: str) -> int | None:
    """Return a target in the unit of its goal, None when nothing was typed.

    Raises: ValidationError.
    """
    if is_money(metric):
        amount = MoneyField(currency=currency, is_signed=True, required=False).to_python(text)
        return None if amount is None else amount.minor
    plain = _BLANKS.sub("", text)
    if not plain:
        return None
    if not _WHOLE.fullmatch(plain):
        raise ValidationError(_("Write a whole number such as 12."), code="not_a_number")
    return int(plain)


def typed(target: int, metric: str, currency: str) -> str:
    """Return a target as it is typed."""
    return str(Money(target, currency).decimal()) if is_money(metric) else str(target)
