"""Say why an event is credited as it is: every contact that was seen and what became of it. It only reads. Exit codes: 0 it was said, 2 there is
no such event."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from referrals.decisions import Decision, decisions_of
from referrals.models import Conversion


class Command(BaseCommand):
    """`manage.py explain_attribution SOURCE EVENT`."""

    help = "Say who is credited for an event, and why every contact that was seen won or lost; the decision that counts comes first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add which event is meant."""
        parser.add_argument("source", help="The shop or system the event id belongs to.")
        parser.add_argument("event", metavar="EVENT_ID", help="The id the shop gave the event.")
        parser.add_argument("--json", action="store_true", help="Write it as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look the event up and write its decisions."""
        rows = Conversion.objects.filter(source=options["source"], external_id=options["event"])
        conversion = rows.first()
        if conversion is None:
            raise CommandError(f"{options['source']} told no event {options['event']}.", returncode=2)
        found = decisions_of(conversion)
        if options["json"]:
            told = [decision.as_json() for decision in found]
            answer = {"event": conversion.external_id, "source": conversion.source, "decisions": told}
            self.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False))
            return
        for line in _lines(conversion, found):
            self.stdout.write(line)


def _lines(conversion: Conversion, found: list[Decision]) -> list[str]:
    if not found and conversion.original_external_id:
        return [f"It is credited as {conversion.original_external_id}, the event it names."]
    if not found:
        return ["No contact of any partner was found: no code, no click, and nothing that was told."]
    lines: list[str] = []
    for decision in found:
        by = f", by {decision.by}: {decision.reason}" if decision.by else ""
        lines.append(f"{decision.cause} ({decision.decided_at.isoformat(timespec='seconds')}){by}")
        lines += [
            f"  {each.what}, {each.partner.name} ({each.program}), {each.at}. {each.result}, {each.share}. {each.sentence}"
            for each in decision.seen
        ] or ["  Credited to nobody."]
    return lines
