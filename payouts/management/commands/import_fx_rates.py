"""Import reference rates of the European Central Bank from a file. Exit codes: 0 every rate of the file is stored, 1 the file says
otherwise than what is stored or is none, 2 the file cannot be read, 4 another import is under way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import fx_import
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter


class Command(RunCommand):
    """`manage.py import_fx_rates FILE`."""

    help = (
        "Import euro reference rates from a file of the European Central Bank: eurofxref-daily.xml, eurofxref-hist-90d.xml,"
        " eurofxref-hist.xml or eurofxref-hist.csv. Takes what is not stored yet, all or nothing; safe to repeat."
    )
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        """Look whether the file can be read."""
        path: Path = options["file"]
        self.person(options)
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        return Plan(
            kind=fx_import.RUN_KIND,
            title=f"Import of {path.name[-100:]}",
            subject="all",
            phases=list(fx_import.PHASES),
            parameters={"file": path.name},
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Import the file."""
        path: Path = options["file"]
        found = fx_import.import_rates(
            path.read_bytes(),
            by=self.person(options),
            at=timezone.now(),
            name=path.name,
            reporter=reporter,
            dry_run=options["dry_run"],
        )
        return found.as_json()

    def summary(self, result: Mapping[str, Any]) -> str:
        """Say what the file brought."""
        verb = "would be new" if result.get("dry_run") else "new"
        return (
            f"{result.get('days', 0)} days from {result.get('first')} to {result.get('last')}: {result.get('created', 0)} rates"
            f" {verb}, {result.get('known', 0)} known, {result.get('unknown', 0)} of currencies no longer in use."
        )
