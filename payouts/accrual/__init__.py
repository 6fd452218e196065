"""Turn credits into commission lines and ledger entries. A credit is rated exactly once: it is locked while it is worked on,
and its lines, its postings and its mark are written together or not at all."""

from payouts.accrual.loading import Accrued
from payouts.accrual.sweep import BATCH, accrue, drain, sweep

__all__ = ["BATCH", "Accrued", "accrue", "drain", "sweep"]
