"""Do a dry run: rate every partner's events twice, under the present terms and the tried ones, and keep the sums. One partner's events
are in memory at a time; the books are only read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from partners.models import Membership
from payouts.dry_runs.asking import PHASE
from payouts.dry_runs.rating import Comparison
from payouts.dry_runs.report import Report
from payouts.models import DryRun
from prm.runs.models import Run
from prm.runs.progress import Reporter

CHUNK = 200


def carry_out(run: Run, reporter: Reporter, *, at: datetime) -> Mapping[str, Any]:
    """Do the dry run a job is about; one that was interrupted begins again, which harms nothing."""
    made = DryRun.objects.get(public_id=run.parameters["dry_run"])
    if made.finished_at is None:
        made = work_on(made, reporter, at=at)
    return {"dry_run": made.public_id, "total": made.report["total"]}


def work_on(dry_run: DryRun, reporter: Reporter, *, at: datetime) -> DryRun:
    """Rate the events of every membership of the program under both terms and store the report."""
    ids = list(
        Membership.objects.filter(program=dry_run.program_id).order_by("pk").values_list("pk", flat=True)
    )
    reporter.phase(PHASE, total=len(ids))
    report = Report(currency=dry_run.program.currency)
    comparison = Comparison(dry_run)
    for chunk in _chunks(ids):
        for _member, rated in comparison.of(chunk):
            owners = comparison.names({owner for owner, _each in rated})
            for owner, each in rated:
                report.add(owners[owner].public_id, owners[owner].partner.name, each)
            reporter.advance()
    dry_run.report, dry_run.finished_at = report.stored(), at
    dry_run.save(update_fields=["report", "finished_at"])
    return dry_run


def _chunks(ids: list[int]) -> Iterator[list[Membership]]:
    for start in range(0, len(ids), CHUNK):
        rows = Membership.objects.filter(pk__in=ids[start : start + CHUNK])
        yield list(rows.select_related("partner", "program").order_by("pk"))
