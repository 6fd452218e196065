"""Compute again what every line should be, and post the differences; with --dry-run only say what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from partners.models import Membership
from payouts import reconcile
from payouts.accrual.refold import Difference
from payouts.management.commands._options import month_of
from payouts.tasks_reconcile import spread
from prm.lib.periods import Month
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from tiers.models import Program

PHASE = "memberships"
MOST_SHOWN = 200


class Command(RunCommand):
    help = "Compare what should be booked with what is, membership by membership; a second run posts nothing."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--program", metavar="SLUG", help="Only this program.")
        parser.add_argument("--membership", metavar="ID", default="", help="Only this membership: mem_….")
        parser.add_argument(
            "--background", action="store_true", help="Hand the memberships to the workers and return."
        )
        parser.add_argument(
            "--month", metavar="2026-11", help="Take events before this month as they are booked."
        )

    def plan(self, options: Mapping[str, Any]) -> Plan:
        self._members(options)
        self._month(options)
        names = ("program", "membership", "month")
        return Plan(
            kind="payouts.reconcile",
            title="Reconcile commissions",
            subject=options["membership"] or options["program"] or "all",
            phases=[PHASE],
            parameters={name: options[name] for name in names if options[name]},
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        ids, since = self._members(options), self._month(options)
        if options["background"] and not options["dry_run"]:
            return {"memberships": len(ids), "messages": spread(ids, since=since)}
        done = reconcile.Reconciled()
        reporter.phase(PHASE, total=len(ids))
        for pk in ids:
            member = Membership.objects.select_related("program").get(pk=pk)
            if options["dry_run"]:
                done.differences += reconcile.difference(member, since=since, at=timezone.now())
            else:
                done.add(reconcile.reconcile(member, since=since, at=timezone.now()))
            reporter.advance(1)
        return {
            "memberships": len(ids),
            "credits": done.credits,
            "rated": done.accrued.rated,
            "failed_events": done.accrued.failed,
            "differences": len(done.differences),
            "difference_minor": sum(each.minor for each in done.differences),
            "shown": [asdict(each) for each in done.differences[:MOST_SHOWN]],
        }

    def summary(self, result: Mapping[str, Any]) -> str:
        shown = [Difference(**each) for each in result.get("shown", ())]
        lines = [
            f"{each.order} {each.rule_key} {each.window}: {each.posted_minor} booked, {each.desired_minor} due"
            f" ({each.cause} {each.caused_by})"
            for each in shown
        ]
        return "\n".join([*lines, super().summary({k: v for k, v in result.items() if k != "shown"})])

    def _members(self, options: Mapping[str, Any]) -> list[int]:
        program = None
        if options["program"]:
            program = Program.objects.filter(slug=options["program"]).first()
            if program is None:
                raise UsageError(f"There is no program {options['program']}.")
        key = options["membership"]
        if key and not Membership.objects.filter(public_id=key).exists():
            raise UsageError(f"There is no membership {key}.")
        return reconcile.members_of(program, key)

    def _month(self, options: Mapping[str, Any]) -> Month | None:
        return month_of(options["month"]) if options["month"] else None
