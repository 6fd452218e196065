"""Say what the columns of a shop's file mean: which one holds which fact of an event, and how its amounts and dates are written. Guessed
from the header and the first lines, put right by a person, and checked before a line is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from zoneinfo import available_timezones

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from referrals import reading
from referrals.reading import BadValue

FIELDS: dict[str, Promise] = {
    "event_id": _("Event or order id"),
    "kind": _("Kind of event"),
    "occurred_at": _("Date and time"),
    "amount": _("Amount"),
    "currency": _("Currency"),
    "customer_id": _("Customer’s id"),
    "customer_email": _("Customer’s e-mail"),
    "customer_email_sha256": _("Hash of the customer’s e-mail"),
    "country": _("Country"),
    "code": _("Partner’s code"),
    "click_id": _("Click id"),
    "original_event_id": _("Id of the sale a refund takes back"),
    "product": _("Product’s code"),
    "category": _("Category"),
    "quantity": _("Pieces"),
    "tax": _("Tax in the amount"),
    "shipping": _("Shipping in the amount"),
    "discount": _("Discount in the amount"),
    "cost": _("What the goods cost"),
    "sub_id": _("Sub-id"),
    "campaign": _("Campaign"),
    "deal": _("Deal"),
    "lead": _("Lead"),
}
REQUIRED = ("event_id", "kind", "occurred_at", "amount", "currency")
CONSTANTS = ("kind", "currency", "amount", "country", "code", "product", "category", "campaign")
DELIMITERS: dict[str, Promise] = {
    ",": _("Comma"),
    ";": _("Semicolon"),
    "\t": _("Tabulator"),
    "|": _("Vertical bar"),
}
DECIMALS: dict[str, Promise] = {".": _("Point: 1,234.50"), ",": _("Comma: 1.234,50")}
DATES: dict[str, Promise] = {
    "iso": _("Year first: 2026-11-22 or 2026-11-22T14:03:00Z"),
    "dmy": _("Day first: 22/11/2026 or 22.11.2026 14:03"),
    "mdy": _("Month first: 11/22/2026 2:03 PM"),
    "unix": _("Seconds since 1970"),
}
NEGATIVES: dict[str, Promise] = {
    "refuse": _("They are faults"),
    "refund": _("They are refunds of that amount"),
}
ATTRIBUTE = "attribute:"
IGNORED = ""


class BadMapping(Refused):
    """What was said about the columns makes no sense; `field` names what."""

    def __init__(self, message: str | Promise, *, field: str, **params: object) -> None:
        super().__init__(message, code="bad_mapping", field=field, params=params)


@dataclass(frozen=True)
class FileMapping:
    """What the columns of a file mean: facts by column, facts that are the same in every line, and how values are written."""

    columns: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)  # name of the attribute → column
    delimiter: str = ","
    decimal: str = "."
    dates: str = "iso"
    zone: str = "UTC"
    negatives: str = "refuse"

    def as_json(self) -> dict[str, Any]:
        """Return it in plain values, which `read` takes back."""
        return {
            name: dict(value) if isinstance(value, Mapping) else value for name, value in asdict(self).items()
        }

    def meaning_of(self, column: str) -> str:
        """Return what a column means, as a person chooses it; nothing when it is not read."""
        for name, held in self.columns.items():
            if held == column:
                return name
        found = next((name for name, held in self.attributes.items() if held == column), None)
        return IGNORED if found is None else ATTRIBUTE + found


def read(told: Any) -> FileMapping:
    """Return a mapping from what `as_json` gave.

    Raises: BadMapping.
    """
    try:
        known = {
            name: value for name, value in dict(told).items() if name in FileMapping.__dataclass_fields__
        }
        return FileMapping(**known)
    except (TypeError, ValueError):
        raise BadMapping(_("This is not a mapping of columns."), field="columns") from None


def check(mapping: FileMapping, header: Sequence[str]) -> None:
    """Refuse a mapping no line of a file with `header` could be read by.

    Raises: BadMapping.
    """
    unknown = [name for name in (*mapping.columns, *mapping.constants) if name not in FIELDS]
    if unknown:
        raise BadMapping(_("There is no field “%(name)s”."), field="columns", name=reading.shown(unknown[0]))
    used = [*mapping.columns.values(), *mapping.attributes.values()]
    absent = [column for column in used if column not in header]
    if absent:
        raise BadMapping(
            _("The file has no column “%(column)s”."), field="columns", column=reading.shown(absent[0])
        )
    lacking = next(
        (name for name in REQUIRED if name not in mapping.columns and not mapping.constants.get(name)), None
    )
    if lacking is not None:
        raise BadMapping(
            _("Say which column this is, or what it is in every line: %(what)s."),
            field=lacking,
            what=FIELDS[lacking],
        )
    _check_constants(mapping)
    _check_options(mapping)
    try:
        reading.attributes(dict.fromkeys(mapping.attributes, ""))
    except BadValue as fault:
        raise BadMapping(str(fault), field="columns") from None


def _check_constants(mapping: FileMapping) -> None:
    told = {name: value for name, value in mapping.constants.items() if value}
    for name in told:
        if name not in CONSTANTS:
            raise BadMapping(
                _("This cannot be the same in every line: %(what)s."), field=name, what=FIELDS[name]
            )
        if name in mapping.columns:
            raise BadMapping(
                _("Give either a column or a value for every line: %(what)s."), field=name, what=FIELDS[name]
            )
    try:
        if "kind" in told:
            reading.kind(told["kind"])
        if "currency" in told:
            reading.currency(told["currency"])
    except BadValue as fault:
        raise BadMapping(str(fault), field=fault.field or "columns") from None


def _check_options(mapping: FileMapping) -> None:
    known: dict[str, Iterable[str]] = {
        "delimiter": DELIMITERS,
        "decimal": DECIMALS,
        "dates": DATES,
        "negatives": NEGATIVES,
        "zone": available_timezones(),
    }
    for name, choices in known.items():
        value = getattr(mapping, name)
        if not isinstance(value, str) or value not in choices:
            raise BadMapping(
                _("“%(value)s” is not one of the choices."), field=name, value=reading.shown(str(value))
            )


def header_sha256(header: Sequence[str]) -> str:
    """Return what a header is remembered by: the names in their order, whatever parts them."""
    return hashlib.sha256("\x1f".join(header).encode()).hexdigest()
