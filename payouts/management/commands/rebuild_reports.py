"""Count daily figures again from what happened; with --check only say which kept ones differ, with exit code 1 when any does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from payouts.reports import keeping
from payouts.reports.figures import COLUMNS, Figures
from prm.lib.db import as_of_one_moment
from prm.runs.command import FAILED, Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from tiers.models import Program

PHASE = "days"
MOST_SHOWN = 50
Day = tuple[Program | None, date]


class Command(RunCommand):
    help = "Count daily figures again, day by day; what was right is not touched."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--program", metavar="SLUG", help="Only this program; else all, and what nobody brought."
        )
        parser.add_argument(
            "--since", metavar="2026-11-01", help="From this day on; else from the first one."
        )
        parser.add_argument(
            "--until", metavar="2026-11-30", help="Up to this day, included; else up to the last one."
        )
        parser.add_argument(
            "--check", action="store_true", help="Compare and write nothing; 1 when any row differs."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.differing = 0
        super().handle(*args, **options, dry_run=options["check"])
        if options["check"] and self.differing:
            raise CommandError(f"{self.differing} kept rows differ.", returncode=FAILED)

    def plan(self, options: Mapping[str, Any]) -> Plan:
        self._programs(options)
        since, until = _day(options, "since"), _day(options, "until")
        if since and until and until < since:
            raise UsageError("--until lies before --since.")
        told = {name: options[name] for name in ("program", "since", "until") if options[name]}
        return Plan(
            kind="payouts.rebuild_reports",
            title="Count daily figures again",
            subject=options["program"] or "all",
            phases=[PHASE],
            parameters=told,
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        days = list(self._days(options))
        reporter.phase(PHASE, total=len(days))
        waiting = 0
        shown: list[dict[str, Any]] = []
        for program, day in days:
            if not options["check"]:
                found = keeping.rebuild(program, day)
            else:
                with as_of_one_moment():  # a day that waits to be counted may differ
                    is_due = keeping.is_marked(program, day)
                    found = [] if is_due else keeping.check(program, day)
                waiting += is_due
            self.differing += len(found)
            shown += [_told(program, each) for each in found][: MOST_SHOWN - len(shown)]
            reporter.advance(1)
        return {"days": len(days), "waiting": waiting, "differing": self.differing, "shown": shown}

    def summary(self, result: Mapping[str, Any]) -> str:
        rows = [
            f"{each['program'] or 'nobody'} {each['day']} {each['membership'] or ''} {each['dimension']}"
            f" {each['key']}: kept {each['kept']}, counted {each['counted']}"
            for each in result["shown"]
        ]
        total = f"{result['days']} days, {result['waiting']} waiting to be counted, {result['differing']} rows differed."
        return "\n".join([*rows, total])

    def _programs(self, options: Mapping[str, Any]) -> list[Program | None]:
        if not options["program"]:
            return [None, *Program.objects.order_by("pk")]
        found = Program.objects.filter(slug=options["program"]).first()
        if found is None:
            raise UsageError(f"There is no program {options['program']}.")
        return [found]

    def _days(self, options: Mapping[str, Any]) -> Iterator[Day]:
        since, until = _day(options, "since"), _day(options, "until")
        for program in self._programs(options):
            ends = keeping.span(program)
            if ends is None:
                continue
            day, last = max(since or ends[0], ends[0]), min(until or ends[1], ends[1])
            while day <= last:
                yield program, day
                day += timedelta(days=1)


def _day(options: Mapping[str, Any], name: str) -> date | None:
    text = options[name]
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(f"--{name} needs a day such as 2026-11-01.") from None


def _told(program: Program | None, each: keeping.Difference) -> dict[str, Any]:
    return {
        "program": program.slug if program else None,
        "day": each.happened_on.isoformat(),
        "membership": each.key.membership,
        "dimension": each.key.dimension,
        "key": each.key.key,
        "currency": each.key.currency,
        "kept": _columns(each.kept),
        "counted": _columns(each.counted),
    }


def _columns(figures: Figures | None) -> dict[str, int] | None:
    if figures is None:
        return None
    return {name: value for name in COLUMNS if (value := getattr(figures, name))}
