"""Find the payments a bank means when it speaks of a whole file or batch: our own file is read again, so it is exactly what the bank was
told."""

from __future__ import annotations

from payouts.choices import PayRunState
from payouts.models import PaymentFile
from payouts.results import xml
from tiers.models import LegalEntity

_OUT = (PayRunState.EXPORTED, PayRunState.SENT, PayRunState.PARTLY_FAILED, PayRunState.RECONCILED)


def payments_in(entity: LegalEntity, *, message_id: str, batch_id: str) -> list[str] | None:
    """Return the end-to-end ids of the transfers in the batch, or in the file when no batch is named; None when we sent no such."""
    files = PaymentFile.objects.filter(
        pay_run__legal_entity=entity, pay_run__state__in=_OUT, format__startswith="pain.001"
    )
    for content in files.order_by("-pk").values_list("content", flat=True).iterator(chunk_size=10):
        found = _named(bytes(content), message_id, batch_id)
        if found:
            return found
    return None


def _named(content: bytes, message_id: str, batch_id: str) -> list[str]:
    if message_id and message_id.encode() not in content:
        return []
    _namespace, root = xml.read(content)
    message = root.find("CstmrCdtTrfInitn")
    if message is None or (message_id and xml.text(message, "GrpHdr/MsgId") != message_id):
        return []
    return [
        xml.text(transfer, "PmtId/EndToEndId")
        for batch in message.findall("PmtInf")
        if not batch_id or xml.text(batch, "PmtInfId") == batch_id
        for transfer in batch.findall("CdtTrfTxInf")
    ]
