"""Import what a bank says of payments: camt.053, camt.054, pain.002 or CSV, told apart by content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import results
from payouts.management.commands._options import entity_of
from payouts.results import jobs
from payouts.results.booking import PHASE
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from tiers.models import LegalEntity


class Command(RunCommand):
    help = "Book what a bank's file says: all of it, or nothing when one booking does not match."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", help="The bank's file.")
        parser.add_argument(
            "--entity",
            metavar="PREFIX",
            help="Whose account it is, by number prefix; the only one by default.",
        )

    def plan(self, options: Mapping[str, Any]) -> Plan:
        path, entity = self._path(options), entity_of(options)
        if self.person(options) is None:
            raise UsageError("Name the person in whose name this is done: --by EMAIL.")
        return Plan(
            kind=jobs.RUN_KIND,
            title=f"Results of the bank: {path.name[-100:]}",
            subject=f"{entity.number_prefix}:results",
            phases=[PHASE],
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        path, entity, by = self._path(options), entity_of(options), self.person(options)
        content = path.read_bytes()
        if options.get("dry_run"):
            return self._look(reporter, entity, content, by)
        known = results.booking.imported(entity, content)
        file = results.import_file(
            entity, name=path.name, content=content, by=by, at=timezone.now(), reporter=reporter
        )
        return {**jobs.facts_of(file), "imported_before": known is not None}

    def _look(self, reporter: Reporter, entity: LegalEntity, content: bytes, by: Any) -> Mapping[str, Any]:
        seen = results.look(entity, content=content, by=by)
        reporter.phase(PHASE, total=seen.plan.rows)
        reporter.advance(seen.plan.rows, failed=seen.plan.faults.count)
        return {
            "format": seen.read.format,
            **jobs.facts_of_plan(seen.plan),
            "imported_before": seen.earlier is not None,
        }

    def _path(self, options: Mapping[str, Any]) -> Path:
        path = Path(options["file"])
        if not path.is_file():
            raise UsageError(f"There is no file {options['file']}.")
        return path
