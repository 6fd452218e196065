"""Look for what seems wrong now instead of in a quarter of an hour, in one program or in all."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from payouts.management.commands._options import programs_of
from payouts.risk import monitor
from prm.runs.command import UsageError


class Command(BaseCommand):
    help = "Raise signals about what looks wrong, and open cases for what is severe."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--program", default="", help="Slug of the only program to look at.")
        parser.add_argument("--days", type=int, default=monitor.SPAN.days, help="How many days to look back.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object with the result.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["days"] <= 3660:
            raise CommandError("--days must be from 1 to 3660.", returncode=2)
        try:
            chosen = programs_of(options) if options["program"] else [None]
        except UsageError as error:
            raise CommandError(str(error), returncode=2) from error
        for program in chosen:
            done = monitor.watch(at=timezone.now(), program=program, span=timedelta(days=options["days"]))
            self._print(done, as_json=options["json"])
            if done.failed:
                raise CommandError(f"{len(done.failed)} detectors failed; the log says why.", returncode=1)

    def _print(self, done: monitor.Watched, *, as_json: bool) -> None:
        told = done.as_json()
        if as_json:
            self.stdout.write(json.dumps(told))
            return
        for kind, count in told["by_kind"].items():
            self.stdout.write(f"{kind:<20} {count:>6}")
        self.stdout.write(
            f"{done.signals} signals raised, {done.cases} cases opened, {done.lines} lines paused."
        )
