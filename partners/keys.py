"""How details of people and companies are compared: a phone number by its digits, a name by its beginning, a website by its host. Each key is
an expression of the database with an index of its own, so a look around reads a few rows whatever the number of partners."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import CharField, F, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat, Lower, Replace, StrIndex, Substr

NAME_LENGTH = 6
_NOISE = " -.,/()+'&"


def squashed(text: str) -> str:
    """Return what `squash` makes of a text in the database."""
    return "".join(char for char in text.lower() if char not in _NOISE)


def squash(field: str) -> Combinable:
    """Return a column in lower case without blanks and punctuation."""
    found: Combinable = Lower(field)
    for char in _NOISE:
        found = Replace(found, Value(char), Value(""))
    return found


def beginning(field: str) -> Combinable:
    """Return how a name begins."""
    return Substr(squash(field), 1, NAME_LENGTH)


def host(field: str) -> Combinable:
    """Return the host of a web address, without www."""
    found: Combinable = Lower(field)
    for part in ("https://", "http://", "www."):
        found = Replace(found, Value(part), Value(""))
    closed = Concat(found, Value("/"), output_field=CharField())
    return Substr(closed, 1, StrIndex(closed, Value("/")) - Value(1))


def provider(field: str) -> Combinable:
    """Return the part of an e-mail address after the @."""
    return Substr(Lower(field), StrIndex(F(field), Value("@")) + Value(1))


# What a key is called, how it is made, and from which column of a partner and of an application.
KEYS: dict[str, tuple[Callable[[str], Combinable], str, str]] = {
    "key_name": (beginning, "name", "company"),
    "key_host": (host, "website", "website"),
    "key_mail": (provider, "email", "email"),
    "key_phone": (squash, "phone", "phone"),
    "key_vat": (squash, "vat_number", "vat_number"),
    "key_place": (squash, "postcode", "postcode"),
}


def of_partner(name: str) -> Combinable:
    """Return a key of a partner."""
    make, column, _other = KEYS[name]
    return make(column)


def of_application(name: str) -> Combinable:
    """Return a key of an application."""
    make, _other, column = KEYS[name]
    return make(column)
