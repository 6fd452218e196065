"""Prove the books against themselves; exit code 1 when something does not agree."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payouts import ledger, reconciliation


class Command(BaseCommand):
    help = "Compare ledger, commission lines, statements and payments with each other."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON object with the result.")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = reconciliation.check()
        balances = {
            f"{kind} {currency}": str(total) for (kind, currency), total in ledger.trial_balance().items()
        }
        if options["json"]:
            told = {
                "ok": not findings,
                "checks": len(reconciliation.CHECKS),
                "balances": balances,
                "findings": [asdict(finding) for finding in findings],
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            self._print(findings, balances)
        if findings:
            raise CommandError(f"{len(findings)} things do not agree.", returncode=1)

    def _print(self, findings: list[reconciliation.Finding], balances: dict[str, str]) -> None:
        for name, total in balances.items():
            self.stdout.write(f"{name:<20} {total:>20}")
        for each in findings:
            self.stdout.write(f"{each.check}: {each.about}: expected {each.expected}, found {each.found}")
        if not findings:
            self.stdout.write(f"{len(reconciliation.CHECKS)} checks, nothing to report.")
