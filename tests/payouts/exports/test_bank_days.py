"""Which days banks pay on. Easter Sundays are those of the United States Naval Observatory's table."""

from __future__ import annotations

from datetime import date

import pytest

from payouts.exports.bank_days import easter_sunday, is_bank_day, next_bank_day


@pytest.mark.parametrize(
    "sunday",
    [
        "2000-04-23",
        "2008-03-23",
        "2011-04-24",
        "2019-04-21",
        "2024-03-31",
        "2025-04-20",
        "2026-04-05",
        "2027-03-28",
        "2038-04-25",
    ],
)
def test_easter_is_where_the_church_has_it(sunday: str) -> None:
    assert easter_sunday(int(sunday[:4])) == date.fromisoformat(sunday)


@pytest.mark.parametrize(
    ("day", "currency", "pays"),
    [
        ("2026-05-14", "EUR", True),
        ("2026-05-16", "EUR", False),  # Saturday
        ("2026-05-17", "GBP", False),  # Sunday
        ("2026-01-01", "EUR", False),
        ("2026-04-03", "EUR", False),  # Good Friday
        ("2026-04-06", "EUR", False),  # Easter Monday
        ("2026-04-06", "USD", True),
        ("2026-05-01", "EUR", False),
        ("2026-12-24", "EUR", True),
        ("2026-12-25", "EUR", False),
        ("2025-12-26", "EUR", False),
    ],
)
def test_euros_rest_with_target_and_everything_at_weekends(day: str, currency: str, pays: bool) -> None:
    assert is_bank_day(date.fromisoformat(day), currency) is pays


@pytest.mark.parametrize(
    ("day", "then"),
    [("2026-04-03", "2026-04-07"), ("2026-12-25", "2026-12-28"), ("2026-05-14", "2026-05-14")],
)
def test_the_next_day_is_found_over_holidays_and_weekends(day: str, then: str) -> None:
    assert next_bank_day(date.fromisoformat(day), "EUR") == date.fromisoformat(then)
