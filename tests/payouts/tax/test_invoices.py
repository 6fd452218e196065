"""A statement's invoice: what it sums, which number it has, and that it is written once and corrected by its opposite."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from payouts.models import Invoice, NumberSeries
from payouts.tax import invoices, mandates, profiles
from payouts.tax.invoice_facts import Line, at_most, net_of
from payouts.tax.profiles import TaxFacts
from prm.accounts.policy import Forbidden
from tests.factories.prm import UserFactory
from tests.payouts.tax.billed import APRIL_3, MAY_4, POLISH, billed
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db


def test_an_invoice_sums_commissions_reversals_and_taxable_adjustments() -> None:
    them = billed()
    # 1000.00 − 25.00 + 50.00 = 1025.00; the 7.00 are not taxable; 20 % of 1025.00 is 205.00
    statement = them.statement(
        ("every-order", 1000_00),
        ("every-order", -25_00),
        adjusted=50_00,
        adjusted_untaxed=7_00,
        vat_minor=205_00,
    )
    invoice = invoices.issue_for(statement, at=APRIL_3)
    assert invoice is not None
    assert (invoice.net_minor, invoice.vat_minor, invoice.gross_minor) == (1025_00, 205_00, 1230_00)
    assert (invoice.kind, invoice.number) == ("invoice", "HF-SB-0001-2026-0001")
    assert [(line["name"], line["amount_minor"]) for line in invoice.facts["lines"]] == [
        ("Commission: Every order", 1000_00),
        ("Commission: Every order (Reversal of an earlier line)", -25_00),
        ("Bonus: Goodwill", 50_00),
    ]
    assert invoice.facts["due_on"] == "2026-04-14"
    assert invoices.is_unchanged(invoice)


def test_a_month_in_which_more_was_taken_gives_a_credit_note_with_positive_amounts() -> None:
    them = billed()
    first = invoices.issue_for(them.statement(("every-order", 500_00), vat_minor=100_00), at=APRIL_3)
    # 10.00 − 123.45 = −113.45; 20 % are −22.69
    taken = them.statement(
        ("every-order", 10_00), ("every-order", -123_45), vat_minor=-22_69, month=4, due_on=None
    )
    note = invoices.issue_for(taken, at=MAY_4)
    assert note is not None and first is not None
    assert (note.kind, note.net_minor, note.vat_minor, note.gross_minor) == (
        "credit_note",
        113_45,
        22_69,
        136_14,
    )
    assert [line["amount_minor"] for line in note.facts["lines"]] == [-10_00, 123_45]
    assert note.number == "HF-SB-0001-2026-0002"
    assert note.facts["refers_to"] == {"number": first.number, "issued_on": "2026-04-03"}
    assert note.credits is None


def test_nothing_taxable_means_no_invoice_and_no_number() -> None:
    them = billed()
    even = them.statement(("every-order", 10_00), ("every-order", -10_00), adjusted_untaxed=5_00)
    assert invoices.issue_for(even, at=APRIL_3) is None
    assert not NumberSeries.objects.filter(series__startswith="invoice:").exists()


def test_without_a_mandate_nobody_writes_invoices() -> None:
    them = billed(agreed=False)
    assert invoices.issue_for(them.statement(("every-order", 10_00)), at=APRIL_3) is None


def test_an_invoice_is_written_once() -> None:
    statement = billed().statement(("every-order", 500_00), vat_minor=100_00)
    first, again = invoices.issue_for(statement, at=APRIL_3), invoices.issue_for(statement, at=MAY_4)
    assert first == again
    assert Invoice.objects.count() == 1


def test_vat_that_the_statement_did_not_book_is_a_fault_and_writes_nothing() -> None:
    statement = billed().statement(("every-order", 500_00), vat_minor=99_99)
    with pytest.raises(invoices.DisagreesWithStatement):
        invoices.issue_for(statement, at=APRIL_3)
    assert not Invoice.objects.exists()
    assert not NumberSeries.objects.filter(series__startswith="invoice:").exists()


def test_the_terms_are_those_the_statement_froze_at_the_end_of_its_month() -> None:
    them = billed()
    polish = TaxFacts(**POLISH)
    profiles.set_profile(them.partner, polish, by=ana(), at=APRIL_3)
    frozen = {"as_of": "2026-03-31T21:59:59.999999+00:00", "vat_minor": 100_00}
    # A corrected statement books the difference elsewhere, so its own column says something else.
    statement = them.statement(("every-order", 500_00), vat_minor=0, tax=frozen)
    invoice = invoices.issue_for(statement, at=MAY_4)
    assert invoice is not None
    assert (invoice.vat_mode, invoice.vat_minor) == ("domestic", 100_00)
    assert invoice.facts["seller"]["vat_number"] == "FR40303265045"


def test_each_mandate_counts_for_itself_and_each_year_anew() -> None:
    them = billed(POLISH)
    numbers = []
    for month, year in ((3, 2026), (4, 2026), (5, 2027)):
        statement = them.statement(("every-order", 10_00), month=month)
        invoice = invoices.issue_for(statement, at=APRIL_3.replace(year=year))
        assert invoice is not None
        numbers.append(invoice.number)
    assert numbers == ["HF-SB-0001-2026-0001", "HF-SB-0001-2026-0002", "HF-SB-0001-2027-0001"]


def test_a_number_drawn_for_what_was_rolled_back_is_drawn_again() -> None:
    them = billed(POLISH)
    statement = them.statement(("every-order", 10_00))
    with pytest.raises(RuntimeError), transaction.atomic():
        invoices.issue_for(statement, at=APRIL_3)
        raise RuntimeError
    invoice = invoices.issue_for(statement, at=APRIL_3)
    assert invoice is not None
    assert invoice.number == "HF-SB-0001-2026-0001"


def test_an_invoice_is_taken_back_by_its_opposite_with_the_same_lines() -> None:
    invoice = invoices.issue_for(
        billed().statement(("every-order", 500_00), ("every-order", -20_00), vat_minor=96_00), at=APRIL_3
    )
    assert invoice is not None
    note = invoices.credit(invoice, reason=" The  address was wrong ", by=fiona(), at=MAY_4)
    assert (note.kind, note.credits, note.gross_minor) == ("credit_note", invoice, 576_00)
    assert note.facts["lines"] == invoice.facts["lines"]
    assert note.facts["refers_to"]["number"] == invoice.number
    assert note.facts["reason"] == "The address was wrong"
    assert note.number == "HF-SB-0001-2026-0002"
    assert invoices.credit(invoice, reason="Again", by=fiona(), at=MAY_4) == note


def test_taking_back_needs_a_reason_and_the_right() -> None:
    invoice = invoices.issue_for(billed(POLISH).statement(("every-order", 500_00)), at=APRIL_3)
    assert invoice is not None
    with pytest.raises(invoices.ReasonMissing):
        invoices.credit(invoice, reason=" ", by=fiona(), at=MAY_4)
    for other in (ana(), mats()):
        with pytest.raises(Forbidden):
            invoices.credit(invoice, reason="Wrong", by=other, at=MAY_4)
    assert Invoice.objects.count() == 1


def test_an_invoice_can_still_be_taken_back_after_its_mandate_ended() -> None:
    them = billed(POLISH)
    invoice = invoices.issue_for(them.statement(("every-order", 500_00)), at=APRIL_3)
    assert invoice is not None and them.mandate is not None
    mandates.end(them.mandate, by=ana(), at=APRIL_3)
    assert invoices.credit(invoice, reason="Wrong", by=fiona(), at=MAY_4).number.startswith("HF-SB-0001")


def test_the_facts_are_those_of_the_moment() -> None:
    them = billed(POLISH, language="pl")
    invoice = invoices.issue_for(them.statement(("every-order", 500_00)), at=APRIL_3)
    assert invoice is not None
    changed = TaxFacts(country_code="FR", status="small_business", registration_number="303265045")
    profiles.set_profile(them.partner, changed, by=ana(), at=MAY_4)
    invoice.refresh_from_db()
    assert invoice.facts["seller"]["vat_number"] == "PL5260250995"
    assert invoice.facts["mentions"][0] == "Samofakturowanie"
    assert invoice.facts["vat"] == {
        "mode": "reverse_charge",
        "rate": "0.00",
        "category": "AE",
        "reason": "Odwrotne obciążenie",
        "code": "VATEX-EU-AE",
    }


def test_a_falsified_invoice_is_noticed_and_the_database_lets_nobody_falsify_it() -> None:
    invoice = invoices.issue_for(billed(POLISH).statement(("every-order", 500_00)), at=APRIL_3)
    assert invoice is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(net_minor=1, gross_minor=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).delete()
    invoice.facts["seller"]["name"] = "Somebody else"
    assert not invoices.is_unchanged(invoice)
    invoice.refresh_from_db()
    invoice.gross_minor += 1
    assert not invoices.is_unchanged(invoice)


def test_only_the_own_team_and_staff_see_an_invoice() -> None:
    invoices.issue_for(billed(POLISH).statement(("every-order", 500_00)), at=APRIL_3)
    assert Invoice.objects.visible_to(ana()).count() == 1
    assert Invoice.objects.visible_to(fiona()).count() == 1
    assert not Invoice.objects.visible_to(UserFactory.create()).exists()


def test_too_many_lines_become_one_and_the_sum_stays() -> None:
    lines = [Line(f"Rule {number}", 1, number - 30) for number in range(60) if number != 30]
    shown = at_most(lines)
    assert len(shown) == 50
    assert net_of(shown) == net_of(lines) == sum(range(60)) - 60 * 30
    assert sum(line.count for line in shown) == 59
    assert at_most(lines[:50]) == lines[:50]


def test_the_day_is_the_programs_own() -> None:
    them = billed(POLISH)
    late = APRIL_3.replace(day=30, hour=22, minute=30)  # already 1 May in Paris
    invoice = invoices.issue_for(them.statement(("every-order", 10_00)), at=late)
    assert invoice is not None
    assert date.fromisoformat(invoice.facts["issued_on"]) == date(2026, 5, 1)
