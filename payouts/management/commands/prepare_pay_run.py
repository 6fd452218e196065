"""Prepare a pay run for a legal entity and currency; another person approves it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import pay_runs
from payouts.management.commands._pay_run import facts_of
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from tiers.models import LegalEntity


class Command(RunCommand):
    help = "Prepare one payment for every partner whose balance can be paid, and list the others with the reason."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--entity", metavar="PREFIX", help="The entity's number prefix; the only one by default."
        )
        parser.add_argument("--currency", required=True, help="ISO code, such as GBP.")
        parser.add_argument(
            "--execute-on", required=True, metavar="DATE", help="The payment date, as 2026-12-14."
        )

    def plan(self, options: Mapping[str, Any]) -> Plan:
        entity, day = self._entity(options), self._day(options)
        if self.person(options) is None:
            raise UsageError("Name the person who prepares the run: --by EMAIL.")
        return Plan(
            kind="pay_run_prepare",
            title=f"Prepare payments in {options['currency']} for {day}",
            subject=f"{entity.number_prefix}:{options['currency']}",
            phases=["prepare"],
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        reporter.phase("prepare")
        run = pay_runs.prepare(
            self._entity(options),
            currency=options["currency"],
            execute_on=self._day(options),
            by=self.person(options),
            at=timezone.now(),
        )
        reporter.advance(run.payment_count)
        left_out: dict[str, int] = {}
        for reason in run.exceptions.order_by("pk").values_list("reason", flat=True):
            left_out[reason] = left_out.get(reason, 0) + 1
        return {**facts_of(run), "left_out": left_out}

    def _entity(self, options: Mapping[str, Any]) -> LegalEntity:
        found = LegalEntity.objects.order_by("pk")
        if options["entity"]:
            found = found.filter(number_prefix=options["entity"])
        entities = list(found[:2])
        if len(entities) != 1:
            raise UsageError("Name the legal entity by its number prefix: --entity HG.")
        return entities[0]

    def _day(self, options: Mapping[str, Any]) -> date:
        try:
            return date.fromisoformat(options["execute_on"])
        except ValueError as error:
            raise UsageError(
                f"{options['execute_on'][:20]!r} is not a date: write it as 2026-12-14."
            ) from error
