"""Write every statement line of a month to one file, however many there are."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from payouts.exports import lines
from payouts.management.commands._options import month_of
from payouts.models import Period
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter

WRITERS = {"csv": lines.write_csv, "xlsx": lines.write_xlsx}


class Command(RunCommand):
    help = "Write all statement lines of a program's month as CSV or XLSX, with their number, sum and hash."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", help="The month, written as 2026-11.")
        parser.add_argument("--program", metavar="SLUG", required=True, help="The program.")
        parser.add_argument("--format", choices=sorted(WRITERS), default="csv")
        parser.add_argument("--output", metavar="FILE", required=True, help="Where the file goes.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        period = self._period(options)
        return Plan(
            kind="export_lines",
            title=f"Lines of {period} of {period.program.name}",
            subject=f"{period.program.public_id}:{period}",
            phases=["lines"],
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        period, target = self._period(options), Path(options["output"])
        reporter.phase("lines")
        if options.get("dry_run"):
            manifest = WRITERS["csv"](period, io.BytesIO())
            return {"file": "", "rows": manifest.rows, "total_minor": manifest.total_minor}
        unfinished = target.with_name(f"{target.name}.part")
        with unfinished.open("wb") as file:
            manifest = WRITERS[options["format"]](period, file)
        unfinished.replace(target)  # a file with its own name is a whole one
        reporter.advance(manifest.rows)
        return {
            "file": str(target),
            "rows": manifest.rows,
            "total_minor": manifest.total_minor,
            "currency": manifest.currency,
            "sha256": manifest.sha256,
        }

    def _period(self, options: Mapping[str, Any]) -> Period:
        month = month_of(options["month"])
        found = Period.objects.select_related("program").filter(
            program__slug=options["program"], year=month.year, month=month.month
        )
        period = found.first()
        if period is None:
            raise UsageError(f"{options['program']} has no month {month}: nothing was ever booked in it.")
        return period
