"""Book what the bank says about an exported pay run: paid by default, failed for the payments that are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import bank_reasons, pay_runs
from payouts.choices import PaymentState
from payouts.management.commands._pay_run import PayRunCommand, facts_of
from payouts.models import Payment, PayRun
from prm.runs.command import Plan, UsageError
from prm.runs.progress import Reporter


class Command(PayRunCommand):
    help = "Mark payments of a run as failed, then all that are still on their way as paid."
    verb = "settle"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reference", default="", help="The bank's reference of the batch.")
        parser.add_argument(
            "--failed",
            action="append",
            default=[],
            metavar="ID=REASON",
            help="A payment that failed, by its id or end-to-end id, with the bank's code (AC04) or its words.",
        )
        parser.add_argument(
            "--booked-on", metavar="DATE", help="The day the bank booked it, as 2026-12-14; today by default."
        )

    def plan(self, options: Mapping[str, Any]) -> Plan:
        self._failed(self.pay_run(options), options["failed"])
        self._day(options)
        return super().plan(options)

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        run, by, at = self.pay_run(options), self.acting(options), timezone.now()
        failed, booked_on = self._failed(run, options["failed"]), self._day(options)
        reporter.phase(self.verb, total=run.payment_count)
        for payment, reason in failed:
            code = reason.upper() if reason.upper() in bank_reasons.PLAIN else ""
            text = "" if code else reason
            pay_runs.fail(payment, reason=text, code=code, by=by, at=at, booked_on=booked_on)
            reporter.advance()
        run = pay_runs.settle(run, by=by, at=at, reference=options["reference"], booked_on=booked_on)
        settled = run.payments.filter(state=PaymentState.SETTLED).count()
        reporter.advance(settled)
        return {**facts_of(run), "settled": settled, "came_back": len(failed)}

    def _day(self, options: Mapping[str, Any]) -> date | None:
        try:
            return date.fromisoformat(options["booked_on"]) if options["booked_on"] else None
        except ValueError as error:
            raise UsageError(
                f"{options['booked_on'][:20]!r} is not a date: write it as 2026-12-14."
            ) from error

    def _failed(self, run: PayRun, texts: Sequence[str]) -> list[tuple[Payment, str]]:
        found = []
        for text in texts:
            name, separator, reason = text.partition("=")
            payment = (
                run.payments.filter(public_id=name).first() or run.payments.filter(end_to_end_id=name).first()
            )
            if payment is None or not separator or not reason.strip():
                raise UsageError(
                    f"{text[:80]!r} does not name a payment of this run and a reason: ID=REASON."
                )
            found.append((payment, reason.strip()))
        return found
