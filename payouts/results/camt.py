"""Read what a bank booked: camt.053, the statement of an account, and camt.054, the notification. Debits with our id were paid, credits
with it came back; a booking the bank has not made final yet says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from payouts.results import xml
from payouts.results.facts import Amount, Booking, Says

_REPORTS = ("BkToCstmrStmt/Stmt", "BkToCstmrDbtCdtNtfctn/Ntfctn")
_AMOUNTS = ("AmtDtls/InstdAmt/Amt", "AmtDtls/TxAmt/Amt", "Amt")


def bookings(root: Element) -> Iterator[Booking]:
    """Yield the bookings of every entry, in the order of the file.

    Raises: NotRead.
    """
    row = 0
    for entry in (entry for report in xml.each(root, *_REPORTS) for entry in report.findall("Ntry")):
        for details, batch in _parts(entry):
            row += 1
            yield _booking(row, entry, details, batch)


def _parts(entry: Element) -> Iterator[tuple[Element | None, Element | None]]:
    """Yield each transaction of an entry; an entry that only sums a batch up is one, and so is one that says nothing more."""
    found = False
    for group in entry.findall("NtryDtls"):
        batch = group.find("Btch")
        transactions = group.findall("TxDtls")
        for details in transactions:
            found = True
            yield details, None
        if not transactions and batch is not None:
            found = True
            yield None, batch
    if not found:
        yield None, None


def _booking(row: int, entry: Element, details: Element | None, batch: Element | None) -> Booking:
    returned = details.find("RtrInf") if details is not None else None
    return Booking(
        row=row,
        says=_says(entry, details),
        end_to_end_id=xml.text(details, "Refs/EndToEndId").upper(),
        amount=_amount(entry, details, batch),
        fee=_fee(details),
        code=xml.text(returned, "Rsn/Cd", "Rsn/Prtry").upper(),
        reason=xml.text(returned, "AddtlInf"),
        reference=xml.text(details, "Refs/AcctSvcrRef") or xml.text(entry, "AcctSvcrRef", "NtryRef"),
        booked_on=xml.day(entry, "BookgDt/Dt", "BookgDt/DtTm"),
        message_id=xml.text(batch, "MsgId"),
        batch_id=xml.text(batch, "PmtInfId"),
    )


def _says(entry: Element, details: Element | None) -> Says:
    # Version 02 writes the status as text, later ones as a code below it.
    if xml.text(entry, "Sts/Cd", "Sts") != "BOOK":
        return Says.WAITING
    side = xml.text(details, "CdtDbtInd") or xml.text(entry, "CdtDbtInd")
    return Says.CAME_BACK if side == "CRDT" else Says.PAID


def _amount(entry: Element, details: Element | None, batch: Element | None) -> Amount | None:
    if batch is not None:
        return xml.amount(batch, "TtlAmt") or xml.amount(entry, "Amt")
    found = xml.amount(details, *_AMOUNTS)
    is_alone = len(entry.findall("NtryDtls/TxDtls")) == 1
    return xml.amount(entry, *_AMOUNTS[:2], "Amt") if found is None and is_alone else found


def _fee(details: Element | None) -> Amount | None:
    """Return what the bank kept for itself: the total when it says one, else the single charges together."""
    if details is None:
        return None
    total = xml.amount(details, "Chrgs/TtlChrgsAndTaxAmt")
    if total is not None:
        return total
    found = [
        xml.number(charge.text or "", charge.get("Ccy", ""))
        for charge in xml.each(details, "Chrgs/Rcrd/Amt", "Chrgs/Amt")
    ]
    if not found or len({charge.currency for charge in found}) > 1:
        return None
    return Amount(sum((charge.number for charge in found[1:]), found[0].number), found[0].currency)
