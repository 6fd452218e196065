"""Look at the tiers of a program, by its calendar or on a day, and print what was found. A round that was carried out already writes
nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from partners.choices import RoundKind
from partners.models import ReviewRound
from partners.tier_reviews import rounds
from prm.lib.periods import local_day
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from tiers.models import Program

KINDS = (RoundKind.PROMOTION.value, RoundKind.DEMOTION.value, RoundKind.ANNIVERSARY.value)


class Command(RunCommand):
    help = "Review the tiers of a program: the rounds that are due, or the one of a kind and a day."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--program", required=True, help="The program's address, such as affiliates.")
        parser.add_argument("--kind", choices=KINDS, help="Only a round of this kind, due or not.")
        parser.add_argument("--on", metavar="DATE", help="The day of that round; today when left out.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        program = Program.objects.filter(slug=options["program"]).first()
        if program is None:
            raise UsageError(f"There is no program {options['program']!r}.")
        self.rounds = self._rounds(program, options)
        return Plan(
            kind=rounds.RUN_KIND,
            title=f"Tier review of {program.name}",
            subject=self.rounds[0].public_id if self.rounds else "",
            phases=rounds.PHASES,
            parameters={"rounds": [row.public_id for row in self.rounds]},
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        at = timezone.now()
        found = [rounds.carry_out(row, reporter, at=at) for row in self.rounds]
        return {"rounds": len(found), "outcomes": [dict(each) for each in found]}

    def summary(self, result: Mapping[str, Any]) -> str:
        lines = [
            f"{row.due_on} {row.kind}: {each['up']} up, {each['keep']} keep, {each['down']} down"
            for row, each in zip(self.rounds, result["outcomes"], strict=True)
        ]
        return "\n".join(lines) or "No review is due."

    def _rounds(self, program: Program, options: Mapping[str, Any]) -> list[ReviewRound]:
        at = timezone.now()
        if options["kind"] is None:
            if options["on"]:
                raise UsageError("--on needs --kind.")
            rounds.open_due(at=at)
            return rounds.unfinished(program)
        try:
            day = date.fromisoformat(options["on"]) if options["on"] else local_day(at, program.zone)
        except ValueError:
            raise UsageError(f"{options['on']!r} is not a day: write it as 2026-11-30.") from None
        if day > local_day(at, program.zone):
            raise UsageError("That day has not come.")
        row = rounds.open_on(program, options["kind"], day, at=at)
        if row is None:
            raise UsageError("Nothing is asked of the tiers of this program yet.")
        return [row]
