"""Take the shop's CSV file of codes. Exit codes: 0 all rows are in order, 3 some rows have faults (with --atomic nothing was taken then),
2 the file or an option makes no sense.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from partners import pasted_lists
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from referrals import code_files
from referrals.listed_rows import Row
from tiers.models import Program

PHASE = "Taking codes"


class Command(RunCommand):
    """`manage.py import_codes FILE --program SLUG`."""

    help = (
        "Take codes of a program from a CSV file. Columns, in any order: code, partner (its id or e-mail address);"
        " further ones if there are any: discount_percent, discount_amount, use_limit, starts, ends. Safe to repeat."
    )
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file, its program and how to take it."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--program", metavar="SLUG", required=True, help="The program the codes are of.")
        parser.add_argument("--atomic", action="store_true", help="Take all rows or none.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        """Look whether the file can be read at all."""
        path: Path = options["file"]
        person = self.person(options)
        try:
            if person is not None:
                policy.require(person, code_files.CAPABILITY)
            program, _rows = _given(options)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        except Refused as refusal:
            raise UsageError(f"{path}: {refusal}") from None
        return Plan(
            kind="referrals.codes",
            title=f"Codes of {path.name[-100:]}",
            subject=program.public_id,
            phases=[PHASE],
            parameters={"file": path.name, "program": program.slug, "atomic": options["atomic"]},
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take the file, or say what would become of it."""
        program, rows = _given(options)
        reporter.phase(PHASE, total=len(rows))
        if options["dry_run"]:
            taken = code_files.Taken(code_files.check(program, rows), kept=False)
        else:
            by, at = self.person(options), timezone.now()
            taken = code_files.take_all(program, rows, by=by, at=at, atomic=options["atomic"])
        for fault in taken.faults:
            reporter.note(str(fault))
        reporter.advance(len(rows), failed=len(taken.faults), skipped=taken.count(code_files.Outcome.SAME))
        return taken.as_json()

    def summary(self, result: Mapping[str, Any]) -> str:
        """Say what came of it in one line, and every fault in one more."""
        told = (
            f"{result['rows']} rows: {result['new']} new, {result['changed']} changed, {result['same']} known,"
            f" {result['bad']} with faults{'' if result['kept'] else '; nothing was taken'}."
        )
        faults = (
            f"line {fault['line']}, column {fault['column']}: {fault['message']}"
            for fault in result["errors"]
        )
        return "\n".join([told, *faults])


def _given(options: Mapping[str, Any]) -> tuple[Program, list[Row]]:
    program = Program.objects.filter(slug=options["program"]).first()
    if program is None:
        raise UsageError(f"There is no program {options['program']}.")
    text = pasted_lists.read_file(options["file"].read_bytes())
    return program, code_files.parse(text)
