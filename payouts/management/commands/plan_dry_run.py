"""Try a plan version, another tier or a setting on past events, and print what it would cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import dry_runs
from payouts.choices import DryRunKind
from payouts.dry_runs.report import csv_text
from payouts.models import DryRun
from prm.accounts.models import User
from prm.lib.errors import Refused
from prm.lib.money import Money
from prm.lib.periods import Month, start_of_day
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from tiers.models import PlanVersion, Program


class Command(RunCommand):
    help = "Rate past events under other terms, beside the present ones. Nothing is booked."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("program", help="The program's address, such as affiliates.")
        parser.add_argument("--version-number", type=int, help="Try this version of the plan.")
        parser.add_argument("--to-tier", help="Try partners in this tier (its key).")
        parser.add_argument("--from-tier", default="", help="Only partners standing in this tier.")
        parser.add_argument("--changes", help='Try settings, as JSON: {"clawback_days": 60}.')
        parser.add_argument("--months", type=int, default=12, help="The last so many whole months.")
        parser.add_argument("--from", dest="first", metavar="DATE", help="Events from this day on instead.")
        parser.add_argument("--to", dest="last", metavar="DATE", help="... up to and including this day.")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="Write the tables to this file.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        self.program = _program(options["program"])
        by = self.person(options)
        if by is None:
            raise UsageError("Name the person in whose name this is done: --by EMAIL.")
        kind, version, changes = _what(self.program, options)
        starts_at, ends_at = _range(self.program, options, at=timezone.now())
        self.made = self._ask(kind, version, changes, starts_at, ends_at, by)
        return Plan(
            kind="plan_dry_run",
            title=f"Dry run for {self.program.name}",
            subject=self.made.public_id,
            phases=[dry_runs.PHASE],
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        made = dry_runs.work_on(self.made, reporter, at=timezone.now())
        if options.get("csv"):
            with open(options["csv"], "w", encoding="utf-8", newline="") as file:
                file.writelines(csv_text(made.report))
        kept = ("currency", "total", "winners", "losers", "unchanged", "uncovered")
        return {"dry_run": made.public_id, **{name: made.report[name] for name in kept}}

    def summary(self, result: Mapping[str, Any]) -> str:
        total, currency = result["total"], result["currency"]
        old, new, change = (Money(total[name], currency) for name in ("old", "new", "change"))
        return (
            f"{total['events']} events: {old} now, {new} with the change, difference {change}. "
            f"{result['winners']} partners gain, {result['losers']} lose, {result['unchanged']} stay; "
            f"{result['uncovered']} events no rule covers. Report: {result['dry_run']}"
        )

    def _ask(
        self,
        kind: str,
        version: PlanVersion | None,
        changes: Mapping[str, Any],
        starts_at: datetime,
        ends_at: datetime,
        by: User,
    ) -> DryRun:
        try:
            return dry_runs.record(
                self.program,
                kind,
                starts_at=starts_at,
                ends_at=ends_at,
                version=version,
                changes=changes,
                by=by,
                at=timezone.now(),
            )
        except Refused as refusal:
            raise UsageError(str(refusal)) from refusal


def _program(slug: str) -> Program:
    program = Program.objects.filter(slug=slug).first()
    if program is None:
        raise UsageError(f"There is no program {slug[:60]!r}.")
    return program


def _what(program: Program, options: Mapping[str, Any]) -> tuple[str, PlanVersion | None, dict[str, Any]]:
    asked = [name for name in ("version_number", "to_tier", "changes") if options.get(name)]
    if len(asked) != 1:
        raise UsageError("Name one thing to try: --version-number, --to-tier or --changes.")
    if asked == ["version_number"]:
        number = options["version_number"]
        version = PlanVersion.objects.filter(plan__program=program, number=number).first()
        if version is None:
            raise UsageError(f"The plan of {program.name} has no version {number}.")
        return DryRunKind.PLAN, version, {}
    if asked == ["to_tier"]:
        return DryRunKind.TIER, None, {"from": options["from_tier"], "to": options["to_tier"]}
    try:
        changes = json.loads(options["changes"])
    except ValueError:
        raise UsageError("--changes is not JSON.") from None
    if not isinstance(changes, dict):
        raise UsageError('--changes is a JSON object, such as {"clawback_days": 60}.')
    return DryRunKind.SETTING, None, changes


def _range(program: Program, options: Mapping[str, Any], *, at: datetime) -> tuple[datetime, datetime]:
    zone, month = program.zone, Month.of(at, program.zone)
    first = month.plus(-options["months"]).starts_at(zone)
    last = month.starts_at(zone)
    if options.get("first"):
        first, last = start_of_day(_day(options["first"]), zone), at
    if options.get("last"):
        last = start_of_day(_day(options["last"]) + timedelta(days=1), zone)
    return first, last


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text[:20]!r} is not a date: write it as 2026-11-30.") from None
