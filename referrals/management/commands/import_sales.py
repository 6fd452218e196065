"""Import a CSV file of sales and refunds, plain or gzip. Exit codes: 0 all lines are in the books, 3 some lines have faults (with
--atomic nothing was taken then), 2 the file or an option makes no sense.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandParser
from django.utils import timezone

from prm.accounts import policy
from prm.lib.errors import Refused
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter
from referrals import imports, mapping, mapping_memory, sales_mapped
from referrals.import_files import FaultFile
from referrals.mapping import ATTRIBUTE, FileMapping
from referrals.sales_files import BadFile

OPTIONS = ("decimal", "dates", "zone", "negatives")


class Command(RunCommand):
    """`manage.py import_sales FILE`."""

    help = (
        "Import sales and refunds from a CSV file (plain or .gz). Columns, in any order: event_id, kind, occurred_at,"
        " customer_id, country, partner_code, amount, currency; further ones if there are any: original_event_id, click_id,"
        " product_code, category, quantity, tax, shipping, discount, cost, sub_id, deal, order_id and attribute:NAME."
        " Other files are read with --map or --mapping. Safe to repeat."
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
        parser.add_argument(
            "--mapping",
            metavar="NAME",
            help="The id of remembered columns (map_…), or auto: those remembered for this header, else a guess.",
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help="Say which column a field is in; FIELD==VALUE for one value in every line, and decimal=, dates=, zone=,"
            " negatives= for how values are written. May be repeated; the rest is guessed.",
        )
        parser.add_argument("--errors", type=Path, metavar="FILE", help="Write every fault to this CSV file.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        """Look whether the file can be read at all."""
        path: Path = options["file"]
        person = self.person(options)
        try:
            if person is not None:
                policy.require(person, "import_conversions")
            with path.open("rb") as stream:
                told = self._told(stream, options)
                imports.opened(stream, source=options["source"], at=timezone.now(), mapping=told)
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
            parameters={
                "file": path.name,
                "source": options["source"],
                "atomic": options["atomic"],
                "dry_run": False,
                "mapping": told.as_json() if told is not None else None,
            },
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Import the file."""
        faults = FaultFile() if options["errors"] else None
        with options["file"].open("rb") as stream:
            result = imports.import_file(
                stream,
                source=options["source"],
                at=timezone.now(),
                reporter=reporter,
                atomic=options["atomic"],
                dry_run=options["dry_run"],
                mapping=self._told(stream, options),
                faults=faults,
            )
        if faults is not None:
            faults.write_to(options["errors"])
        return result.as_json()

    def _told(self, stream: BinaryIO, options: Mapping[str, Any]) -> FileMapping | None:
        """Return what the columns of the file mean, None when it is in the product's own format.

        Raises: BadFile, UsageError.
        """
        name, changes = options["mapping"], options["map"]
        if not name and not changes:
            return None
        delimiter, header, rows = sales_mapped.look(stream)
        told = mapping_memory.named(name) if name not in (None, "auto") else None
        if told is None and name not in (None, "auto"):
            raise UsageError(f"There are no remembered columns {name}.")
        if told is None:
            told = mapping_memory.suggest(options["source"], header, rows, delimiter=delimiter)
        for change in changes:
            told = _changed(told, change)
        return told

    def summary(self, result: Mapping[str, Any]) -> str:
        """Say what came of it in a few lines."""
        sums = "; ".join(
            f"{kind} {amount} {currency}"
            for currency, kinds in result.get("sums", {}).items()
            for kind, amount in kinds.items()
        )
        if result.get("changes_nothing"):
            return f"{result['rows']} lines, all of them known before: nothing changed."
        verb = "would be new" if result.get("dry_run") else "new" if result.get("kept") else "not taken"
        return (
            f"{result.get('rows', 0)} lines: {result.get('created', 0)} {verb} ({sums or 'nothing'}),"
            f" {result.get('replayed', 0)} known, {result.get('failed', 0)} with faults;"
            f" {result.get('credited', 0)} credited to partners, {result.get('waiting', 0)} refunds wait for their sale."
            f" {result.get('seconds', 0)} s, {result.get('rows_per_second') or 0} lines a second."
        )


def _changed(told: FileMapping, change: str) -> FileMapping:
    """Return what the columns mean after one --map.

    Raises: UsageError.
    """
    name, mark, value = change.partition("=")
    if not mark or not name:
        raise UsageError(f"--map {change}: write FIELD=COLUMN or FIELD==VALUE.")
    if name in OPTIONS:
        return mapping.read({**told.as_json(), name: value})
    if name.startswith(ATTRIBUTE):
        return replace(told, attributes={**told.attributes, name.removeprefix(ATTRIBUTE): value})
    columns = {field: column for field, column in told.columns.items() if field != name}
    constants = {field: text for field, text in told.constants.items() if field != name}
    if value.startswith("="):
        return replace(told, columns=columns, constants={**constants, name: value[1:]})
    return replace(told, columns={**columns, name: value} if value else columns, constants=constants)
