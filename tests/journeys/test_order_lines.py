"""Four hundred thousand real order lines under a graduated plan: for every partner and month the commission lines add up to what the
table says of the month's net volume, to the penny. The oracle reads the file alone and reckons in fractions."""

from __future__ import annotations

import csv
import gzip
import os
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO, StringIO
from itertools import islice

import pytest
from django.db.models import Sum

from demo import dataset
from partners.models import Membership
from payouts import accrual, ledger, reconcile
from payouts.models import Commission, Entry
from prm.lib.money import Money
from prm.runs.progress import Reporter
from referrals import imports
from referrals.models import Conversion
from tests.journeys.wholesale import AT, Steps, by_the_table, know_the_rows, open_program

NO_GOODS = ("POST", "D", "M", "BANK CHARGES", "DOT", "CRUK", "AMAZONFEE")
STEPS: Steps = ((0, 5), (1_000_00, 8), (5_000_00, 10))

pytestmark = [
    # The embedded default proves the same mechanism in tests/payouts; half a million rows are PostgreSQL's.
    pytest.mark.needs_postgresql,
    pytest.mark.django_db(transaction=True),
]


# The whole file takes minutes: `make test-lines` takes it whole, every other run its first lines, which are seven weeks.
MOST_LINES = None if os.environ.get("PRM_ALL_LINES") else 30_000


def order_lines() -> Iterator[dict[str, str]]:
    with gzip.open(dataset.FOLDER / "sale_lines.csv.gz", "rt", newline="", encoding="utf-8") as file:
        yield from islice(csv.DictReader(file), MOST_LINES)


def as_file() -> BytesIO:
    """Return the lines as the file an operator would import."""
    rows = order_lines()
    first = next(rows)
    text = StringIO()
    writer = csv.DictWriter(text, fieldnames=list(first))
    writer.writeheader()
    writer.writerows([first, *rows])
    return BytesIO(text.getvalue().encode())


def too_much() -> set[str]:
    """Return the returns that are more than what is left of the line they name; nobody can take them in."""
    left: dict[str, Decimal] = {}
    refused: set[str] = set()
    for row in order_lines():
        amount, named = Decimal(row["amount"]), row["original_event_id"]
        if not named:
            left[row["event_id"]] = amount
        elif amount > left[named]:
            refused.add(row["event_id"])
        else:
            left[named] -= amount
    return refused


def net_volumes(refused: set[str]) -> dict[tuple[str, str], int]:
    """Return the pence each partner brought in each London month: what goods sold for, less what came back of them.

    A return that names its line comes off the line's month, another one off its own.
    """
    volumes: dict[tuple[str, str], int] = defaultdict(int)
    month_of: dict[str, str] = {}
    for row in order_lines():
        if not row["partner_code"] or row["product_code"] in NO_GOODS or row["event_id"] in refused:
            continue
        own = dataset.instant(row["occurred_at"]).astimezone(dataset.LONDON).strftime("%Y-%m")
        month_of[row["event_id"]] = own
        pence = int(Decimal(row["amount"]) * 100)
        is_sale = row["kind"] == "sale"
        month = own if is_sale else month_of.get(row["original_event_id"], own)
        volumes[row["partner_code"], month] += pence if is_sale else -pence
    return volumes


def test_the_oracle_agrees_with_figures_worked_by_hand() -> None:
    assert by_the_table(STEPS, 1_000_00) == 50_00
    assert by_the_table(STEPS, 1_000_01) == 50_00
    assert by_the_table(STEPS, 6_000_00) == 50_00 + 320_00 + 100_00
    assert by_the_table(STEPS, -10) == -1  # half a penny goes away from zero


def booked() -> dict[tuple[str, str], int]:
    """Return the pence booked for each partner and each month of the plan's windows."""
    rows = (
        Commission.objects.order_by()
        .values_list("membership__codes__code", "window")
        .annotate(minor=Sum("amount_minor"))
    )
    return {(code, window): minor for code, window, minor in rows}


def test_every_month_of_every_partner_comes_to_what_the_table_says() -> None:
    open_program(STEPS, excluded=NO_GOODS)
    taken = imports.import_file(as_file(), source="shop", at=AT, reporter=Reporter())
    refused, told = too_much(), sum(1 for _row in order_lines())
    assert told == (MOST_LINES or 406_785)
    assert (taken.created + len(refused), taken.failed) == (told, len(refused))
    assert Conversion.objects.count() == taken.created
    know_the_rows()

    done = accrual.sweep(at=AT)
    know_the_rows()

    assert (done.failed, done.waiting) == (0, 0)
    expected = {key: by_the_table(STEPS, volume) for key, volume in net_volumes(refused).items()}
    assert {key: pence for key, pence in booked().items() if pence} == {
        key: pence for key, pence in expected.items() if pence
    }
    totals = ledger.trial_balance()
    assert totals["pending", "GBP"] == Money(sum(expected.values()), "GBP")
    assert sum(total.minor for total in totals.values()) == 0

    lines, entries = Commission.objects.count(), Entry.objects.count()
    assert accrual.sweep(at=AT).lines == 0
    # A third of the partners, some of the largest among them, are reckoned anew from the events: nothing differs.
    for membership in Membership.objects.order_by("pk")[::3]:
        reconcile.reconcile(membership, since=None, at=AT)
    assert (Commission.objects.count(), Entry.objects.count()) == (lines, entries)
