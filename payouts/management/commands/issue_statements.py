"""Issue the statements that a month being closed, or closed, still misses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import missing_statements
from payouts.management.commands._options import month_of, programs_of
from payouts.models import Period
from prm.lib.errors import Refused
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter


class Command(RunCommand):
    help = "Issue what statements a month still misses; those that are out stay as they are."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", help="The month, written as 2026-11.")
        parser.add_argument("--program", metavar="SLUG", help="Only this program.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        month, programs = month_of(options["month"]), programs_of(options)
        if self.person(options) is None:
            raise UsageError("Name the person who issues the statements: --by EMAIL.")
        return Plan(
            kind="statements",
            title=f"Issue statements of {month}",
            subject=options["program"] or "all",
            phases=[program.slug for program in programs],
            parameters={"month": str(month)},
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        month = month_of(options["month"])
        # Every month is looked at before the first statement: an open one stops all.
        shut = [missing_statements.period_of(program, month) for program in programs_of(options)]
        found = {period.program.slug: self._issue(period, reporter, options) for period in shut}
        return {"month": str(month), "programs": found}

    def _issue(self, period: Period, reporter: Reporter, options: Mapping[str, Any]) -> dict[str, int]:
        members = list(missing_statements.missing(period))
        if options.get("dry_run"):
            return {"missing": len(members), "issued": 0}
        reporter.phase(period.program.slug, total=len(members))
        issued = 0
        for membership in members:
            try:
                missing_statements.issue(membership, period, by=self.person(options), at=timezone.now())
            except Refused as refusal:
                reporter.note(str(refusal))
                reporter.advance(failed=1)
            else:
                issued += 1
                reporter.advance()
        return {"missing": len(members), "issued": issued}
