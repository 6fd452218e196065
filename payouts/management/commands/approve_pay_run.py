"""Approve a prepared pay run in the name of a second person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from payouts import pay_runs
from payouts.management.commands._pay_run import PayRunCommand, facts_of
from prm.runs.progress import Reporter


class Command(PayRunCommand):
    help = "Approve a pay run; who prepared it cannot."
    verb = "approve"

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        reporter.phase(self.verb)
        run = pay_runs.approve(self.pay_run(options), by=self.acting(options), at=timezone.now())
        reporter.advance()
        return facts_of(run)
