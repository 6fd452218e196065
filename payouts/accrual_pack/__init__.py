"""The accrual pack of a month's end: what is earned and not payable, payable and not paid, on its way, and what refunds are expected to
take back. It is made of ledger entries up to that month, so that a past month gives the same figures whenever it is asked for."""

from payouts.accrual_pack.clawbacks import METHOD, AgeShare, ClawBacks
from payouts.accrual_pack.journal import JournalRow
from payouts.accrual_pack.pack import Pack, ProgramPack, as_json, make
from payouts.accrual_pack.reading import BUCKETS, Ageing, NotBegun

__all__ = [
    "BUCKETS",
    "METHOD",
    "AgeShare",
    "Ageing",
    "ClawBacks",
    "JournalRow",
    "NotBegun",
    "Pack",
    "ProgramPack",
    "as_json",
    "make",
]
