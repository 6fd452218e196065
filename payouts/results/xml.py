"""Read a bank's XML into a tree of local names. A document type is refused where it begins, so no entity is ever declared, nothing is
expanded and nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from django.utils.translation import gettext_lazy as _

from payouts.results.facts import LARGEST_AMOUNT, Amount, NotRead

# Bank messages are a dozen elements deep; what is deeper was made to break readers.
DEEPEST = 40


class _Tree:
    """Builds the tree while the parser reads."""

    def __init__(self) -> None:
        self.namespace = ""
        self.builder = TreeBuilder()
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise NotRead(_("its elements are nested too deep."))
        space, _separator, local = name.rpartition(" ")
        if self._depth == 1:
            self.namespace = space
        self.builder.start(local, attributes)

    def end(self, name: str) -> None:
        self._depth -= 1
        self.builder.end(name.rpartition(" ")[2])


def _no_document_type(*_told: object) -> None:
    raise NotRead(_("it declares a document type, which no bank message does."))


def read(content: bytes) -> tuple[str, Element]:
    """Return the namespace of the root and the root, every element under its local name.

    Raises: NotRead.
    """
    tree = _Tree()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_document_type
    parser.EntityDeclHandler = _no_document_type
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.builder.data
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        line = getattr(error, "lineno", 0)
        raise NotRead(_("it is no well-formed XML (line %(line)s).") % {"line": line}) from error
    return tree.namespace, tree.builder.close()


def text(node: Element | None, *path: str) -> str:
    """Return the text at the first of these paths that has any; empty when none does."""
    if node is None:
        return ""
    for each in path:
        found = (node.findtext(each) or "").strip()
        if found:
            return found
    return ""


def amount(node: Element | None, *path: str) -> Amount | None:
    """Return the amount at the first of these paths that has one.

    Raises: NotRead.
    """
    if node is None:
        return None
    for each in path:
        found = node.find(each)
        if found is not None:
            return number(found.text or "", found.get("Ccy", ""))
    return None


def number(written: str, currency: str) -> Amount:
    """Return a written amount.

    Raises: NotRead.
    """
    try:
        value = Decimal(written.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value < LARGEST_AMOUNT:
        raise NotRead(_("%(amount)s is no amount.") % {"amount": repr(written.strip()[:30])})
    return Amount(value, currency)


def day(node: Element | None, *path: str) -> date | None:
    """Return the day at the first of these paths, of a date or of an instant as the bank wrote it."""
    written = text(node, *path)[:10]
    try:
        return date.fromisoformat(written) if written else None
    except ValueError as error:
        raise NotRead(_("%(date)s is no date.") % {"date": repr(written)}) from error


def each(node: Element, *path: str) -> Iterator[Element]:
    """Yield the elements at these paths, one path after the other."""
    for one in path:
        yield from node.findall(one)
