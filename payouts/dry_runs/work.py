"""Do a dry run: rate every partner's events twice, under the present terms and the tried ones, and keep the sums. One partner's events
are in memory at a time; the books are only read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from partners.models import Membership
from payouts.dry_runs.asking import PHASE, publishable
from payouts.dry_runs.rating import Comparison
from payouts.dry_runs.report import Report
from payouts.models import DryRun
from prm.runs.models import Run
from prm.runs.progress import Reporter
from tiers.choices import VersionState
from tiers.fingerprints import fingerprint
from tiers.models import PlanVersion

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
    said = fingerprint(dry_run.version) if dry_run.version is not None else ""
    comparison = Comparison(dry_run)
    for chunk in _chunks(ids):
        for _member, rated in comparison.of(chunk):
            owners = comparison.names({owner for owner, _each in rated})
            for owner, each in rated:
                report.add(owners[owner].public_id, owners[owner].partner.name, each)
            reporter.advance()
    _finish(dry_run, report, said, at=at)
    return dry_run


@transaction.atomic
def _finish(dry_run: DryRun, report: Report, said: str, *, at: datetime) -> None:
    """Store the report, and beside a version that is still a draft what publishing it keeps."""
    dry_run.report, dry_run.finished_at = report.stored(), at
    dry_run.save(update_fields=["report", "finished_at"])
    if dry_run.version is not None:
        PlanVersion.objects.filter(pk=dry_run.version.pk, state=VersionState.DRAFT).update(
            report={**publishable(dry_run), "fingerprint": said}
        )


def _chunks(ids: list[int]) -> Iterator[list[Membership]]:
    for start in range(0, len(ids), CHUNK):
        rows = Membership.objects.filter(pk__in=ids[start : start + CHUNK])
        yield list(rows.select_related("partner", "program").order_by("pk"))
