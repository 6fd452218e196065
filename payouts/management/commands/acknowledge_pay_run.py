"""Acknowledge what was found in a prepared pay run, with a note for whoever approves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import pay_runs
from payouts.choices import CheckKind
from payouts.management.commands._pay_run import PayRunCommand, facts_of
from prm.runs.progress import Reporter


class Command(PayRunCommand):
    help = "Say that the checks of a run were looked at: all of them, or those of one kind."
    verb = "acknowledge"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--note", required=True, help="What you found.")
        parser.add_argument("--check", choices=CheckKind.values, help="Only checks of this kind.")

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        run, by, at = self.pay_run(options), self.acting(options), timezone.now()
        reporter.phase(self.verb)
        if options["check"]:
            count = pay_runs.acknowledge_kind(run, options["check"], note=options["note"], by=by, at=at)
        else:
            count = pay_runs.acknowledge_all(run, note=options["note"], by=by, at=at)
        reporter.advance(count)
        left = run.checks.filter(acknowledged_at=None).count()
        return {**facts_of(run), "acknowledged": count, "checks": left}
