"""Write a program's codes to a CSV file for the shop: what to create and what to deactivate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from referrals import code_files
from tiers.models import Program

PHASE = "Writing codes"


class Command(RunCommand):
    """`manage.py export_codes --program SLUG --output FILE`."""

    help = "Write the codes of a program as CSV for the shop: code, discount, limit, days, state, and what to do about each."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the program and where the file goes."""
        super().add_arguments(parser)
        parser.add_argument("--program", metavar="SLUG", required=True, help="The program the codes are of.")
        parser.add_argument("--output", type=Path, metavar="FILE", required=True, help="Where the file goes.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        """Look whether there is such a program, and room for the file."""
        program = _program(options)
        if not options["output"].parent.is_dir():
            raise UsageError(f"{options['output'].parent}: there is no such folder.")
        return Plan(
            kind="referrals.codes_out",
            title=f"Codes of {program.name}",
            subject=program.public_id,
            phases=[PHASE],
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write the file; one with its own name is a whole one."""
        target: Path = options["output"]
        lines = list(code_files.export(_program(options), at=timezone.now()))
        reporter.phase(PHASE, total=len(lines) - 1)
        if not options["dry_run"]:
            unfinished = target.with_name(f"{target.name}.part")
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
            unfinished.replace(target)
        reporter.advance(len(lines) - 1)
        return {"file": "" if options["dry_run"] else str(target), "rows": len(lines) - 1}


def _program(options: Mapping[str, Any]) -> Program:
    program = Program.objects.filter(slug=options["program"]).first()
    if program is None:
        raise UsageError(f"There is no program {options['program']}.")
    return program
