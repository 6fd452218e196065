"""Prepare a pay run for a legal entity and currency; another person approves it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import pay_runs
from payouts.choices import PayRunState
from payouts.management.commands._options import entity_of
from payouts.management.commands._pay_run import facts_of
from payouts.models import PayRun
from payouts.pay_runs import job
from payouts.pay_runs.preview import as_words, preview, sums_of
from prm.lib.money import UnknownCurrency, exponent
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter


class Command(RunCommand):
    help = "Prepare one payment for every partner whose balance can be paid, and list the others with the reason."
    has_dry_run = True

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
        entity, day, currency = entity_of(options), self._day(options), self._currency(options)
        if self.person(options) is None:
            raise UsageError("Name the person who prepares the run: --by EMAIL.")
        # The kind and the subject of the page's own job: whoever looks at the draft sees this one.
        return Plan(
            kind=job.RUN_KIND,
            title=f"Prepare payments in {currency} for {day}",
            subject=job.subject_of(entity, currency),
            phases=[job.PHASE],
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        if options.get("dry_run"):
            return self._try(reporter, options)
        by, at = self.person(options), timezone.now()
        run, is_new = self._draft(options)
        try:
            job.follow(run, reporter, by=by, at=at)
        except pay_runs.NothingToPay:
            if is_new:
                pay_runs.cancel(run, by=by, at=at)  # nobody shall come across an empty draft
            raise
        run.refresh_from_db()
        told = as_words(sums_of(run))
        checks = run.checks.filter(acknowledged_at=None).count()
        self._count_gaps(reporter, told)
        return {**facts_of(run), **told, "checks": checks}

    def _try(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        reporter.phase(job.PHASE)
        found = preview(
            entity_of(options),
            currency=self._currency(options),
            execute_on=self._day(options),
            by=self.person(options),
            at=timezone.now(),
        )
        reporter.advance(found.payments)
        told = as_words(found)
        self._count_gaps(reporter, told)
        return {"currency": options["currency"], "execute_on": options["execute_on"], **told}

    def _count_gaps(self, reporter: Reporter, told: Mapping[str, Any]) -> None:
        """Count who is left out for want of a rate, which is ours to bring: the command ends with 3 then."""
        reporter.advance(0, failed=told["left_out"].get("no_fx_rate", 0))

    def _draft(self, options: Mapping[str, Any]) -> tuple[PayRun, bool]:
        """Return the draft to compute: the one an interrupted command left for this day, or a new one."""
        entity, currency, day = entity_of(options), self._currency(options), self._day(options)
        left = pay_runs.being_prepared(entity, currency)
        if left is not None and left.state == PayRunState.DRAFT and left.execute_on == day:
            return left, False
        by = self.person(options)
        return pay_runs.open(entity, currency=currency, execute_on=day, by=by, at=timezone.now()), True

    def _currency(self, options: Mapping[str, Any]) -> str:
        try:
            exponent(options["currency"])
        except UnknownCurrency as error:
            raise UsageError(f"{options['currency'][:20]!r} is not a currency: write it as GBP.") from error
        return str(options["currency"])

    def _day(self, options: Mapping[str, Any]) -> date:
        try:
            return date.fromisoformat(options["execute_on"])
        except ValueError as error:
            raise UsageError(
                f"{options['execute_on'][:20]!r} is not a date: write it as 2026-12-14."
            ) from error
