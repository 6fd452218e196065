"""Write the list of what each payee was paid in a year, for the returns a payer files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import bookkeeping
from payouts.exports import yearly
from payouts.management.commands._options import entity_of
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter


class Command(RunCommand):
    help = (
        "List who was paid how much in a year, by the day the bank confirmed, over all programs of an entity."
    )
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("year", type=int, help="The year, such as 2026.")
        parser.add_argument(
            "--entity", metavar="PREFIX", help="The entity's number prefix; the only one by default."
        )
        parser.add_argument("--format", choices=sorted(yearly.CONTENT_TYPES), default="csv")
        parser.add_argument("--output", metavar="FILE", help="Where the file goes.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        entity = entity_of(options)
        if self.person(options) is None:
            raise UsageError("Name the person who takes the list: --by EMAIL.")
        if not options["output"] and not options.get("dry_run"):
            raise UsageError("Say where the file goes: --output FILE.")
        return Plan(
            kind="yearly_payments",
            title=f"Payments of {options['year']} by {entity.name}",
            subject=f"{entity.number_prefix}:{options['year']}",
            phases=["payees"],
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        entity, year, by, at = entity_of(options), options["year"], self.person(options), timezone.now()
        reporter.phase("payees")
        payees = bookkeeping.yearly_list(entity, year, by=by, at=at)
        facts: dict[str, Any] = {
            "year": year,
            "entity": entity.number_prefix,
            "payees": len({payee.partner.pk for payee in payees}),
            "paid_minor": {currency: total.minor for currency, total in yearly.totals(payees).items()},
            "to_report": sum(payee.reaches_threshold is True for payee in payees),
        }
        if not options.get("dry_run"):
            content = bookkeeping.take_yearly_list(entity, year, form=options["format"], by=by, at=at)
            Path(options["output"]).write_bytes(content)
            facts |= {"file": options["output"], "sha256": hashlib.sha256(content).hexdigest()}
        reporter.advance(len(payees))
        return facts
