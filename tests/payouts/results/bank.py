"""A run with three payments on their way, and the bank's files about them: texts written by hand, with the ids put in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from payouts import ledger
from payouts.choices import AccountKind
from payouts.models import Payment, PayRun
from payouts.results import import_file
from prm.lib.periods import Month
from tests.factories.payouts import close_months, exported, give_account
from tests.house import House, open_house
from tests.people import ana, fiona
from tiers.models import LegalEntity

FOLDER = Path(__file__).parents[2] / "golden" / "results"
MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)
APRIL_5 = datetime(2026, 4, 5, 9, tzinfo=UTC)
APRIL_7 = datetime(2026, 4, 7, 9, tzinfo=UTC)
APRIL_10 = datetime(2026, 4, 10, 9, tzinfo=UTC)
# 8 % of these: 80.00, 160.00 and 120.00.
SALES = {"ANA": "1000.00", "BEN": "2000.00", "CLEO": "1500.00"}
ACCOUNTS = {
    "ANA": "GB29NWBK60161331926819",
    "BEN": "DE89370400440532013000",
    "CLEO": "FR1420041010050500013M02606",
}
SENT = {"ANA": 80_00, "BEN": 160_00, "CLEO": 120_00}


def owed() -> House:
    """Three partners with statements of March and accounts to pay them to."""
    house = open_house()
    for code, amount in SALES.items():
        member = house.member(code, at=MARCH_1, owner=ana() if code == "ANA" else None)
        give_account(member, at=APRIL_3, iban=ACCOUNTS[code])
        house.sale(f"s-{code}", amount, code, MARCH_2)
    house.rate(APRIL_3)
    close_months(house.program, Month(2026, 3), at=APRIL_3)
    return house


def on_its_way(house: House) -> PayRun:
    return exported(house.program.legal_entity, at=APRIL_5)


def payment(code: str) -> Payment:
    """Return the partner's newest payment."""
    found = Payment.objects.filter(membership__partner__name=f"Partner {code}").order_by("-pk").first()
    assert found is not None
    return found


def written(name: str, **words: str) -> bytes:
    """Return one of the bank's files with the ids of our payments in it."""
    text = (FOLDER / name).read_text()
    run = PayRun.objects.order_by("pk").first()
    known = {code: payment(code).end_to_end_id for code in SALES} | {"MESSAGE": run.message_id if run else ""}
    for word, value in (known | words).items():
        text = text.replace(f"@{word}@", value)
    return text.encode()


def table(
    *rows: str, header: str = "end_to_end_id,outcome,reference,reason_code,reason,booked_on,fee"
) -> bytes:
    return "\r\n".join([header, *rows, ""]).encode()


def take(
    content: bytes, *, at: datetime = APRIL_7, entity: LegalEntity | None = None, name: str = "bank.xml"
):
    return import_file(
        entity or LegalEntity.objects.get(number_prefix="HG"), name=name, content=content, by=fiona(), at=at
    )


def states() -> dict[str, str]:
    return {code: payment(code).state for code in SALES}


def balance(house: House, kind: AccountKind, code: str = "") -> int:
    """Return what an account of the program, or of one partner, holds in pence."""
    account = (
        ledger.partner_account(house.members[code], kind)
        if code
        else ledger.program_account(house.program, kind)
    )
    return ledger.balance(account).minor
