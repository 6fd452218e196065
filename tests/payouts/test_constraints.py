"""What the tables of money refuse whoever writes to them. Every refusal is the database's own, names its constraint and leaves every
row as it was; beside what must be unique stands its nearest neighbour, which is let in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from factory.django import DjangoModelFactory

from tests.factories import payout_rows as rows
from tests.factories.partners import MembershipFactory
from tests.people import felix, fiona
from tests.refusing import words_of

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 11, 9, tzinfo=UTC)
LATER = AT + timedelta(days=1)

Factory = type[DjangoModelFactory[Any]]
Values = dict[str, Any]

FACTORIES: list[Factory] = [
    thing
    for thing in vars(rows).values()
    if isinstance(thing, type) and issubclass(thing, DjangoModelFactory) and thing.__module__ == rows.__name__
]


def everything() -> dict[str, list[Values]]:
    """Return every row of the payouts tables, column by column."""
    tables = apps.get_app_config("payouts").get_models()
    return {table._meta.label: list(table._default_manager.order_by("pk").values()) for table in tables}


def refuse(name: str, row: Factory, values: Values, *, or_by: str = "") -> None:
    """See the database refuse a new row because of `name`, and nothing else change.

    A value no list knows can break a second constraint, `or_by`; which of the two is named is the database's choice.
    """
    before = everything()
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        row.create(**values)
    first_line = str(refusal.value).splitlines()[0]
    assert first_line.endswith(tuple(words_of(row._meta.model, each) for each in (name, or_by) if each))
    assert everything() == before


@pytest.mark.parametrize("row", FACTORIES, ids=lambda row: row.__name__)
def test_a_row_with_nothing_wrong_is_let_in(row: Factory) -> None:
    made = row.create()
    assert type(made)._default_manager.get(pk=made.pk) == made
    assert row.create().pk != made.pk


def released() -> Values:
    """Return what a commission on its way has besides its payment."""
    statement = rows.StatementFactory.create()
    return {"state": "sent", "statement": statement, "released_in": rows.TransactionFactory.create()}


def approved_by_the_one_who_prepared() -> Values:
    return {"prepared_by": fiona(), "approved_by": fiona(), "approved_at": LATER}


OUTSIDE: list[tuple[str, Factory, Callable[[], Values]]] = [
    ("payouts_commission_kind", rows.CommissionFactory, lambda: {"kind": "gift"}),
    ("payouts_commission_sent_has_a_payment", rows.CommissionFactory, released),
    (
        "payouts_commission_only_months_have_no_event",
        rows.CommissionFactory,
        lambda: {"credit": None, "conversion": None, "membership": rows.MembershipFactory.create()},
    ),
    ("payouts_dryrun_kind", rows.DryRunFactory, lambda: {"kind": "wish"}),
    ("payouts_dryrun_ends_after_start", rows.DryRunFactory, lambda: {"ends_at": rows.NOW}),
    (
        "payouts_commission_sent_has_a_payment",
        rows.CommissionFactory,
        lambda: released() | {"state": "paid"},
    ),
    ("payouts_statement_state", rows.StatementFactory, lambda: {"state": "lost"}),
    ("payouts_statement_bridge_adds_up", rows.StatementFactory, lambda: {"closing_minor": 80_01}),
    ("payouts_paymentmethod_kind", rows.PaymentMethodFactory, lambda: {"kind": "mattress"}),
    ("payouts_paymentmethod_replaced_pair", rows.PaymentMethodFactory, lambda: {"replaced_at": AT}),
    ("payouts_paymentmethod_replaced_pair", rows.PaymentMethodFactory, lambda: {"replaced_by": fiona()}),
    ("payouts_payrun_state", rows.PayRunFactory, lambda: {"state": "stuck"}),
    ("payouts_payrun_total_not_negative", rows.PayRunFactory, lambda: {"total_minor": -1}),
    ("payouts_payrun_approved_pair", rows.PayRunFactory, lambda: {"approved_at": AT}),
    ("payouts_payrun_approved_pair", rows.PayRunFactory, lambda: {"approved_by": felix()}),
    ("payouts_payrun_exported_pair", rows.PayRunFactory, lambda: {"exported_at": AT}),
    ("payouts_payrun_exported_pair", rows.PayRunFactory, lambda: {"exported_by": fiona()}),
    ("payouts_payrun_reconciled_pair", rows.PayRunFactory, lambda: {"reconciled_at": AT}),
    ("payouts_payrun_reconciled_pair", rows.PayRunFactory, lambda: {"reconciled_by": fiona()}),
    ("payouts_payrun_cancelled_pair", rows.PayRunFactory, lambda: {"cancelled_at": AT}),
    ("payouts_payrun_cancelled_pair", rows.PayRunFactory, lambda: {"cancelled_by": fiona()}),
    ("payouts_payrun_four_eyes", rows.PayRunFactory, approved_by_the_one_who_prepared),
    *(
        ("payouts_payrun_approved_before_export", rows.PayRunFactory, lambda state=state: {"state": state})
        for state in ("approved", "exported", "sent", "reconciled", "partly_failed")
    ),
    ("payouts_payrunexception_reason", rows.PayRunExceptionFactory, lambda: {"reason": "bad mood"}),
    ("payouts_payment_amount_positive", rows.PaymentFactory, lambda: {"amount_minor": 0}),
    ("payouts_payment_amount_positive", rows.PaymentFactory, lambda: {"amount_minor": -1}),
    ("payouts_payment_state", rows.PaymentFactory, lambda: {"state": "lost"}),
]


@pytest.mark.parametrize(("name", "row", "values"), OUTSIDE)
def test_the_database_refuses_a_row_outside_its_bounds(
    name: str, row: Factory, values: Callable[[], Values]
) -> None:
    refuse(name, row, values())


# The constraint, its table, what a second row shares with the first, and what makes a neighbour of it instead.
TWICE: list[tuple[str, Factory, tuple[str, ...], Callable[[], Values]]] = [
    (
        "payouts_numberseries_one_per_year",
        rows.NumberSeriesFactory,
        ("legal_entity", "year"),
        lambda: {"year": 2027},
    ),
    (
        "payouts_statement_once_per_month",
        rows.StatementFactory,
        ("membership", "period", "currency"),
        lambda: {"currency": "EUR"},
    ),
    (
        "payouts_statement_gapless_number",
        rows.StatementFactory,
        ("legal_entity", "year", "sequence"),
        lambda: {"year": 2027, "number": "SECOND-2027-00001"},
    ),
    (
        "payouts_statementline_one_per_position",
        rows.StatementLineFactory,
        ("statement", "position"),
        lambda: {"position": 2},
    ),
    (
        "payouts_paymentmethod_one_open",
        rows.PaymentMethodFactory,
        ("partner", "currency"),
        lambda: {"replaced_at": AT, "replaced_by": fiona()},
    ),
    (
        "payouts_payrunexception_once",
        rows.PayRunExceptionFactory,
        ("pay_run", "membership"),
        lambda: {"membership": MembershipFactory.create()},
    ),
    (
        "payouts_paymentfile_one_per_format",
        rows.PaymentFileFactory,
        ("pay_run", "format"),
        lambda: {"format": "pain.001.001.09"},
    ),
    *(
        (
            "payouts_payment_one_living_per_statement",
            rows.PaymentFactory,
            ("statement", "payment_method"),
            lambda state=state: {"state": state},
        )
        for state in ("failed", "returned", "cancelled")
    ),
]


def first_of(row: Factory) -> Any:
    """Make the row that is there already; a statement has room for two lines."""
    return row.create(**({"statement__line_count": 2} if row is rows.StatementLineFactory else {}))


@pytest.mark.parametrize(("name", "row", "shared", "_neighbour"), TWICE)
def test_the_database_refuses_the_same_thing_twice(
    name: str, row: Factory, shared: tuple[str, ...], _neighbour: object
) -> None:
    there = first_of(row)
    values = {field: getattr(there, field) for field in shared}
    if row is rows.StatementFactory:
        # Apart from what is shared, the second one is right: its number is another one.
        values["number"] = "SECOND-2026-00001"
    refuse(name, row, values)


@pytest.mark.parametrize(("name", "row", "shared", "neighbour"), TWICE)
def test_the_nearest_neighbour_is_let_in(
    name: str, row: Factory, shared: tuple[str, ...], neighbour: Callable[[], Values]
) -> None:
    there = first_of(row)
    beside = row.create(**{field: getattr(there, field) for field in shared} | neighbour())
    assert {there, beside} == set(row._meta.model.objects.all()), name


@pytest.mark.parametrize("state", ["queued", "sent", "settled"])
def test_a_living_payment_of_any_state_keeps_another_out(state: str) -> None:
    there = rows.PaymentFactory.create(state=state)
    shared = {"statement": there.statement, "payment_method": there.payment_method}
    refuse("payouts_payment_one_living_per_statement", rows.PaymentFactory, shared)


def test_who_approves_is_another_person() -> None:
    run = rows.PayRunFactory.create(prepared_by=fiona(), approved_by=felix(), approved_at=LATER)
    before = everything()
    with pytest.raises(IntegrityError, match="payouts_payrun_four_eyes"), transaction.atomic():
        type(run).objects.filter(pk=run.pk).update(approved_by=fiona())
    assert everything() == before
