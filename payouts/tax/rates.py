"""The standard VAT rates of the countries an operator is likely to sit in, each with the day it began. They say what a domestic invoice
charges unless staff set another rate.

Source: European Commission, Taxes in Europe Database (standard rates, read for the year 2026); for Great Britain, Switzerland and
Norway their tax authorities (HMRC, ESTV, Skatteetaten)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from prm.lib.vat import EU as EU

_LONG_AGO = date(2021, 1, 1)
_RATES: dict[str, tuple[tuple[date, str], ...]] = {
    "AT": ((_LONG_AGO, "20"),),
    "BE": ((_LONG_AGO, "21"),),
    "BG": ((_LONG_AGO, "20"),),
    "CH": ((_LONG_AGO, "7.7"), (date(2024, 1, 1), "8.1")),
    "CY": ((_LONG_AGO, "19"),),
    "CZ": ((_LONG_AGO, "21"),),
    "DE": ((_LONG_AGO, "19"),),
    "DK": ((_LONG_AGO, "25"),),
    "EE": ((_LONG_AGO, "20"), (date(2024, 1, 1), "22"), (date(2025, 7, 1), "24")),
    "ES": ((_LONG_AGO, "21"),),
    "FI": ((_LONG_AGO, "24"), (date(2024, 9, 1), "25.5")),
    "FR": ((_LONG_AGO, "20"),),
    "GB": ((_LONG_AGO, "20"),),
    "GR": ((_LONG_AGO, "24"),),
    "HR": ((_LONG_AGO, "25"),),
    "HU": ((_LONG_AGO, "27"),),
    "IE": ((date(2021, 3, 1), "23"),),
    "IT": ((_LONG_AGO, "22"),),
    "LT": ((_LONG_AGO, "21"),),
    "LU": ((_LONG_AGO, "17"), (date(2023, 1, 1), "16"), (date(2024, 1, 1), "17")),
    "LV": ((_LONG_AGO, "21"),),
    "MT": ((_LONG_AGO, "18"),),
    "NL": ((_LONG_AGO, "21"),),
    "NO": ((_LONG_AGO, "25"),),
    "PL": ((_LONG_AGO, "23"),),
    "PT": ((_LONG_AGO, "23"),),
    "RO": ((_LONG_AGO, "19"), (date(2025, 8, 1), "21")),
    "SE": ((_LONG_AGO, "25"),),
    "SI": ((_LONG_AGO, "22"),),
    "SK": ((_LONG_AGO, "20"), (date(2025, 1, 1), "23")),
}


def standard_rate(country: str, *, on: date) -> Decimal | None:
    """Return the standard rate of a country in percent; None for a country or a day that is not in the table."""
    found = [Decimal(rate) for since, rate in _RATES.get(country, ()) if since <= on]
    return found[-1] if found else None


def has_vat(country: str) -> bool:
    """Say whether the country is in the table, so that its VAT numbers can be checked and its rate charged."""
    return country in _RATES
