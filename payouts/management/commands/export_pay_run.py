"""Export an approved pay run: book the payments as instructed and write the bank's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import pay_runs
from payouts.management.commands._pay_run import PayRunCommand, facts_of
from prm.runs.command import Plan, UsageError
from prm.runs.progress import Reporter


class Command(PayRunCommand):
    help = "Make the files of an approved run; asked again, it writes the same files."
    verb = "export"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--to", metavar="FOLDER", help="Write the files here.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        if options["to"] and not Path(options["to"]).is_dir():
            raise UsageError(f"{options['to']} is not a folder.")
        return super().plan(options)

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        run = self.pay_run(options)
        reporter.phase(self.verb)
        files = pay_runs.export(run, by=self.acting(options), at=timezone.now())
        told = []
        for file in files:
            if options["to"]:
                (Path(options["to"]) / file.name).write_bytes(bytes(file.content))
            told.append(
                {"name": file.name, "format": file.format, "rows": file.row_count, "sha256": file.sha256}
            )
            reporter.advance()
        return {**facts_of(run), "files": told}
