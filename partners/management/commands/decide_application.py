"""Decide on one application from the command line. It is the same decision as in the back office: the person named by --by must hold
the right, and the applicant gets the same mail."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from partners import approval
from partners.choices import RejectionReason
from partners.models import Application
from prm.accounts import people
from prm.accounts.models import User
from prm.lib.errors import Refused
from tiers.models import Tier

REFUSED, USAGE = 1, 2


class Command(BaseCommand):
    help = "Approve or decline one application, given by its reference (app_…)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", help="The reference of the application, app_…")
        decision = parser.add_mutually_exclusive_group(required=True)
        decision.add_argument("--approve", action="store_true", help="Make the applicant a partner.")
        decision.add_argument("--reject", metavar="REASON", help=", ".join(RejectionReason.values))
        parser.add_argument(
            "--tier", metavar="KEY", help="Where the partner stands; the lowest rank unless given."
        )
        parser.add_argument(
            "--reapply-on", metavar="DATE", help="From when one may apply again, as 2026-11-30."
        )
        parser.add_argument("--note", default="", help="A message to the applicant.")
        parser.add_argument("--by", metavar="EMAIL", required=True, help="In whose name this is decided.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object with the result.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the decision and say what came of it; exit code 1 when refused, 2 for wrong use."""
        application = self._application(options["reference"])
        by = people.find(options["by"])
        if by is None:
            raise CommandError(f"Nobody signs in with {options['by']}.", returncode=USAGE)
        try:
            result = self._decide(application, by, options)
        except Refused as refusal:
            self._print(options, {"state": "refused", "code": refusal.code, "error": str(refusal)})
            raise CommandError(str(refusal), returncode=REFUSED) from refusal
        self._print(options, result)

    def _decide(self, application: Application, by: User, options: dict[str, Any]) -> dict[str, Any]:
        at, note = timezone.now(), options["note"]
        if options["approve"]:
            tier = self._tier(application, options["tier"])
            membership = approval.approve(application, tier=tier, by=by, at=at, note=note)
            done = {
                "membership": membership.public_id,
                "partner": membership.partner.public_id,
                "tier": tier.key,
            }
            return {"state": "approved", "application": application.public_id, **done}
        reapply_on = self._day(options["reapply_on"])
        approval.reject(application, reason=options["reject"], by=by, at=at, note=note, reapply_on=reapply_on)
        return {"state": "rejected", "application": application.public_id, "reason": options["reject"]}

    def _application(self, reference: str) -> Application:
        found = Application.objects.filter(public_id=reference).select_related("program").first()
        if found is None:
            raise CommandError(f"There is no application {reference}.", returncode=USAGE)
        return found

    def _tier(self, application: Application, key: str | None) -> Tier:
        tiers = Tier.objects.filter(program=application.program).in_use().by_rank()
        tier = tiers.filter(key=key).first() if key else tiers.first()
        if tier is None:
            known = ", ".join(tiers.values_list("key", flat=True)) or "none"
            raise CommandError(f"No such tier; {application.program.slug} has: {known}.", returncode=USAGE)
        return tier

    def _day(self, text: str | None) -> date | None:
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            raise CommandError(f"{text} is not a date: write it as 2026-11-30.", returncode=USAGE) from None

    def _print(self, options: dict[str, Any], result: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        elif "error" not in result:
            self.stdout.write("  ".join(f"{name}: {value}" for name, value in result.items()))
