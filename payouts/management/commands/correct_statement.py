"""Correct a statement: write the credit note that takes it back and the new one in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from payouts import statements
from payouts.choices import StatementKind
from payouts.models import Statement
from prm.runs.command import Plan, RunCommand, UsageError
from prm.runs.progress import Reporter

_PHASE = "correct"


class Command(RunCommand):
    help = "Take a statement back with a credit note and issue it anew with the parties and tax of now."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", help="The statement's number, such as HG-2026-00012.")
        parser.add_argument("--reason", default="", help="What was wrong; the partner reads it.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        statement = self._statement(options)
        if self.person(options) is None:
            raise UsageError("Name the person who corrects it: --by EMAIL.")
        if not options["reason"].strip():
            raise UsageError("Say what was wrong: --reason TEXT.")
        return Plan(
            kind="correct_statement",
            title=f"Correct statement {statement.number}",
            subject=statement.public_id,
            phases=[_PHASE],
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        old = self._statement(options)
        facts = {"corrected": old.number, "closing_minor": old.closing_minor, "currency": old.currency}
        if options.get("dry_run"):
            return {**facts, "statement_state": old.state, "lines": old.line_count}
        reporter.phase(_PHASE, total=1)
        new = statements.correct(old, reason=options["reason"], by=self.person(options), at=timezone.now())
        reporter.advance()
        note = Statement.objects.get(corrects=old, kind=StatementKind.CREDIT_NOTE)
        return {**facts, "credit_note": note.number, "statement": new.number}

    def _statement(self, options: Mapping[str, Any]) -> Statement:
        found = Statement.objects.filter(number=options["number"]).first()
        if found is None:
            raise UsageError(f"There is no statement {options['number'][:40]!r}.")
        return found
