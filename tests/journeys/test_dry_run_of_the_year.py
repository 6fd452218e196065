"""What a rule change would have cost over the real year is what the books show when the year happens again under it: the dry run and the
books are one engine, so they agree to the penny for every partner."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.db.models import Sum

from demo import dataset
from payouts import accrual, dry_runs
from payouts.choices import DryRunKind
from payouts.models import Commission, Entry
from prm.runs.progress import Reporter
from referrals import imports
from tests.journeys.wholesale import AT, START, Steps, draft, know_the_rows, open_program
from tests.people import ada

STEPS: Steps = ((0, 5), (1_000_00, 8), (5_000_00, 10))
RAISED: Steps = ((0, 5), (1_000_00, 9), (5_000_00, 10))

# A whole year is told in one half; the embedded default has test_the_real_year and test_any_history.
pytestmark = [pytest.mark.django_db, pytest.mark.needs_postgresql]


class Again(Exception):
    """The first telling of the year is taken back."""


def the_year_happens() -> dict[str, int]:
    """Import and rate the year; return the pence each partner earned."""
    with dataset.ORDERS.open("rb") as file:
        imports.import_file(file, source="online_retail", at=AT, reporter=Reporter())
    know_the_rows()
    accrual.sweep(at=AT)
    rows = (
        Commission.objects.order_by().values_list("membership__partner__name").annotate(Sum("amount_minor"))
    )
    return dict(rows)


def test_the_dry_run_of_one_point_more_costs_what_the_books_show_a_year_later() -> None:
    tried: dict[str, tuple[int, int]] = {}
    total: dict[str, int] = {}
    before: dict[str, int] = {}
    with pytest.raises(Again), transaction.atomic():
        program = open_program(STEPS)
        before = the_year_happens()
        lines, entries = Commission.objects.count(), Entry.objects.count()
        made = dry_runs.record(
            program,
            DryRunKind.PLAN,
            version=draft(program, RAISED),
            starts_at=START,
            ends_at=AT,
            by=ada(),
            at=AT,
        )
        report = dry_runs.work_on(made, Reporter(), at=AT).report
        assert (Commission.objects.count(), Entry.objects.count()) == (lines, entries)
        tried = {row["name"]: (row["old"], row["new"]) for row in report["partners"]}
        total = report["total"]
        raise Again
    assert {name: old for name, (old, _new) in tried.items() if old} == {
        name: minor for name, minor in before.items() if minor
    }

    open_program(RAISED)
    after = the_year_happens()

    assert {name: new for name, (_old, new) in tried.items() if new} == {
        name: minor for name, minor in after.items() if minor
    }
    assert total["change"] == sum(after.values()) - sum(before.values())
    # One point more on what lies between 1,000 and 5,000 of a month: it costs something, and at most 40 a month each.
    assert 0 < total["change"] <= 75 * 13 * 40_00
