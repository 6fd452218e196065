"""Build the demo house from nothing: people, programs, partners, a year of sales, its months and its payments. Every step is one of
the product's own verbs; each stage says how long it took."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.db.models import Sum

from demo import dataset, enrolment, living, money, outreach, people, programs, recruiting, tiering, tracked
from payouts import accrual, release
from payouts.models import Commission, Statement
from prm.lib.periods import Month
from prm.mail.outbox import quiet
from prm.runs.progress import Reporter
from referrals import imports
from referrals.models import Conversion
from tiers.models import Program

SOURCE = "online_retail"


@dataclass
class Stage:
    name: str
    seconds: float
    count: int
    peak_mb: int

    @property
    def per_second(self) -> int:
        return round(self.count / self.seconds) if self.seconds else 0


@dataclass
class Build:
    """A house being built; `tell` hears one line per stage."""

    now: datetime
    shift: timedelta
    tell: Callable[[str], None]
    stages: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[list[int]]:
        """Time a stage; the block puts how many things it did into the list it gets."""
        count = [0]
        began = time.perf_counter()
        yield count
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        done = Stage(name, time.perf_counter() - began, count[0], peak)
        self.stages.append(done)
        self.tell(
            f"{name:<22}{done.count:>8}  {done.seconds:>7.1f} s {done.per_second:>8} /s  peak {done.peak_mb} MB"
        )

    def all(self) -> None:
        """Build everything."""
        by_kind = self.people_and_programs()
        tiering.prepare(by_kind["affiliate"], now=self.now)
        tracked.prepare(by_kind["affiliate"], now=self.now)
        self.import_sales()
        self.rate()
        self.months(list(by_kind.values()))
        by_slug = {program.slug: program for program in by_kind.values()}
        self.from_stranger_to_partner(by_slug)
        self.a_year_of_tiers(by_slug)
        self.visitors_and_credit(by_slug)

    def people_and_programs(self) -> dict[str, Program]:
        """Make staff, programs and the 75 partners, who are all in from the first month's first instant on."""
        first = dataset.span()[0] + self.shift
        starts_at = Month.of(first, dataset.LONDON).starts_at(dataset.LONDON)
        with self.stage("people and programs") as count:
            people.make_staff()
            entity = programs.make_entity()
            by_kind = {
                kind: programs.make_program(entity, kind, at=starts_at - timedelta(days=30))
                for kind in dataset.PLANS
            }
            with quiet():
                for row in dataset.partners():
                    enrolment.enrol(row, by_kind[row.kind], at=starts_at)
                    count[0] += 1
        return by_kind

    def import_sales(self) -> None:
        """Import the orders file, its dates moved by whole weeks."""
        with self.stage("import") as count, tempfile.TemporaryDirectory() as folder:
            path = dataset.ORDERS
            if self.shift:
                path = Path(folder) / "orders.csv.gz"
                dataset.write_shifted(path, self.shift)
            with path.open("rb") as stream:
                imports.import_file(stream, source=SOURCE, at=self.now, reporter=Reporter())
            count[0] = Conversion.objects.count()

    def rate(self) -> None:
        """Compute commission for everything imported."""
        with self.stage("commission") as count:
            for _step in accrual.drain(at=self.now):
                pass
            count[0] = Commission.objects.count()

    def months(self, house: list[Program]) -> None:
        """Close the months that are over and pay them."""
        first = Month.of(dataset.span()[0] + self.shift, dataset.LONDON)
        with self.stage("months and payments") as count:
            money.live(house[0].legal_entity, house, first=first, now=self.now, tell=lambda month: None)
            count[0] = Statement.objects.count()
            release.release_due(at=self.now)

    def from_stranger_to_partner(self, by_slug: dict[str, Program]) -> None:
        """Bring in how people find the house, join, live with it and leave, for the weeks before now."""
        with self.stage("recruiting") as count, quiet():
            last_order = dataset.span()[1] + self.shift
            count[0] += recruiting.fill(by_slug, now=self.now)
            count[0] += outreach.fill(by_slug, now=self.now)
            count[0] += living.fill(by_slug, now=self.now, last_order=last_order)

    def a_year_of_tiers(self, by_slug: dict[str, Program]) -> None:
        """Let people learn, partners plan, and tiers be reviewed as the calendar of the year says."""
        with self.stage("tiers") as count, quiet():
            count[0] = tiering.fill(by_slug, now=self.now)

    def visitors_and_credit(self, by_slug: dict[str, Program]) -> None:
        """Let visitors follow links and order; none of it is in the file."""
        with self.stage("links and credit") as count, quiet():
            count[0] = tracked.fill(by_slug, now=self.now)


def differences(shift: timedelta) -> list[str]:
    """Compare the books with the sums made from the file; return a sentence per figure that differs."""
    wanted = dataset.expected(shift)
    booked = booked_by_code_and_month()
    return [
        f"{code} {month}: {booked.get((code, month), Decimal(0))} in the books, {wanted.get((code, month), Decimal(0))} in the file"
        for code, month in sorted(wanted.keys() | booked.keys())
        if booked.get((code, month), Decimal(0)) != wanted.get((code, month), Decimal(0))
    ]


def booked_by_code_and_month() -> dict[tuple[str, str], Decimal]:
    """Return the commission of the file's sales in the books by the partner's code and the month of the line, in pounds."""
    rows = (
        Commission.objects.filter(credit__code__isnull=False, conversion__source=SOURCE)
        .values_list("credit__code__code", "period__year", "period__month")
        .annotate(total=Sum("amount_minor"))
        .order_by()
    )
    return {(code, f"{year}-{month:02d}"): Decimal(total) / 100 for code, year, month, total in rows}
