"""What the tables of taxes and invoices refuse whoever writes to them; beside what must be unique stands its neighbour, which is let in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, models, transaction

from tests.factories import money_rows as rows
from tests.payouts.test_constraints import AT, Factory, Values, everything, refuse
from tests.people import felix, fiona

pytestmark = pytest.mark.django_db

FACTORIES: list[Factory] = [
    rows.TaxProfileFactory,
    rows.TaxFormFactory,
    rows.WithholdingFactory,
    rows.SelfBillingMandateFactory,
    rows.InvoiceFactory,
]


@pytest.mark.parametrize("row", FACTORIES, ids=lambda row: row.__name__)
def test_a_row_with_nothing_wrong_is_let_in(row: Factory) -> None:
    made = row.create()
    assert type(made)._default_manager.get(pk=made.pk) == made
    assert row.create().pk != made.pk


_NEITHER = {"vat_rate": Decimal("0.00")}
OUTSIDE: list[tuple[str, Factory, Values]] = [
    ("payouts_taxprofile_status", rows.TaxProfileFactory, {"status": "king"}),
    ("payouts_taxprofile_vat_mode", rows.TaxProfileFactory, {"vat_mode": "wish", **_NEITHER}),
    ("payouts_taxprofile_ends_after_start", rows.TaxProfileFactory, {"ends_at": rows.NOW}),
    ("payouts_taxprofile_rate_only_when_domestic", rows.TaxProfileFactory, _NEITHER),
    ("payouts_taxprofile_rate_only_when_domestic", rows.TaxProfileFactory, {"vat_rate": Decimal("50.01")}),
    ("payouts_taxprofile_rate_only_when_domestic", rows.TaxProfileFactory, {"vat_mode": "exempt"}),
    ("payouts_taxform_kind", rows.TaxFormFactory, {"kind": "napkin"}),
    ("payouts_taxform_expires_after_signature", rows.TaxFormFactory, {"expires_on": date(2026, 1, 5)}),
    ("payouts_taxform_revoked_pair", rows.TaxFormFactory, {"revoked_at": AT}),
    ("payouts_withholding_ends_after_start", rows.WithholdingFactory, {"ends_on": date(2026, 4, 1)}),
    ("payouts_withholding_rate_0_to_100", rows.WithholdingFactory, {"rate": Decimal("-0.01")}),
    ("payouts_withholding_rate_0_to_100", rows.WithholdingFactory, {"rate": Decimal("100.01")}),
    ("payouts_selfbillingmandate_ended_pair", rows.SelfBillingMandateFactory, {"ended_at": AT}),
    ("payouts_invoice_kind", rows.InvoiceFactory, {"kind": "love letter"}),
    ("payouts_invoice_vat_mode", rows.InvoiceFactory, {"vat_mode": "wish"}),
    ("payouts_invoice_adds_up", rows.InvoiceFactory, {"gross_minor": 80_01}),
    ("payouts_invoice_adds_up", rows.InvoiceFactory, {"net_minor": 0, "gross_minor": 0}),
    ("payouts_invoice_adds_up", rows.InvoiceFactory, {"vat_minor": -1, "gross_minor": 79_99}),
]


@pytest.mark.parametrize(("name", "row", "values"), OUTSIDE)
def test_the_database_refuses_a_row_outside_its_bounds(name: str, row: Factory, values: Values) -> None:
    refuse(name, row, values)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("payouts_taxform_revoked_pair", rows.TaxFormFactory),
        ("payouts_selfbillingmandate_ended_pair", rows.SelfBillingMandateFactory),
    ],
)
def test_who_ended_something_comes_with_when(name: str, row: Factory) -> None:
    refuse(name, row, {"revoked_by" if row is rows.TaxFormFactory else "ended_by": fiona()})


# The constraint, its table, what a second row shares with the first, and what makes a neighbour of it instead.
TWICE: list[tuple[str, Factory, tuple[str, ...], Callable[[], Values]]] = [
    ("payouts_taxprofile_one_open", rows.TaxProfileFactory, ("partner",), lambda: {"ends_at": AT}),
    (
        "payouts_withholding_one_open",
        rows.WithholdingFactory,
        ("partner",),
        lambda: {"ends_on": date(2026, 5, 1)},
    ),
    (
        "payouts_selfbillingmandate_one_open",
        rows.SelfBillingMandateFactory,
        ("partner", "legal_entity"),
        lambda: {"ended_at": AT, "ended_by": fiona()},
    ),
    (
        "payouts_selfbillingmandate_own_series",
        rows.SelfBillingMandateFactory,
        ("legal_entity", "series_prefix"),
        lambda: {"series_prefix": "HF-SB-0002"},
    ),
    (
        "payouts_invoice_gapless_number",
        rows.InvoiceFactory,
        ("mandate", "year", "sequence"),
        lambda: {"year": 2027},
    ),
    (
        "payouts_invoice_once_per_statement",
        rows.InvoiceFactory,
        ("statement", "kind"),
        lambda: {"kind": "credit_note"},
    ),
]


@pytest.mark.parametrize(("name", "row", "shared", "_neighbour"), TWICE)
def test_the_database_refuses_the_same_thing_twice(
    name: str, row: Factory, shared: tuple[str, ...], _neighbour: object
) -> None:
    there = row.create()
    refuse(name, row, {field: getattr(there, field) for field in shared})


@pytest.mark.parametrize(("name", "row", "shared", "neighbour"), TWICE)
def test_the_nearest_neighbour_is_let_in(
    name: str, row: Factory, shared: tuple[str, ...], neighbour: Callable[[], Values]
) -> None:
    there = row.create()
    beside = row.create(**{field: getattr(there, field) for field in shared} | neighbour())
    assert {there, beside} == set(row._meta.model.objects.all()), name


def test_an_invoice_is_taken_back_once() -> None:
    there = rows.InvoiceFactory.create()
    rows.InvoiceFactory.create(kind="credit_note", credits=there)
    refuse("payouts_invoice_credited_once", rows.InvoiceFactory, {"kind": "credit_note", "credits": there})


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (rows.TaxProfileFactory, {"vat_number": "FR83404833048"}),
        (rows.TaxProfileFactory, {"is_set_by_hand": True}),
        (rows.WithholdingFactory, {"rate": Decimal("11.00")}),
        (rows.SelfBillingMandateFactory, {"agreement_text": "You owe us everything."}),
        (rows.InvoiceFactory, {"number": "SB-2026-99999"}),
        (rows.InvoiceFactory, {"facts": {"number": "SB-2026-99999"}}),
    ],
)
def test_what_holds_is_ended_and_never_rewritten_or_deleted(row: Factory, values: Values) -> None:
    made = row.create()
    model: type[models.Model] = type(made)
    before = everything()
    with pytest.raises(IntegrityError), transaction.atomic():
        model._default_manager.filter(pk=made.pk).update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        model._default_manager.filter(pk=made.pk).delete()
    assert everything() == before


def test_an_invoice_has_one_document() -> None:
    made = rows.InvoiceFactory.create(pdf="invoices/a.pdf", pdf_sha256="1" * 64)
    with pytest.raises(IntegrityError), transaction.atomic():
        type(made).objects.filter(pk=made.pk).update(pdf_sha256="2" * 64)


def test_ending_is_allowed() -> None:
    profile, mandate = rows.TaxProfileFactory.create(), rows.SelfBillingMandateFactory.create()
    type(profile).objects.filter(pk=profile.pk).update(ends_at=AT)
    type(mandate).objects.filter(pk=mandate.pk).update(ended_at=AT, ended_by=felix())
    profile.refresh_from_db()
    mandate.refresh_from_db()
    assert (profile.ends_at, mandate.ended_by) == (AT, felix())
