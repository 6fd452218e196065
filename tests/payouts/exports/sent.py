"""Payments written by hand, in memory: nothing here asks a database or a clock, so what files say of them can be compared to the byte."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from partners.models import Membership, Partner
from payouts.models import FxRate, Payment, PayRun, Statement
from tiers.models import LegalEntity, Program

GOLDEN = Path(__file__).parents[2] / "golden"
# To write the golden files anew after a change that was meant: WRITE_GOLDEN=1 pytest tests/payouts/exports
WRITE = bool(os.environ.get("WRITE_GOLDEN"))
APPROVED = datetime(2026, 5, 11, 10, tzinfo=UTC)
EXECUTE_ON = date(2026, 5, 14)  # a Thursday
TODAY = date(2026, 5, 12)


def is_golden(content: bytes, name: str) -> bool:
    """Say whether the bytes are those that were looked at and kept."""
    if WRITE:
        (GOLDEN / name).write_bytes(content)
    return content == (GOLDEN / name).read_bytes()


def entity(**changes: Any) -> LegalEntity:
    """Return the Paris house of Halden: paid from a French account, or a US one."""
    facts = {
        "name": "Halden Cadeaux SARL",
        "number_prefix": "HC",
        "street": "rue des Écouffes",
        "building_number": "22",
        "postcode": "75004",
        "town": "Paris",
        "country_code": "FR",
        "iban": "FR1420041010050500013M02606",
        "bic": "PSSTFRPPPAR",
        "us_routing_number": "021000021",
        "us_company_id": "1943829104",
    }
    return LegalEntity(**{**facts, **changes})


def run(currency: str = "EUR", *, whose: LegalEntity | None = None, **changes: Any) -> PayRun:
    """Return an approved run with a fixed id."""
    facts: dict[str, Any] = {
        "legal_entity": whose or entity(),
        "currency": currency,
        "execute_on": EXECUTE_ON,
        "message_id": "PRN-01KQZ0000000000000000000AA",
        "prepared_at": APPROVED,
        "approved_at": APPROVED,
    }
    return PayRun(**{**facts, **changes})


PARTNERS: tuple[dict[str, Any], ...] = (
    {
        "name": "Studio Prado",
        "street": "Hauptstraße",
        "building_number": "1a",
        "postcode": "10115",
        "town": "Berlin",
        "country": "Germany",
    },
    {
        "name": "=Żółw & Syn",
        "street": "Łąkowa",
        "building_number": "5/7",
        "postcode": "90-562",
        "town": "Łódź",
        "country": "PL",
    },
    {"name": "Koffie aan Zee", "country": "Belgium"},
)


def payment(number: int, minor: int, currency: str = "EUR", **changes: Any) -> Payment:
    """Return payment `number`, counting from 1, with ids that say so."""
    partner = Partner(pk=number, **PARTNERS[(number - 1) % len(PARTNERS)])
    program = Program(name="Halden affiliates", currency=currency)
    facts: dict[str, Any] = {
        "public_id": f"pay_01kqz00000000000000000000{number:x}",
        "membership": Membership(partner=partner, program=program),
        "statement": Statement(number=f"HC-2026-{number:05d}"),
        "amount_minor": minor,
        "currency": currency,
        "sent_minor": minor,
        "sent_currency": currency,
        "kind": "bank_iban",
        "holder": partner.name.removeprefix("="),
        "end_to_end_id": f"PAY-01KQZ00000000000000000000{number:X}",
    }
    return Payment(**{**facts, **changes})


def by_iban() -> list[Payment]:
    """Return three payments in euros, 1,234.56 + 0.01 + 99.00 = 1,333.57; the last one after 10 % of 110.00 was withheld."""
    return [
        payment(1, 1234_56, iban="DE89370400440532013000", bic="COBADEFFXXX"),
        payment(2, 1, iban="PL61109010140000071219812874"),
        payment(3, 99_00, iban="BE68539007547034", amount_minor=110_00, withheld_minor=11_00),
    ]


def to_us() -> list[Payment]:
    """Return three payments to US accounts, 250.00 + 1,000.01 + 0.99 = 1,251.00, the second one to savings."""
    accounts = (
        ("011401533", "4471", "checking"),
        ("091000019", "000123456789", "savings"),
        ("011401533", "987-654", "checking"),
    )
    return [
        payment(number, minor, "USD", kind="us_account", details=us_details(*account))
        for number, (minor, account) in enumerate(zip((250_00, 1000_01, 99), accounts, strict=True), start=1)
    ]


def us_details(routing: str, account: str, kind: str) -> str:
    return json.dumps({"routing_number": routing, "account_number": account, "account_type": kind})


def by_mail(kind: str) -> list[Payment]:
    """Return two payments by a provider, 20.00 + 7.50 = 27.50 euros; the second one leaves a balance in pounds."""
    rate = FxRate(pk=1, base="GBP", quote="EUR", rate="1.1500000000", rate_on=date(2026, 5, 8), source="ecb")
    return [
        payment(1, 20_00, kind=kind, details='{"email": "ana@studio.example"}'),
        payment(
            2,
            6_52,
            "GBP",
            kind=kind,
            details='{"email": "zolw+pay@syn.example"}',
            sent_minor=7_50,
            sent_currency="EUR",
            fx_rate=rate,
        ),
    ]
