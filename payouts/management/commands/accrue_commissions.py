"""Compute commission for every credit nobody rated yet, here and now instead of in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from payouts import accrual
from prm.runs.command import Plan, RunCommand
from prm.runs.progress import Reporter
from referrals.models import Credit


class Command(RunCommand):
    help = "Rate all credits that wait for it; safe to run beside workers and as often as you like."

    def plan(self, options: Mapping[str, Any]) -> Plan:
        return Plan(kind="accrual", title="Compute commissions", phases=["commissions"])

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        done = accrual.Accrued()
        reporter.phase("commissions", total=Credit.objects.unrated().count())
        for step in accrual.drain(at=timezone.now()):
            done.add(step)
            reporter.advance(step.rated)
        return {
            "rated": done.rated,
            "lines": done.lines,
            "uncovered": done.uncovered,
            "waiting": done.waiting,
        }
