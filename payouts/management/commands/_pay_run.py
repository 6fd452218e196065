"""What the pay-run commands share: finding the run, the person, and the figures they print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from payouts.models import PayRun
from prm.runs.command import Plan, RunCommand, UsageError


class PayRunCommand(RunCommand):
    """A command that does one step with one run, in somebody's name."""

    verb = ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("pay_run", help="The run's id, such as prn_01k…, or its message id.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        run = self.pay_run(options)
        self.acting(options)
        return Plan(
            kind=f"pay_run_{self.verb}",
            title=f"{self.verb.capitalize()} pay run {run.message_id}",
            subject=run.public_id,
            phases=[self.verb],
        )

    def pay_run(self, options: Mapping[str, Any]) -> PayRun:
        """Return the run that was named. Raises UsageError."""
        name = options["pay_run"]
        run = PayRun.objects.filter(public_id=name).first() or PayRun.objects.filter(message_id=name).first()
        if run is None:
            raise UsageError(f"There is no pay run {name[:60]!r}.")
        return run

    def acting(self, options: Mapping[str, Any]) -> Any:
        """Return the person named by --by. Raises UsageError."""
        person = self.person(options)
        if person is None:
            raise UsageError("Name the person in whose name this is done: --by EMAIL.")
        return person


def facts_of(run: PayRun) -> dict[str, Any]:
    """Return what every pay-run command prints."""
    run.refresh_from_db()
    return {
        "pay_run": run.public_id,
        "message_id": run.message_id,
        "pay_run_state": run.state,
        "payments": run.payment_count,
        "total_minor": run.total_minor,
        "currency": run.currency,
        "execute_on": run.execute_on.isoformat(),
    }
