"""Export an approved pay run: book the payments as instructed and write the bank's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from payouts import pay_runs
from payouts.management.commands._pay_run import PayRunCommand, facts_of
from payouts.models import PaymentFile
from payouts.pay_runs import files
from prm.runs.command import Plan, UsageError
from prm.runs.progress import Reporter


class Command(PayRunCommand):
    help = "Make the files of an approved run; asked again, it writes the same files."
    verb = "export"
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--to", metavar="FOLDER", help="Write the files here.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        if options["to"] and not Path(options["to"]).is_dir():
            raise UsageError(f"{options['to']} is not a folder.")
        return super().plan(options)

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        run, by, at = self.pay_run(options), self.acting(options), timezone.now()
        reporter.phase(self.verb)
        if options.get("dry_run"):
            with transaction.atomic():
                told = [_told(file) for file in pay_runs.export(run, by=by, at=at)]
                transaction.set_rollback(True)
            reporter.advance(len(told))
            # Numbers are drawn when files are made; the ones seen here went back.
            return {**facts_of(run), "files": [{**each, "number": "", "name": ""} for each in told]}
        made = pay_runs.export(run, by=by, at=at)
        for file in made:
            if options["to"]:
                content = files.take(file, by=by, at=at)
                (Path(options["to"]) / file.name).write_bytes(content)
            reporter.advance()
        return {**facts_of(run), "files": [_told(file) for file in made]}


def _told(file: PaymentFile) -> dict[str, Any]:
    return {
        "number": file.number,
        "name": file.name,
        "format": file.format,
        "currency": file.currency,
        "rows": file.row_count,
        "total_minor": file.total_minor,
        "sha256": file.sha256,
    }
