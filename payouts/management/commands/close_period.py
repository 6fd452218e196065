"""Close a month of one program, or of all, and issue its statements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import periods
from payouts.management.commands._options import month_of, programs_of
from payouts.models import Period
from prm.lib.periods import Month
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from tiers.models import Program


class Command(RunCommand):
    help = "Close a month: check that everything is rated, release what is due, issue the statements."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", help="The month, written as 2026-11.")
        parser.add_argument("--program", metavar="SLUG", help="Only this program.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        month, programs = month_of(options["month"]), programs_of(options)
        if self.person(options) is None:
            raise UsageError("Name the person who closes the month: --by EMAIL.")
        return Plan(
            kind="close",
            title=f"Close {month}",
            subject=options["program"] or "all",
            phases=[program.slug for program in programs],
            parameters={"month": str(month)},
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        month, by = month_of(options["month"]), self.person(options)
        if options.get("dry_run"):
            found = {program.slug: self._look(program, month) for program in programs_of(options)}
            return {"month": str(month), "programs": found}
        totals: dict[str, Any] = {}
        for program in programs_of(options):
            period = self._close(program, month, by, reporter)
            totals[program.slug] = period.control_totals
        return {"month": str(month), "programs": totals}

    def _look(self, program: Program, month: Month) -> dict[str, Any]:
        """Say what speaks against closing the month, what stays undecided, and how many statements it would issue."""
        against = periods.preconditions(program, month, at=timezone.now())
        shadow = Period(program=program, year=month.year, month=month.month)
        return {
            "can_close": not against,
            "against": [str(refusal) for refusal in against],
            "undecided": periods.open_matters(program, month),
            "statements": periods.members_of(shadow).count(),
        }

    def _close(self, program: Program, month: Month, by: Any, reporter: Reporter) -> Period:
        reporter.phase(program.slug)
        return periods.close(
            program, month, by=by, at=timezone.now(), progress=lambda done, total: reporter.advance(1)
        )
