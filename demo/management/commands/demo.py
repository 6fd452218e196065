"""Fill an empty house with the demo, and print what each stage took and whether the books agree with the file."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError
from django.utils import timezone

from demo import bare, build, dataset, people
from payouts.models import Commission
from prm.accounts.models import User
from referrals.models import Conversion
from tiers.models import Program


class Command(BaseCommand):
    help = "Build the demo house from a year of real sales, in an empty database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--true-dates", action="store_true", help="Keep 2010 and 2011 instead of moving to today."
        )
        parser.add_argument("--logins", action="store_true", help="Only print the accounts to try.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["logins"]:
            self._build(true_dates=options["true_dates"])
        for who, email, password in people.logins():
            self.stdout.write(f"{who:<20}{email:<28}{password}")

    def _build(self, *, true_dates: bool) -> None:
        if _has_people():
            raise CommandError("The demo is for an empty database; this one has programs or people in it.")
        shift = dataset.whole_weeks_to(timezone.now()) * (not true_dates)
        now = dataset.moment_after(timezone.now(), shift)
        build.Build(now=now, shift=shift, tell=self.stdout.write).all()
        different = build.differences(shift)
        if different:
            raise CommandError("The books differ from the file:\n" + "\n".join(different[:20]))
        for model in (Conversion, Commission):
            limit = bare.insert(model)
            self.stdout.write(
                f"bare insert of the same {limit.rows} rows of {limit.table}: {limit.per_second}/s"
            )
        total = sum(dataset.expected(shift).values())
        self.stdout.write(
            f"Books and file agree for every partner and month: {total:,.2f} GBP of commission."
        )


def _has_people() -> bool:
    """Say whether somebody already works here.

    Raises: CommandError when the database has no tables yet.
    """
    try:
        return Program.objects.exists() or User.objects.exists()
    except (OperationalError, ProgrammingError) as error:
        raise CommandError(
            f"The database cannot be read; run `manage.py migrate` first. ({error})"
        ) from error
