"""Import a CSV file of sales and refunds, plain or gzip. Exit codes: 0 all lines are in the books, 3 some lines have faults (with
--atomic nothing was taken then), 2 the file or an option makes no sense.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from prm.accounts import policy
from prm.lib.errors import Refused
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from referrals import imports
from referrals.sales_files import BadFile, SalesFile


class Command(RunCommand):
    """`manage.py import_sales FILE`."""

    help = (
        "Import sales and refunds from a CSV file (plain or .gz). Columns, in any order: event_id, kind, occurred_at,"
        " customer_id, country, partner_code, amount, currency; further ones if there are any: original_event_id, click_id,"
        " product_code, category, quantity, tax, shipping, discount, cost, sub_id, deal, order_id and attribute:NAME."
        " Safe to repeat."
    )
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file and how to take it."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--source", default="import", help="The shop or system the event ids belong to (default: import)."
        )
        parser.add_argument("--atomic", action="store_true", help="Take all lines or none.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        """Look whether the file can be read at all."""
        path: Path = options["file"]
        person = self.person(options)
        try:
            if person is not None:
                policy.require(person, "import_conversions")
            with path.open("rb") as stream:
                SalesFile(stream, source=options["source"], at=timezone.now())
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        except BadFile as fault:
            where = f"line {fault.line}" + (f", column {fault.column}" if fault.column else "")
            raise UsageError(f"{path}: {where}: {fault}") from None
        except Refused as refusal:
            raise UsageError(str(refusal)) from None
        return Plan(
            kind=imports.RUN_KIND,
            title=f"Import of {path.name[-100:]}",
            phases=[imports.PHASE],
            parameters={"file": path.name, "source": options["source"], "atomic": options["atomic"]},
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Import the file."""
        with options["file"].open("rb") as stream:
            result = imports.import_file(
                stream,
                source=options["source"],
                at=timezone.now(),
                reporter=reporter,
                atomic=options["atomic"],
                dry_run=options["dry_run"],
            )
        return result.as_json()

    def summary(self, result: Mapping[str, Any]) -> str:
        """Say what came of it in a few lines."""
        sums = "; ".join(
            f"{kind} {amount} {currency}"
            for currency, kinds in result.get("sums", {}).items()
            for kind, amount in kinds.items()
        )
        verb = "would be new" if result.get("dry_run") else "new" if result.get("kept") else "not taken"
        return (
            f"{result.get('rows', 0)} lines: {result.get('created', 0)} {verb} ({sums or 'nothing'}),"
            f" {result.get('replayed', 0)} known, {result.get('failed', 0)} with faults;"
            f" {result.get('credited', 0)} credited to partners, {result.get('waiting', 0)} refunds wait for their sale."
            f" {result.get('seconds', 0)} s, {result.get('rows_per_second') or 0} lines a second."
        )
