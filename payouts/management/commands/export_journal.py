"""Write the accounting journal of a month, or of one pay run, as CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from payouts.exports import journal
from payouts.management.commands._options import entity_of, month_of
from payouts.models import Payment, PayRun
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from tiers.models import LegalEntity


class Command(RunCommand):
    help = "Write what was booked in a month, or for one pay run, under the account codes of your own books."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", nargs="?", help="The month, written as 2026-11.")
        parser.add_argument("--pay-run", metavar="ID", help="One pay run instead of a month.")
        parser.add_argument(
            "--entity", metavar="PREFIX", help="The entity's number prefix; the only one by default."
        )
        parser.add_argument("--output", metavar="FILE", help="Where the file goes.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        if not options["output"] and not options.get("dry_run"):
            raise UsageError("Say where the file goes: --output FILE.")
        entity, what, _rows = self._wanted(options)
        return Plan(
            kind="export_journal",
            title=f"Journal of {what}",
            subject=f"{entity.number_prefix}:{what}",
            phases=["rows"],
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        entity, what, rows = self._wanted(options)
        reporter.phase("rows")
        counted = _Counted(rows)
        if options.get("dry_run"):
            for _piece in journal.lines(counted):
                pass
            return {"journal": what, "entity": entity.number_prefix, **counted.facts(), "file": ""}
        target, digest = Path(options["output"]), hashlib.sha256()
        unfinished = target.with_name(f"{target.name}.part")
        with unfinished.open("wb") as file:
            for piece in journal.lines(counted):
                content = piece.encode()
                digest.update(content)
                file.write(content)
        unfinished.replace(target)  # a file with its own name is a whole one
        reporter.advance(counted.rows)
        facts = {**counted.facts(), "file": str(target), "sha256": digest.hexdigest()}
        return {"journal": what, "entity": entity.number_prefix, **facts}

    def _wanted(self, options: Mapping[str, Any]) -> tuple[LegalEntity, str, Iterator[journal.Row]]:
        if bool(options["month"]) == bool(options["pay_run"]):
            raise UsageError("Name a month, written as 2026-11, or --pay-run ID.")
        if options["month"]:
            entity, month = entity_of(options), month_of(options["month"])
            return entity, str(month), journal.of_month(entity, month)
        name = options["pay_run"]
        runs = PayRun.objects.select_related("legal_entity")
        run = runs.filter(public_id=name).first() or runs.filter(message_id=name).first()
        if run is None:
            raise UsageError(f"There is no pay run {name[:60]!r}.")
        payments = Payment.objects.filter(pay_run=run).order_by("pk")
        return run.legal_entity, run.message_id, journal.of_run(run.legal_entity, payments)


class _Counted:
    """Rows on their way into a file, counted and added up as they pass."""

    def __init__(self, rows: Iterator[journal.Row]) -> None:
        self._source, self.rows = rows, 0
        self._sums: dict[str, list[int]] = {}

    def __iter__(self) -> Iterator[journal.Row]:
        for row in self._source:
            self.rows += 1
            sides = self._sums.setdefault(row.amount.currency, [0, 0])
            sides[0 if row.is_debit else 1] += row.amount.minor
            yield row

    def facts(self) -> dict[str, Any]:
        """Return how many rows there were and both sides of each currency."""
        sums = {
            currency: {"debit_minor": debit, "credit_minor": credit}
            for currency, (debit, credit) in sorted(self._sums.items())
        }
        return {"rows": self.rows, "sums": sums}
