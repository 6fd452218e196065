"""A year of real sales: whatever the order, the parts or the repeats it comes in, the books are the same, to the penny, for every
partner and month. The figures are added up from the file itself and were checked against the data's own description."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from demo import build, dataset
from payouts import accrual, ledger
from payouts.models import Commission
from prm.runs.progress import Reporter
from referrals import imports
from referrals.models import Conversion, Credit

# Known from the data's description, not from this code.
WHOLE_YEAR = {
    "distributor": Decimal("229429.59"),
    "affiliate": Decimal("179425.16"),
    "referral": Decimal("100416.92"),
    "agency": Decimal("68526.66"),
    "influencer": Decimal("35157.62"),
}


def house() -> build.Build:
    """Return the demo house with its people in, on the true dates."""
    made = build.Build(now=timezone.now(), shift=timedelta(0), tell=lambda line: None)
    made.people_and_programs()
    return made


def assert_the_books_are_right() -> None:
    assert Conversion.objects.count() == 22_186
    assert Credit.objects.count() == Commission.objects.count() == 14_648
    assert build.differences(timedelta(0)) == []
    by_kind: dict[str, Decimal] = {}
    kind_of = {row.code: row.kind for row in dataset.partners()}
    for (code, _month), amount in build.booked_by_code_and_month().items():
        by_kind[kind_of[code]] = by_kind.get(kind_of[code], Decimal(0)) + amount
    assert by_kind == WHOLE_YEAR
    totals = ledger.trial_balance()
    assert totals["pending", "GBP"].minor == 612_955_95
    assert sum(total.minor for total in totals.values()) == 0


@pytest.mark.django_db
def test_the_year_is_imported_and_rated_to_the_penny() -> None:
    made = house()
    assert len(dataset.partners()) == 75
    made.import_sales()
    made.rate()
    assert_the_books_are_right()


@pytest.mark.django_db(transaction=True)
def test_shuffled_in_ten_parts_by_parallel_workers_and_once_more_gives_the_same_books() -> None:
    house()
    rows = list(dataset.orders())
    random.Random(20_101_201).shuffle(rows)  # a fixed order of arrival, not a secret
    parts = [as_file(rows[number::10]) for number in range(10)]
    with ThreadPoolExecutor(max_workers=5) as pool:
        results = list(pool.map(in_its_own_connection(import_part), parts))
        assert sum(result.created for result in results) == 22_186
        assert sum(result.failed for result in results) == 0
        rated = list(pool.map(in_its_own_connection(rate_all), range(2)))
    # Two workers may skip what the other holds; the sweep finds the rest, as it does in production.
    assert sum(rated) + rate_all() == 14_648
    again = import_part(as_file(rows))
    assert (again.created, again.replayed, again.failed) == (0, 22_186, 0)
    assert rate_all() == 0
    assert_the_books_are_right()


def as_file(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def import_part(content: bytes) -> imports.Result:
    return imports.import_file(
        BytesIO(content), source="online_retail", at=timezone.now(), reporter=Reporter()
    )


def rate_all(_worker: Any = None) -> int:
    steps: Iterator[accrual.Accrued] = accrual.drain(at=timezone.now())
    return sum(step.rated for step in steps)


def in_its_own_connection(work: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let a thread do its work and close the connection it opened."""

    def run(argument: Any) -> Any:
        try:
            return work(argument)
        finally:
            connection.close()

    return run
