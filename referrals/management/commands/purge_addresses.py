"""Throw away the keys addresses were hashed with when their days are over, and empty what was hashed with them. The same happens every
night; exit code 0 when done."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from referrals import addresses


class Command(BaseCommand):
    """`manage.py purge_addresses`."""

    help = "Forget network addresses older than PRM_ADDRESS_DAYS. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add how the result is told."""
        parser.add_argument("--json", action="store_true", help="Tell the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Purge, and say how much went."""
        found = addresses.keep(timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(found))
        else:
            self.stdout.write(
                f"{found['keys']} keys deleted; addresses of {found['clicks']} clicks and"
                f" {found['conversions']} conversions emptied."
            )
