"""Which VAT follows from two countries and a status, and which numbers are numbers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from payouts.choices import TaxStatus, VatMode
from payouts.tax import vat
from payouts.tax.rates import standard_rate
from prm.lib.money import Money
from tiers.models import LegalEntity

DAY = date(2026, 4, 3)
DOMESTIC, REVERSED, EXEMPT, OUTSIDE = (
    VatMode.DOMESTIC,
    VatMode.REVERSE_CHARGE,
    VatMode.EXEMPT,
    VatMode.OUTSIDE_SCOPE,
)


@pytest.mark.parametrize(
    ("buyer", "seller", "status", "mode", "rate"),
    [
        ("FR", "FR", TaxStatus.BUSINESS, DOMESTIC, "20"),
        ("PL", "PL", TaxStatus.BUSINESS, DOMESTIC, "23"),
        ("GB", "GB", TaxStatus.BUSINESS, DOMESTIC, "20"),
        ("CH", "CH", TaxStatus.BUSINESS, DOMESTIC, "8.1"),
        ("FR", "PL", TaxStatus.BUSINESS, REVERSED, "0"),
        ("PL", "GR", TaxStatus.BUSINESS, REVERSED, "0"),
        ("GB", "FR", TaxStatus.BUSINESS, OUTSIDE, "0"),
        ("FR", "GB", TaxStatus.BUSINESS, OUTSIDE, "0"),
        ("FR", "US", TaxStatus.BUSINESS_ABROAD, OUTSIDE, "0"),
        ("US", "US", TaxStatus.BUSINESS, OUTSIDE, "0"),
        ("FR", "FR", TaxStatus.SMALL_BUSINESS, EXEMPT, "0"),
        ("FR", "PL", TaxStatus.SMALL_BUSINESS, EXEMPT, "0"),
        ("FR", "FR", TaxStatus.PRIVATE, OUTSIDE, "0"),
    ],
)
def test_the_mode_follows_from_countries_and_status(
    buyer: str, seller: str, status: str, mode: VatMode, rate: str
) -> None:
    found = vat.mode_for(LegalEntity(country_code=buyer), seller, status, on=DAY)
    assert (found.mode, found.rate) == (mode, Decimal(rate))


def test_without_a_number_nothing_is_reversed() -> None:
    found = vat.mode_for(LegalEntity(country_code="FR"), "PL", TaxStatus.BUSINESS, has_number=False, on=DAY)
    assert found.mode == OUTSIDE


@pytest.mark.parametrize(
    ("country", "day", "rate"),
    [
        ("EE", date(2023, 12, 31), "20"),
        ("EE", date(2024, 1, 1), "22"),
        ("EE", date(2025, 6, 30), "22"),
        ("EE", date(2025, 7, 1), "24"),
        ("FI", date(2024, 8, 31), "24"),
        ("FI", date(2024, 9, 1), "25.5"),
        ("RO", date(2025, 7, 31), "19"),
        ("RO", date(2025, 8, 1), "21"),
        ("SK", date(2025, 1, 1), "23"),
    ],
)
def test_a_rate_counts_from_its_day(country: str, day: date, rate: str) -> None:
    assert standard_rate(country, on=day) == Decimal(rate)


def test_a_country_or_a_day_outside_the_table_has_no_rate() -> None:
    assert standard_rate("US", on=DAY) is None
    assert standard_rate("FR", on=date(2000, 1, 1)) is None


@pytest.mark.parametrize(
    ("minor", "rate", "vat_minor"),
    [
        (1025_00, "20", 205_00),
        (2, "25", 1),  # 0.5 of a cent goes away from zero
        (-2, "25", -1),
        (33_33, "8.1", 2_70),  # 2.69973
        (333, "23", 77),  # 76.59
    ],
)
def test_vat_is_rounded_half_away_from_zero_once(minor: int, rate: str, vat_minor: int) -> None:
    assert vat.amount_on(Money(minor, "EUR"), Decimal(rate)) == Money(vat_minor, "EUR")


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("fr 40 303 265 045", "FR", "FR40303265045"),
        ("40303265045", "FR", "FR40303265045"),
        ("PL5260250995", "PL", "PL5260250995"),
        ("094259216", "GR", "EL094259216"),
        ("GB 980 7806 84", "GB", "GB980780684"),
        ("CHE-107.787.577 IVA", "CH", "CHE107787577IVA"),
        ("NO 995 525 828 MVA", "NO", "NO995525828MVA"),
        ("12-3456", "US", "12-3456"),
        ("  ", "FR", ""),
    ],
)
def test_a_number_is_kept_in_one_form(text: str, country: str, number: str) -> None:
    assert vat.checked_number(text, country) == number


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("FR40303265046", "FR"),
        ("PL5260250996", "PL"),
        ("PL5260250995", "FR"),
        ("GB980780685", "GB"),
        ("12<3", "US"),
        ("1" * 21, "US"),
    ],
)
def test_a_number_that_cannot_be_right_is_refused_at_its_field(text: str, country: str) -> None:
    with pytest.raises(vat.BadVatNumber) as refusal:
        vat.checked_number(text, country)
    assert refusal.value.field == "vat_number"


def test_a_french_business_is_known_by_its_siren() -> None:
    assert vat.checked_registration("303 265 045", "FR", "") == "303265045"
    assert vat.checked_registration("73282932000074", "FR", "") == "732829320"
    assert vat.checked_registration("", "FR", "FR40303265045") == "303265045"
    assert vat.checked_registration("", "FR", "") == ""
    assert vat.checked_registration(" 0000 123456 ", "PL", "") == "0000 123456"
    with pytest.raises(vat.BadRegistrationNumber):
        vat.checked_registration("303265046", "FR", "")
