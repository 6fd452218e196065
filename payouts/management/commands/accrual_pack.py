"""Make the accrual pack of a month: print its figures, or write its workbook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from payouts import accrual_pack
from payouts.accrual_pack import Pack, xlsx
from payouts.management.commands._options import month_of
from prm.lib.errors import Refused
from prm.runs.command import FAILED, UsageError
from tiers.models import LegalEntity, Program


class Command(BaseCommand):
    help = "What is owed at the end of a month by age, expected claw-backs, and the journal that follows."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", help="The month, written as 2026-11.")
        parser.add_argument("--entity", metavar="PREFIX", help="The legal entity, by its prefix of numbers.")
        parser.add_argument("--program", metavar="SLUG", help="Only this program.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object with the result.")
        parser.add_argument("--output", metavar="FILE", help="Write the workbook (XLSX) there.")

    def handle(self, *args: Any, **options: Any) -> None:
        month = month_of(options["month"])
        entity, programs = _scope(options["entity"], options["program"])
        try:
            pack = accrual_pack.make(entity, month, at=timezone.now(), programs=programs)
        except Refused as refusal:
            raise CommandError(str(refusal), returncode=FAILED) from refusal
        if options["output"]:
            try:
                Path(options["output"]).write_bytes(xlsx.render(pack))
            except OSError as fault:
                raise CommandError(f"{options['output']}: {fault.strerror}.", returncode=FAILED) from fault
        if options["json"]:
            self.stdout.write(json.dumps(accrual_pack.as_json(pack), ensure_ascii=False))
        else:
            self._print(pack)

    def _print(self, pack: Pack) -> None:
        state = "closed" if pack.is_final else "open: figures still change"
        self.stdout.write(f"{pack.legal_entity.name}, {pack.month}, {state}")
        for each in pack.programs:
            for row in each.ageing:
                self.stdout.write(f"{each.program.slug:<24} {row.kind:<12} {row.total!s:>20}")
            for found in each.expected:
                self.stdout.write(
                    f"{each.program.slug:<24} {'claw-backs':<12} {found.expected!s:>20}, "
                    f"from {found.sample_lines} lines"
                )
            for currency in each.without_history:
                self.stdout.write(f"{each.program.slug:<24} {'claw-backs':<12} no history in {currency}")


def _scope(prefix: str | None, slug: str | None) -> tuple[LegalEntity, list[Program] | None]:
    entities = {entity.number_prefix: entity for entity in LegalEntity.objects.order_by("number_prefix")}
    if slug:
        program = Program.objects.select_related("legal_entity").filter(slug=slug).first()
        if program is None or (prefix and program.legal_entity.number_prefix != prefix):
            raise UsageError(f"There is no program {slug}{f' of {prefix}' if prefix else ''}.")
        return program.legal_entity, [program]
    if prefix is None and len(entities) == 1:
        return next(iter(entities.values())), None
    if prefix not in entities:
        raise UsageError(f"Name a legal entity: --entity with one of {', '.join(entities)}.")
    return entities[prefix], None
