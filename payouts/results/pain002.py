"""Read what a bank answers to a file of payments: pain.002. It speaks of single transfers, of a batch or of the whole file; what is
refused as a whole is refused for every transfer in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element

from payouts.results import xml
from payouts.results.facts import Booking, Says

_SETTLED = frozenset({"ACSC", "ACCC"})
_REFUSED = "RJCT"


@dataclass
class _Numbered:
    row: int = 0

    def next(self) -> int:
        self.row += 1
        return self.row


def bookings(root: Element) -> Iterator[Booking]:
    """Yield one booking per transfer that is named, then one for each batch or file that was answered as a whole.

    Raises: NotRead.
    """
    count = _Numbered()
    for report in root.findall("CstmrPmtStsRpt"):
        told_on = xml.day(report, "GrpHdr/CreDtTm")
        group = report.find("OrgnlGrpInfAndSts")
        message_id = xml.text(group, "OrgnlMsgId").upper()
        batches = report.findall("OrgnlPmtInfAndSts")
        for batch in batches:
            yield from _transfers(batch, message_id, told_on, count)
        # Before version 03 transfers stood beside the batches.
        yield from _transfers(report, message_id, told_on, count)
        for batch in batches:
            batch_id = xml.text(batch, "OrgnlPmtInfId").upper()
            yield from _whole(batch, "PmtInfSts", message_id, batch_id, told_on, count)
        if group is not None:
            yield from _whole(group, "GrpSts", message_id, "", told_on, count)


def _transfers(parent: Element, message_id: str, told_on: date | None, count: _Numbered) -> Iterator[Booking]:
    for transfer in parent.findall("TxInfAndSts"):
        yield Booking(
            row=count.next(),
            says=_says(xml.text(transfer, "TxSts")),
            end_to_end_id=xml.text(transfer, "OrgnlEndToEndId").upper(),
            amount=xml.amount(transfer, "OrgnlTxRef/Amt/InstdAmt"),
            fee=xml.amount(transfer, "ChrgsInf/Amt"),
            code=_code(transfer),
            reason=xml.text(transfer, "StsRsnInf/AddtlInf"),
            reference=xml.text(transfer, "AcctSvcrRef", "StsId"),
            booked_on=told_on,
        )


def _whole(
    parent: Element, status: str, message_id: str, batch_id: str, told_on: date | None, count: _Numbered
) -> Iterator[Booking]:
    says = _says(xml.text(parent, status))
    # A file that is partly accepted, or still being looked at, says it transfer by transfer.
    if says is Says.WAITING:
        return
    yield Booking(
        row=count.next(),
        says=says,
        code=_code(parent),
        reason=xml.text(parent, "StsRsnInf/AddtlInf"),
        booked_on=told_on,
        message_id=message_id,
        batch_id=batch_id,
    )


def _code(parent: Element) -> str:
    return xml.text(parent, "StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry").upper()


def _says(status: str) -> Says:
    if status == _REFUSED:
        return Says.CAME_BACK
    return Says.PAID if status in _SETTLED else Says.WAITING
