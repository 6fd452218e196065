"""Check addresses of pages that people type. Only http and https lead anywhere from our pages."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from prm.lib.errors import Refused

LONGEST = 300  # characters of the columns that hold one


def web_address(text: str, refusal: type[Refused]) -> str:
    """Return an address without what surrounds it, empty when nothing is given. Raises `refusal` when it is none, or too long."""
    address = text.strip()
    if not address:
        return ""
    try:
        URLValidator(schemes=["http", "https"])(address)
    except ValidationError as error:
        raise refusal from error
    if len(address) > LONGEST:
        raise refusal
    return address
