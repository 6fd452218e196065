"""Measure how all memberships stand by the figures of their tiers, as the night does, and write the rows that differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from partners.tier_reviews import snapshots
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from tiers.models import Program


class Command(RunCommand):
    help = "Measure memberships for their tiers; a second run writes nothing where nothing has changed."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--program", metavar="SLUG", default="", help="Only this program.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        self._programs(options)
        return Plan(
            kind=snapshots.RUN_KIND,
            title="Tier figures",
            subject=options["program"] or snapshots.ALL,
            phases=[snapshots.PHASE],
            parameters={"program": options["program"]} if options["program"] else {},
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        return snapshots.take(self._programs(options), reporter, at=timezone.now())

    def _programs(self, options: Mapping[str, Any]) -> list[Program]:
        programs = Program.objects.order_by("pk")
        if not options["program"]:
            return list(programs)
        found = programs.filter(slug=options["program"]).first()
        if found is None:
            raise UsageError(f"There is no program {options['program']}.")
        return [found]
