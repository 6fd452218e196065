"""Move commission whose hold is over to ready to pay, here and now instead of in the nightly task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from payouts import release
from prm.runs.command import Plan, RunCommand
from prm.runs.progress import Reporter


class Command(RunCommand):
    help = "Release every line whose hold is over."

    def plan(self, options: Mapping[str, Any]) -> Plan:
        return Plan(kind="release", title="Release held commissions", phases=["release"])

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        reporter.phase("release")
        return {"released": release.release_due(at=timezone.now())}
