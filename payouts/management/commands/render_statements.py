"""Draw the PDF of every statement that has none, of one month or of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from payouts import documents
from payouts.management.commands._options import month_of
from payouts.models import Statement
from prm.runs.command import Plan, RunCommand
from prm.runs.progress import Reporter


class Command(RunCommand):
    help = "Draw and store the PDF of statements; those that have one are left as they are."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--month", help="Only statements of this month, written as 2026-11.")
        parser.add_argument("--program", metavar="SLUG", help="Only statements of this program.")

    def plan(self, options: Mapping[str, Any]) -> Plan:
        self._waiting(options)
        return Plan(
            kind="documents",
            title="Draw statements",
            subject=options["month"] or "all",
            phases=["documents"],
            parameters={"month": options["month"] or "", "program": options["program"] or ""},
        )

    def work(self, reporter: Reporter, options: Mapping[str, Any]) -> Mapping[str, Any]:
        ids = self._waiting(options)
        if options.get("dry_run"):
            return {"waiting": len(ids), "drawn": 0}
        reporter.phase("documents", total=len(ids))
        for pk in ids:
            documents.ensure_pdf(Statement.objects.get(pk=pk))
            reporter.advance()
        return {"drawn": len(ids)}

    def _waiting(self, options: Mapping[str, Any]) -> list[int]:
        found = Statement.objects.filter(pdf_sha256="")
        if options["month"]:
            month = month_of(options["month"])
            found = found.filter(period__year=month.year, period__month=month.month)
        if options["program"]:
            found = found.filter(membership__program__slug=options["program"])
        return list(found.order_by("pk").values_list("pk", flat=True))
