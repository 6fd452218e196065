"""Close a month of one program, or of all, and issue its statements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import periods
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
        month, programs = self._month(options), self._programs(options)
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
        month, by = self._month(options), self.person(options)
        if options.get("dry_run"):
            found = {program.slug: self._look(program, month) for program in self._programs(options)}
            return {"month": str(month), "programs": found}
        totals: dict[str, Any] = {}
        for program in self._programs(options):
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

    def _month(self, options: Mapping[str, Any]) -> Month:
        try:
            return Month.parse(options["month"])
        except ValueError as error:
            raise UsageError(str(error)) from error

    def _programs(self, options: Mapping[str, Any]) -> list[Program]:
        programs = list(Program.objects.order_by("slug"))
        if not options["program"]:
            return programs
        chosen = [program for program in programs if program.slug == options["program"]]
        if not chosen:
            known = ", ".join(program.slug for program in programs)
            raise UsageError(f"There is no program {options['program']}; there are: {known}.")
        return chosen
