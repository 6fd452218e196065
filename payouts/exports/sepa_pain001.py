"""A pay run as an ISO 20022 credit transfer, pain.001.001.09 or the older .03: SEPA for euros inside its area, the same message without the
SEPA service level for everything else. Every id was stored before the file exists, so the same run gives the same bytes for ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from payouts.exports.latin import bank_text
from payouts.exports.rows import plain
from payouts.exports.sepa_checks import SEPA_AREA
from payouts.models import Payment, PayRun
from prm.lib import countries
from prm.lib.money import Money

if TYPE_CHECKING:
    from partners.models import Partner
    from tiers.models import LegalEntity

FORMAT = "pain.001.001.09"
CONTENT_TYPE = "application/xml"
NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{FORMAT}"


@dataclass(frozen=True)
class _Dialect:
    """Where the versions differ: what a BIC is called, and whether a date can come with a time."""

    namespace: str
    bic: str
    date_is_nested: bool


_DIALECTS = {
    "pain.001.001.09": _Dialect(NAMESPACE, "BICFI", date_is_nested=True),
    "pain.001.001.03": _Dialect(
        "urn:iso:std:iso:20022:tech:xsd:pain.001.001.03", "BIC", date_is_nested=False
    ),
}


@dataclass(frozen=True)
class _Batch:
    """Payments that travel the same way."""

    id: str
    currency: str
    is_sepa: bool
    payments: Sequence[Payment]


def render(run: PayRun, payments: Sequence[Payment], *, version: str = FORMAT) -> bytes:
    """Return the message for payments of a run that are sent in one currency, in the order given."""
    dialect, currency = _DIALECTS[version], payments[0].sent_currency
    document = ElementTree.Element("Document", {"xmlns": dialect.namespace})
    message = _add(document, "CstmrCdtTrfInitn")
    _group_header(message, run, payments, currency)
    for batch in _batches(run, payments, currency):
        node = _payment_information(message, run, batch, dialect)
        for payment in batch.payments:
            _transfer(node, payment, dialect)
    ElementTree.indent(document, space=" ")
    body = ElementTree.tostring(document, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()


def message_id(run: PayRun, currency: str) -> str:
    """Return the id of the message: the run's own for its own currency, with the currency for another."""
    return run.message_id if currency == run.currency else f"{run.message_id}-{currency}"


def expected(payments: Sequence[Payment]) -> dict[str, str]:
    """Return what the message must say of each payment, for whoever reads it back."""
    return {payment.end_to_end_id: f"{plain(payment.sent)} {payment.sent_currency}" for payment in payments}


def _batches(run: PayRun, payments: Sequence[Payment], currency: str) -> Iterator[_Batch]:
    """Yield the payments in one batch, or in two when some euros leave the SEPA area."""
    own = currency == "EUR" and run.legal_entity.iban[:2] in SEPA_AREA
    inside = [payment for payment in payments if own and payment.iban[:2] in SEPA_AREA]
    outside = [payment for payment in payments if not (own and payment.iban[:2] in SEPA_AREA)]
    name = f"{run.message_id}-{currency}"
    if inside:
        yield _Batch(name, currency, True, inside)
    if outside:
        yield _Batch(f"{name}2" if inside else name, currency, False, outside)


def _group_header(
    message: ElementTree.Element, run: PayRun, payments: Sequence[Payment], currency: str
) -> None:
    header = _add(message, "GrpHdr")
    _add(header, "MsgId", message_id(run, currency))
    # The approval is when the message came to be; the hour of a download would change its bytes.
    made_at = run.approved_at or run.prepared_at
    _add(header, "CreDtTm", made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _counts(header, payments, currency)
    _add(_add(header, "InitgPty"), "Nm", bank_text(run.legal_entity.name, 70))


def _payment_information(
    message: ElementTree.Element, run: PayRun, batch: _Batch, dialect: _Dialect
) -> ElementTree.Element:
    entity = run.legal_entity
    node = _add(message, "PmtInf")
    _add(node, "PmtInfId", batch.id)
    _add(node, "PmtMtd", "TRF")
    _add(node, "BtchBookg", "true")
    _counts(node, batch.payments, batch.currency)
    _add(_add(_add(node, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA" if batch.is_sepa else "NURG")
    day = _add(node, "ReqdExctnDt")
    (_add(day, "Dt") if dialect.date_is_nested else day).text = run.execute_on.isoformat()
    debtor = _add(node, "Dbtr")
    _add(debtor, "Nm", bank_text(entity.name, 70))
    _address(debtor, entity, country=country_code(entity.country_code))
    account = _add(node, "DbtrAcct")
    _add(_add(account, "Id"), "IBAN", entity.iban)
    if batch.currency == run.currency:
        # What another currency is paid from is not known: the bank exchanges, or knows the account.
        _add(account, "Ccy", batch.currency)
    _agent(node, "DbtrAgt", entity.bic, dialect)
    _add(node, "ChrgBr", "SLEV" if batch.is_sepa else "SHAR")
    return node


def _transfer(batch: ElementTree.Element, payment: Payment, dialect: _Dialect) -> None:
    transfer = _add(batch, "CdtTrfTxInf")
    ids = _add(transfer, "PmtId")
    _add(ids, "InstrId", payment.end_to_end_id)
    _add(ids, "EndToEndId", payment.end_to_end_id)
    amount = _add(_add(transfer, "Amt"), "InstdAmt", plain(payment.sent))
    amount.set("Ccy", payment.sent_currency)
    if payment.bic:
        _agent(transfer, "CdtrAgt", payment.bic, dialect)
    creditor = _add(transfer, "Cdtr")
    _add(creditor, "Nm", bank_text(payment.holder, 70))
    partner = payment.membership.partner
    _address(creditor, partner, country=country_code(partner.country))
    _add(_add(_add(transfer, "CdtrAcct"), "Id"), "IBAN", payment.iban)
    _add(_add(transfer, "RmtInf"), "Ustrd", bank_text(f"Statement {payment.statement.number}", 140))


def _counts(parent: ElementTree.Element, payments: Sequence[Payment], currency: str) -> None:
    _add(parent, "NbOfTxs", str(len(payments)))
    _add(parent, "CtrlSum", plain(Money.total((payment.sent for payment in payments), currency)))


def _agent(parent: ElementTree.Element, name: str, bic: str, dialect: _Dialect) -> None:
    institution = _add(_add(parent, name), "FinInstnId")
    if bic:
        _add(institution, dialect.bic, bic)
    else:
        _add(_add(institution, "Othr"), "Id", "NOTPROVIDED")


def _address(parent: ElementTree.Element, whose: LegalEntity | Partner, *, country: str) -> None:
    """Add a structured address when there is one.

    A country alone is none. Half of one is written as it is, for the check that refuses it by name.
    """
    place = (
        ("StrtNm", bank_text(whose.street, 70)),
        ("BldgNb", bank_text(whose.building_number, 16)),
        ("PstCd", bank_text(whose.postcode, 16)),
        ("TwnNm", bank_text(whose.town, 35)),
    )
    if not any(text for _name, text in place):
        return
    address = _add(parent, "PstlAdr")
    for name, text in (*place, ("Ctry", country)):
        if text:
            _add(address, name, text)


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name)
    child.text = text
    return child


def country_code(country: str) -> str:
    """Return the ISO 3166 code of a country given as a code or by its English name; empty when it is neither."""
    code = countries.code_of(country)
    return code if countries.is_code(code) else ""
