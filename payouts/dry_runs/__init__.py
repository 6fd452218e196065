"""Try other terms on what really happened, and put what they would have paid beside what the present ones pay. Nothing here writes
to the books; a report is all that stays."""

from payouts.dry_runs.asking import PHASE, RUN_KIND, ask, latest_run, record
from payouts.dry_runs.work import carry_out, work_on

__all__ = ["PHASE", "RUN_KIND", "ask", "carry_out", "latest_run", "record", "work_on"]
