"""What the database refuses of pauses, longer holds, moved dates and adjustments, whoever writes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.factories import money_rows as rows
from tests.factories.payout_rows import CommissionFactory, TransactionFactory
from tests.factories.tiers import ProgramFactory
from tests.payouts.test_constraints import Factory, Values, everything, refuse
from tests.people import felix, fiona

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 11, 9, tzinfo=UTC)


def posted() -> Values:
    return {"state": "posted", "posted_in": TransactionFactory.create()}


OUTSIDE: list[tuple[str, Factory, Callable[[], Values]]] = [
    ("payouts_pause_cause", rows.PauseFactory, lambda: {"cause": "mood"}),
    ("payouts_pause_has_a_reason", rows.PauseFactory, lambda: {"reason": ""}),
    ("payouts_payabledatechange_has_a_reason", rows.PayableDateChangeFactory, lambda: {"reason": ""}),
    (
        "payouts_reserve_ends_after_start",
        rows.ReserveFactory,
        lambda: {"starts_at": AT, "ends_at": AT},
    ),
    (
        "payouts_reserve_is_about_something",
        rows.ReserveFactory,
        lambda: {"membership": None, "program": ProgramFactory.create()},
    ),
    ("payouts_adjustment_kind", rows.AdjustmentFactory, lambda: {"kind": "gift"}),
    ("payouts_adjustment_reason", rows.AdjustmentFactory, lambda: {"reason": "mood"}),
    ("payouts_adjustment_state", rows.AdjustmentFactory, lambda: {"state": "lost"}),
    ("payouts_adjustment_not_zero", rows.AdjustmentFactory, lambda: {"amount_minor": 0}),
    ("payouts_adjustment_has_a_note", rows.AdjustmentFactory, lambda: {"note": ""}),
    ("payouts_adjustment_decided_pair", rows.AdjustmentFactory, lambda: {"decided_at": AT}),
    ("payouts_adjustment_decided_pair", rows.AdjustmentFactory, lambda: {"decided_by": felix()}),
    (
        "payouts_adjustment_posted_in_one",
        rows.AdjustmentFactory,
        lambda: {"state": "posted", "needs_second_person": False},
    ),
    (
        "payouts_adjustment_posted_in_one",
        rows.AdjustmentFactory,
        lambda: {"posted_in": TransactionFactory.create()},
    ),
    ("payouts_adjustment_four_eyes", rows.AdjustmentFactory, posted),
    (
        "payouts_adjustment_four_eyes",
        rows.AdjustmentFactory,
        lambda: posted() | {"proposed_by": fiona(), "decided_by": fiona(), "decided_at": AT},
    ),
    (
        "tiers_program_second_person_not_negative",
        ProgramFactory,
        lambda: {"second_person_above_minor": -1},
    ),
]


@pytest.mark.parametrize(("name", "row", "values"), OUTSIDE)
def test_the_database_refuses_a_row_outside_its_bounds(
    name: str, row: Factory, values: Callable[[], Values]
) -> None:
    refuse(name, row, values())


def test_what_stands_right_beside_the_bounds_is_let_in() -> None:
    rows.ReserveFactory.create(starts_at=AT, ends_at=AT + timedelta(microseconds=1))
    rows.ReserveFactory.create(membership=None, program=ProgramFactory.create(), product="Mug")
    rows.ReserveFactory.create(membership=None, program=ProgramFactory.create(), category="Garden")
    rows.AdjustmentFactory.create(**posted(), decided_at=AT, decided_by=felix(), proposed_by=fiona())
    rows.AdjustmentFactory.create(**posted(), needs_second_person=False)
    assert ProgramFactory.create(second_person_above_minor=0).pk


def test_a_line_has_one_open_pause() -> None:
    line = CommissionFactory.create()
    shared = {"commission": line, "membership": line.membership}
    first = rows.PauseFactory.create(**shared)
    refuse("payouts_pause_one_open_per_line", rows.PauseFactory, {**shared, "cause": "dispute"})
    ended(first)
    rows.PauseFactory.create(**shared)


def test_a_membership_has_one_open_pause_for_a_cause() -> None:
    first = rows.PauseFactory.create()
    shared = {"membership": first.membership}
    refuse("payouts_pause_one_open_per_cause", rows.PauseFactory, shared)
    rows.PauseFactory.create(**shared, cause="missing_data")
    ended(first)
    rows.PauseFactory.create(**shared)


def test_a_posting_belongs_to_one_adjustment() -> None:
    first = rows.AdjustmentFactory.create(**posted(), needs_second_person=False)
    before = everything()
    with pytest.raises(IntegrityError, match="posted_in"), transaction.atomic():
        rows.AdjustmentFactory.create(
            membership=first.membership,
            state="posted",
            posted_in=first.posted_in,
            needs_second_person=False,
            proposed_by=first.proposed_by,
        )
    assert everything() == before


@pytest.mark.parametrize(
    ("row", "change", "words"),
    [
        (rows.PauseFactory, {"reason": "Else."}, "never rewritten"),
        (rows.PauseFactory, {"review_on": AT.date()}, "never rewritten"),
        (rows.ReserveFactory, {"hold_days": 90}, "never rewritten"),
        (rows.ReserveFactory, {"reason": "Else."}, "never rewritten"),
        (rows.PayableDateChangeFactory, {"reason": "Else."}, "recorded once"),
        (rows.AdjustmentFactory, {"amount_minor": 1}, "withdraw it instead"),
    ],
)
def test_the_database_rewrites_and_deletes_nothing(row: Factory, change: Values, words: str) -> None:
    made: Any = row.create()
    before = everything()
    found = type(made)._default_manager.filter(pk=made.pk)
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        found.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        found.delete()
    assert everything() == before


def ended(pause: Any) -> None:
    type(pause).objects.filter(pk=pause.pk).update(ended_at=AT, ended_by=felix(), outcome="Nothing found.")
