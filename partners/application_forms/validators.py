"""What text people may type into our forms. Each check says what is wrong and how to put it right."""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

_PHONE = re.compile(r"[+(]?[0-9][0-9 ()./-]{4,}[0-9]")
# They turn text around on the screen, so a name could read as something else.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(value: str) -> None:
    """Refuse characters nobody types: control characters and those that turn the direction of text."""
    for char in value:
        if char in _TURNING or (unicodedata.category(char) in ("Cc", "Cs") and char not in "\r\n\t"):
            raise ValidationError(_("Remove the invisible characters from this field."), code="printable")


def one_line(value: str) -> None:
    """Refuse line breaks and tabs."""
    if any(char in value for char in "\r\n\t\x0b\x0c\x85\u2028\u2029"):
        raise ValidationError(_("Write this on one line."), code="one_line")


def phone_number(value: str) -> None:
    """Refuse what is no phone number, without asking for one country's form."""
    if not _PHONE.fullmatch(value):
        raise ValidationError(_("Enter a phone number like +44 20 7946 0018."), code="phone")
