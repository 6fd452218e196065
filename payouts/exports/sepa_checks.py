"""Read a pain.001 message back and look for what its schema lets through: sums, numbers, letters, addresses, dates and doubles. The
message itself is read, whichever version it is, so nothing the writer believes about it counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from xml.etree import ElementTree

from payouts.exports.bank_days import is_bank_day, next_bank_day
from payouts.exports.checks import Problem, is_bic, is_iban, outside_character_set
from prm.lib.money import UnknownCurrency, exponent

Node = ElementTree.Element

VERSIONS = ("pain.001.001.09", "pain.001.001.03")
# The European Payments Council's list, with Gibraltar, whose IBANs have letters of their own.
_SEPA = (
    "AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS "
    "IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE SI SK SM VA"
)
SEPA_AREA = frozenset(_SEPA.split())
_MOST_BY_SEPA = Decimal("999999999.99")
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
_LETTERS_MATTER = (
    "MsgId",
    "PmtInfId",
    "InstrId",
    "EndToEndId",
    "Nm",
    "Ustrd",
    "StrtNm",
    "BldgNb",
    "PstCd",
    "TwnNm",
)
_NO_SLASHES = ("MsgId", "PmtInfId", "InstrId", "EndToEndId")


@dataclass
class _Seen:
    """What turns up in one batch after the other."""

    ids: Counter[str] = field(default_factory=Counter)
    payments: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    batches: Counter[str] = field(default_factory=Counter)


def problems_in(document: bytes, *, on: date, expected: Mapping[str, str] | None = None) -> Iterator[Problem]:
    """Yield all that is wrong with a message sent on a day.

    `expected` has what the books say, such as "12.50 EUR", by end-to-end id.
    """
    try:
        # Our own bytes, made a moment ago: nothing here comes from elsewhere.
        root = ElementTree.fromstring(document.decode())  # noqa: S314
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        yield Problem("unreadable", detail=str(error))
        return
    version = root.tag.removeprefix("{").partition("}")[0].removeprefix(_NAMESPACE)
    message = _find(root, "CstmrCdtTrfInitn")
    if version not in VERSIONS or message is None:
        yield Problem("unknown_message", detail=version)
        return
    yield from _counts(message, "GrpHdr/")
    seen = _Seen()
    for batch in _all(message, "PmtInf"):
        yield from _batch(batch, seen, on=on)
    yield from _letters(message)
    if expected is not None:
        yield from _against_books(message, expected)


def _batch(batch: Node, seen: _Seen, *, on: date) -> Iterator[Problem]:
    name = _text(batch, "PmtInfId")
    seen.batches[name] += 1
    if seen.batches[name] == 2:
        yield Problem("repeated_batch", detail=name)
    yield from _counts(batch, "")
    currencies = sorted({amount.get("Ccy", "") for amount in _all(batch, "CdtTrfTxInf/Amt/InstdAmt")})
    if len(currencies) > 1:
        yield Problem("mixed_currencies", detail=", ".join(currencies))
    yield from _date(batch, currencies, on=on)
    yield from _party(batch, "Dbtr", "")
    from_account = _text(batch, "DbtrAcct/Id/IBAN")
    if not is_iban(from_account):
        yield Problem("bad_iban", detail=name)
    yield from _agent(batch, "DbtrAgt", "")
    is_sepa = _text(batch, "PmtTpInf/SvcLvl/Cd") == "SEPA"
    if is_sepa:
        yield from _sepa(batch, currencies, from_account)
    for transfer in _all(batch, "CdtTrfTxInf"):
        yield from _transfer(transfer, seen, from_account=from_account, is_sepa=is_sepa)


def _sepa(batch: Node, currencies: list[str], from_account: str) -> Iterator[Problem]:
    charges = _text(batch, "ChrgBr")
    if charges != "SLEV":
        yield Problem("wrong_charges", detail=charges or "nothing")
    if currencies != ["EUR"]:
        yield Problem("wrong_currency", detail=", ".join(currencies))
    if from_account[:2] not in SEPA_AREA:
        yield Problem("outside_sepa", detail=from_account[:2])


def _date(batch: Node, currencies: list[str], *, on: date) -> Iterator[Problem]:
    text = _text(batch, "ReqdExctnDt/Dt") or _text(batch, "ReqdExctnDt")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        yield Problem("unreadable", detail=text)
        return
    if day < on:
        yield Problem("date_passed", detail=text)
    currency = currencies[0] if currencies else ""
    if not is_bank_day(day, currency):
        yield Problem("not_a_bank_day", detail=next_bank_day(max(day, on), currency).isoformat())


def _transfer(transfer: Node, seen: _Seen, *, from_account: str, is_sepa: bool) -> Iterator[Problem]:
    name = _text(transfer, "PmtId/EndToEndId")
    who = _who(transfer)
    if not name or name == "NOTPROVIDED":
        yield Problem("missing_id", who)
    seen.ids[name] += 1
    if name and seen.ids[name] == 2:
        yield Problem("repeated_id", who)
    account = _text(transfer, "CdtrAcct/Id/IBAN")
    if not is_iban(account):
        yield Problem("bad_iban", who)
    if account == from_account:
        yield Problem("pays_itself", who)
    if is_sepa and account[:2] not in SEPA_AREA:
        yield Problem("outside_sepa", who, account[:2])
    what = (account, _text(transfer, "Amt/InstdAmt"), _text(transfer, "RmtInf/Ustrd"))
    seen.payments[what] += 1
    if seen.payments[what] == 2:
        yield Problem("repeated_payment", who)
    yield from _amount(transfer, who, is_sepa=is_sepa)
    yield from _party(transfer, "Cdtr", who)
    yield from _agent(transfer, "CdtrAgt", who)


def _amount(transfer: Node, who: str, *, is_sepa: bool) -> Iterator[Problem]:
    node = _find(transfer, "Amt/InstdAmt")
    text, currency = ("", "") if node is None else (node.text or "", node.get("Ccy", ""))
    try:
        amount, places = _decimal(text), exponent(currency)
    except (InvalidOperation, UnknownCurrency):
        yield Problem("unreadable", who, f"{text} {currency}")
        return
    if amount <= 0:
        yield Problem("not_positive", who, text)
    if len(text.partition(".")[2]) != places:
        yield Problem("wrong_decimals", who, f"{text} {currency}")
    if is_sepa and amount > _MOST_BY_SEPA:
        yield Problem("amount_too_large", who, text)


def _party(parent: Node, role: str, who: str) -> Iterator[Problem]:
    if not _text(parent, f"{role}/Nm").strip():
        yield Problem("missing_name", who)
    address = _find(parent, f"{role}/PstlAdr")
    if address is None:
        return
    if _find(address, "AdrLine") is not None:
        yield Problem("address_unstructured", who)
        return
    lacks = [word for name, word in (("TwnNm", "town"), ("Ctry", "country")) if not _text(address, name)]
    if lacks:
        yield Problem("address_incomplete", who, " and ".join(lacks))


def _agent(parent: Node, role: str, who: str) -> Iterator[Problem]:
    bic = _text(parent, f"{role}/FinInstnId/BICFI") or _text(parent, f"{role}/FinInstnId/BIC")
    if bic and not is_bic(bic):
        yield Problem("bad_bic", who, bic)


def _counts(parent: Node, prefix: str) -> Iterator[Problem]:
    amounts = [node.text or "" for node in parent.iter() if node.tag.endswith("}InstdAmt")]
    said = _text(parent, f"{prefix}NbOfTxs")
    if said != str(len(amounts)):
        yield Problem("wrong_count", detail=f"{said} payments, not {len(amounts)}")
    try:
        together = sum((_decimal(text) for text in amounts), Decimal(0))
    except InvalidOperation:
        return  # the payment whose amount cannot be read is named by its own check
    text = _text(parent, f"{prefix}CtrlSum")
    try:
        total = _decimal(text)
    except InvalidOperation:
        yield Problem("wrong_sum", detail=text)
        return
    if total != together:
        yield Problem("wrong_sum", detail=f"{total}, not {together}")


def _decimal(text: str) -> Decimal:
    """Read an amount in plain digits. Raises: InvalidOperation."""
    if not _AMOUNT.fullmatch(text):
        raise InvalidOperation(text)
    return Decimal(text)


def _letters(message: Node) -> Iterator[Problem]:
    for holder in (message, *_all(message, "PmtInf/CdtTrfTxInf")):
        is_transfer = holder is not message
        who = _who(holder) if is_transfer else ""
        for node in _own(holder):
            name, text = node.tag.rpartition("}")[2], node.text or ""
            wrong = outside_character_set(text) if name in _LETTERS_MATTER else ""
            if wrong:
                yield Problem("bad_characters", who, wrong)
            if name in _NO_SLASHES and (text.startswith("/") or text.endswith("/") or "//" in text):
                yield Problem("bad_slashes", who, text)


def _own(holder: Node) -> Iterator[Node]:
    """Yield what is below a node, the transfers of a message left out: they are looked at one by one, by name."""
    for child in holder:
        if not child.tag.endswith("}CdtTrfTxInf"):
            yield child
            yield from _own(child)


def _against_books(message: Node, expected: Mapping[str, str]) -> Iterator[Problem]:
    written = {}
    for transfer in _all(message, "PmtInf/CdtTrfTxInf"):
        amount = _find(transfer, "Amt/InstdAmt")
        text = "" if amount is None else f"{amount.text} {amount.get('Ccy')}"
        name = _text(transfer, "PmtId/EndToEndId")
        written[name] = text
        if expected.get(name) != text:
            yield Problem(
                "differs_from_books", _who(transfer), f"{text}, not {expected.get(name, 'anything')}"
            )
    for name in expected.keys() - written.keys():
        yield Problem("differs_from_books", name, f"nothing, not {expected[name]}")


def _who(transfer: Node) -> str:
    name = _text(transfer, "Cdtr/Nm")
    return " ".join(
        part for part in (_text(transfer, "PmtId/EndToEndId"), f"({name})" if name else "") if part
    )


def _path(path: str) -> str:
    return "/".join(f"{{*}}{step}" for step in path.split("/"))


def _find(node: Node, path: str) -> Node | None:
    return node.find(_path(path))


def _all(node: Node, path: str) -> list[Node]:
    return node.findall(_path(path))


def _text(node: Node, path: str) -> str:
    found = _find(node, path)
    return "" if found is None else (found.text or "").strip()
