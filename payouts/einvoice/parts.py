"""What both syntaxes of the European invoice share: how amounts and quantities are written, and how elements are made. Texts come from frozen
facts and go through the XML library, which escapes them; what XML cannot hold is taken out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from prm.lib.money import Money, exponent

EN16931 = "urn:cen.eu:en16931:2017"
UNIT = "C62"  # one of something
_MOST_DECIMALS = 2
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line as the standard wants it: a price that is not negative, and a quantity that may be."""

    name: str
    quantity: str
    price: str
    amount: str


def is_possible(facts: dict[str, Any]) -> bool:
    """Say whether the standard can express the invoice: it knows no amounts with three decimals (BR-DEC)."""
    return exponent(facts["currency"]) <= _MOST_DECIMALS


def lines_of(facts: dict[str, Any]) -> list[InvoiceLine]:
    """Return the lines of an invoice; what is taken back has the quantity -1 (BR-27)."""
    return [
        InvoiceLine(
            name=row["name"],
            quantity="-1" if row["amount_minor"] < 0 else "1",
            price=amount(abs(row["amount_minor"]), facts),
            amount=amount(row["amount_minor"], facts),
        )
        for row in facts["lines"]
    ]


def amount(minor: int, facts: dict[str, Any]) -> str:
    """Return an amount in major units with the currency's decimals."""
    return format(Money(minor, facts["currency"]).decimal(), "f")


def notes_of(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return code and text of every note; the code is empty where the law gives none."""
    found = [("", text) for text in facts["mentions"]]
    if facts["reason"]:
        found.append(("", facts["reason"]))
    return [*found, *((code, text) for code, text in facts["terms"])]


def shows_vat_numbers(facts: dict[str, Any]) -> bool:
    """Say whether VAT numbers belong into the message: one outside the scope must not carry any (BR-O-02)."""
    return bool(facts["vat"]["category"] != "O")


def clean(text: str) -> str:
    """Return a text without characters XML cannot hold."""
    return _NOT_XML.sub("", text)


class Writer:
    """Makes elements by prefix and name: `add(parent, "ram:ID", "4711", schemeID="VA")`."""

    def __init__(self, namespaces: dict[str | None, str]) -> None:
        self._namespaces = namespaces

    def root(self, name: str) -> Any:
        return etree.Element(self._qualified(name), nsmap=self._namespaces)

    def add(self, parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
        element = etree.SubElement(parent, self._qualified(name), **attributes)
        if text is not None:
            element.text = clean(text)
        return element

    def add_if(self, parent: Any, name: str, text: str, **attributes: str) -> None:
        """Add an element only when there is something to say."""
        if text:
            self.add(parent, name, text, **attributes)

    def bytes_of(self, root: Any) -> bytes:
        written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
        return written

    def _qualified(self, name: str) -> str:
        prefix, colon, local = name.rpartition(":")
        return f"{{{self._namespaces[prefix if colon else None]}}}{local}"
