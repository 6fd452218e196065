"""A pay run as an ISO 20022 credit transfer, pain.001.001.09: SEPA for euros, the same message without the SEPA service level for
other currencies. Every id was stored before the file exists, so the same run gives the same bytes for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from babel import Locale

from payouts.exports.latin import bank_text
from payouts.exports.rows import plain
from payouts.models import Payment, PayRun
from prm.lib.money import Money

if TYPE_CHECKING:
    from partners.models import Partner
    from tiers.models import LegalEntity

FORMAT = "pain.001.001.09"
CONTENT_TYPE = "application/xml"
NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{FORMAT}"


def render(run: PayRun, payments: Sequence[Payment]) -> bytes:
    """Return the message for the payments of a run, in the order given."""
    document = ElementTree.Element("Document", {"xmlns": NAMESPACE})
    message = _add(document, "CstmrCdtTrfInitn")
    _group_header(message, run, payments)
    batch = _payment_information(message, run, payments)
    for payment in payments:
        _transfer(batch, payment)
    ElementTree.indent(document, space=" ")
    body = ElementTree.tostring(document, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()


def file_name(run: PayRun) -> str:
    return f"{run.message_id}.xml"


def _group_header(message: ElementTree.Element, run: PayRun, payments: Sequence[Payment]) -> None:
    header = _add(message, "GrpHdr")
    _add(header, "MsgId", run.message_id)
    # The approval is when the message came to be; the hour of a download would change its bytes.
    made_at = run.approved_at or run.prepared_at
    _add(header, "CreDtTm", made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _counts(header, run, payments)
    _add(_add(header, "InitgPty"), "Nm", bank_text(run.legal_entity.name, 70))


def _payment_information(
    message: ElementTree.Element, run: PayRun, payments: Sequence[Payment]
) -> ElementTree.Element:
    entity = run.legal_entity
    batch = _add(message, "PmtInf")
    _add(batch, "PmtInfId", f"{run.message_id}-1")
    _add(batch, "PmtMtd", "TRF")
    _add(batch, "BtchBookg", "true")
    _counts(batch, run, payments)
    is_sepa = run.currency == "EUR"
    _add(_add(_add(batch, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA" if is_sepa else "NURG")
    _add(_add(batch, "ReqdExctnDt"), "Dt", run.execute_on.isoformat())
    debtor = _add(batch, "Dbtr")
    _add(debtor, "Nm", bank_text(entity.name, 70))
    _address(debtor, entity, country=entity.country_code)
    account = _add(batch, "DbtrAcct")
    _add(_add(account, "Id"), "IBAN", entity.iban)
    _add(account, "Ccy", run.currency)
    _agent(batch, "DbtrAgt", entity.bic)
    _add(batch, "ChrgBr", "SLEV" if is_sepa else "SHAR")
    return batch


def _transfer(batch: ElementTree.Element, payment: Payment) -> None:
    transfer = _add(batch, "CdtTrfTxInf")
    ids = _add(transfer, "PmtId")
    _add(ids, "InstrId", payment.end_to_end_id)
    _add(ids, "EndToEndId", payment.end_to_end_id)
    amount = _add(_add(transfer, "Amt"), "InstdAmt", plain(payment.amount))
    amount.set("Ccy", payment.currency)
    if payment.bic:
        _agent(transfer, "CdtrAgt", payment.bic)
    creditor = _add(transfer, "Cdtr")
    _add(creditor, "Nm", bank_text(payment.holder, 70))
    partner = payment.membership.partner
    _address(creditor, partner, country=country_code(partner.country))
    _add(_add(_add(transfer, "CdtrAcct"), "Id"), "IBAN", payment.iban)
    _add(_add(transfer, "RmtInf"), "Ustrd", bank_text(f"Statement {payment.statement.number}", 140))


def _counts(parent: ElementTree.Element, run: PayRun, payments: Sequence[Payment]) -> None:
    _add(parent, "NbOfTxs", str(len(payments)))
    _add(parent, "CtrlSum", plain(Money.total((payment.amount for payment in payments), run.currency)))


def _agent(parent: ElementTree.Element, name: str, bic: str) -> None:
    institution = _add(_add(parent, name), "FinInstnId")
    if bic:
        _add(institution, "BICFI", bic)
    else:
        _add(_add(institution, "Othr"), "Id", "NOTPROVIDED")


def _address(parent: ElementTree.Element, whose: LegalEntity | Partner, *, country: str) -> None:
    """Add a structured address. Free lines are refused since November 2026, so without town and country there is none."""
    town = bank_text(whose.town, 35)
    if not town or not country:
        return
    address = _add(parent, "PstlAdr")
    parts = (
        ("StrtNm", bank_text(whose.street, 70)),
        ("BldgNb", bank_text(whose.building_number, 16)),
        ("PstCd", bank_text(whose.postcode, 16)),
        ("TwnNm", town),
        ("Ctry", country),
    )
    for name, text in parts:
        if text:
            _add(address, name, text)


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name)
    child.text = text
    return child


def country_code(country: str) -> str:
    """Return the ISO 3166 code of a country given as a code or by its English name; empty when it is neither."""
    text = country.strip()
    if text.upper() in _territories().values():
        return text.upper()
    return _territories().get(text.casefold(), "")


@lru_cache(maxsize=1)
def _territories() -> dict[str, str]:
    names = Locale.parse("en").territories
    return {name.casefold(): code for code, name in names.items() if len(code) == 2 and code.isalpha()}
