"""A year of six partners of a French operator: every month is closed and paid, and there is one of everything that moves money on its way
out. Amounts are drawn from a seed, so each run of it is the same."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from payouts import adjustments, pay_runs, statements
from payouts.choices import AdjustmentKind, AdjustmentReason
from payouts.exports.bank_days import next_bank_day
from payouts.models import Payment, PayRun, Statement
from payouts.payment_methods import add
from payouts.tax import agreement, mandates, profiles, withholding
from payouts.tax.profiles import TaxFacts
from prm.lib.money import Money
from prm.lib.periods import Month
from tests.factories.money_rows import FxRateFactory
from tests.factories.payouts import close_months, give_account, looked_at, prepared
from tests.factories.tiers import LegalEntityFactory
from tests.house import House, open_house
from tests.people import ada, ana, felix, fiona

BEFORE = datetime(2025, 12, 1, 9, tzinfo=UTC)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
CODES = ("VAT", "TAX", "DOLLAR", "RETURN", "EXTRA", "DEBT")
IBANS = (
    "FR1420041010050500013M02606",
    "DE89370400440532013000",
    "BE68539007547034",
    "NL91ABNA0417164300",
    "AT611904300234573201",
    "ES9121000418450200051332",
)
JANUARY, LAST = datetime(2027, 1, 5, 9, tzinfo=UTC), datetime(2027, 2, 3, 9, tzinfo=UTC)


class Year:
    """What happened in it; `cents` of each sale and what `came_back` of it, by the sale's name."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # to be repeatable
        self.cents: dict[str, int] = {}
        self.came_back: dict[str, int] = {}
        self.house = _open()

    def live(self) -> Year:
        """Let the twelve months pass."""
        for month in range(1, 13):
            self._sell(month)
            self._close_and_pay(month)
        return self

    def refund(self, code: str, sale: str, cents: int, at: datetime) -> None:
        """Take back a part of a sale."""
        self.came_back[sale] = self.came_back.get(sale, 0) + cents
        name = f"r-{len(self.came_back)}-{self.came_back[sale]}"
        self.house.refund(name, f"{cents // 100}.{cents % 100:02d}", code, at, of=sale)

    def _sell(self, month: int) -> None:
        for code in CODES:
            for place in range(2):
                name, cents = f"{code}-{month}-{place}", self.dice.randint(60_000, 250_000)
                self.cents[name] = cents
                at = datetime(2026, month, 3 + 9 * place, 12, tzinfo=UTC)
                self.house.sale(name, f"{cents // 100}.{cents % 100:02d}", code, at)
        if month == 4:  # more comes back than is earned
            for earlier in range(1, 4):
                self.refund("DEBT", f"DEBT-{earlier}-0", self.cents[f"DEBT-{earlier}-0"], _on(month, 20))
                self.refund("DEBT", f"DEBT-{earlier}-1", self.cents[f"DEBT-{earlier}-1"], _on(month, 21))
        if month == 6:
            self._adjust(AdjustmentKind.BONUS, 75_00, _on(month, 15))
            self._adjust(AdjustmentKind.ADJUSTMENT, -12_34, _on(month, 16))

    def _close_and_pay(self, month: int) -> None:
        program, at = self.house.program, _on(month, 33)
        self.house.rate(at)
        close_months(program, Month(2026, month), at=at)
        day = next_bank_day(at.date() + timedelta(days=2), "EUR")
        FxRateFactory.create(base="EUR", quote="USD", rate=Decimal("1.0837") + month, rate_on=at.date())
        run = looked_at(prepared(program.legal_entity, at=at, currency="EUR", execute_on=day), at=at)
        if month == 8:
            pay_runs.leave_out(_payment(run, "EXTRA"), reason="We are asking back.", by=fiona(), at=at)
        pay_runs.approve(run, by=felix(), at=at)
        pay_runs.export(run, by=fiona(), at=at)
        run.refresh_from_db()
        later = at + timedelta(days=4)
        if month == 5:
            pay_runs.fail(_payment(run, "RETURN"), reason="Account closed", code="AC04", by=fiona(), at=later)
        if month != 12:  # the last ones are still on their way
            pay_runs.settle(run, by=fiona(), at=later, reference=f"BANK-{month}")
        if month == 7:
            pay_runs.fail(_payment(run, "TAX"), reason="Sent back", code="AC04", by=fiona(), at=later)
        if month == 9:
            wrong = Statement.objects.get(membership=self.house.members["VAT"], period__month=9)
            statements.correct(wrong, reason="The street was wrong.", by=fiona(), at=later)

    def _adjust(self, kind: AdjustmentKind, minor: int, at: datetime) -> None:
        adjustments.propose(
            self.house.members["EXTRA"],
            kind=kind,
            amount=Money(minor, "EUR"),
            reason=AdjustmentReason.CAMPAIGN,
            note="As agreed.",
            by=fiona(),
            at=at,
        )


def _open() -> House:
    entity = LegalEntityFactory.create(
        name="Halden France SAS",
        number_prefix="HF",
        street="Rue de la Paix",
        building_number="12",
        postcode="75002",
        town="Paris",
        country_code="FR",
        vat_number="FR83404833048",
        registration_number="404833048",
        contact_email="compta@halden.example",
        iban="FR7630006000011234567890189",
        bic="AGRIFRPP",
    )
    house = open_house(currency="EUR", zone="Europe/Paris", entity=entity)
    house.program.second_person_above_minor = 1_000_00
    house.program.save()
    for code, iban in zip(CODES, IBANS, strict=True):
        member = house.member(code, at=NEW_YEAR, owner=ana() if code == "VAT" else None)
        if code != "DOLLAR":
            give_account(member, at=NEW_YEAR, iban=iban, currency="EUR")
    _let_us_write_invoices(house)
    dollar = house.members["DOLLAR"].partner
    add(
        dollar,
        currency="EUR",
        payout_currency="USD",
        holder=dollar.name,
        iban="DE02120300000000202051",
        by=ada(),
        at=BEFORE,
    )
    withholding.set_rate(
        house.members["TAX"].partner,
        rate=Decimal("7.5"),
        basis="Treaty, article 12",
        starts_on=date(2026, 1, 1),
        by=fiona(),
        at=BEFORE,
    )
    return house


def _let_us_write_invoices(house: House) -> None:
    partner = house.members["VAT"].partner
    partner.legal_name, partner.country, partner.language = "Studio Prado SARL", "FR", "fr"
    partner.street, partner.building_number = "Rue des Lilas", "7"
    partner.postcode, partner.town = "75011", "Paris"
    partner.save()
    facts = TaxFacts(country_code="FR", status="business", vat_number="FR40303265045")
    profiles.set_profile(partner, facts, by=ana(), at=BEFORE)
    mandates.agree(
        partner,
        house.program.legal_entity,
        version=agreement.VERSION,
        by=ana(),
        at=BEFORE,
        address="192.0.2.7",
    )


def _on(month: int, day: int) -> datetime:
    return datetime(2026, month, 1, 9, tzinfo=UTC) + timedelta(days=day - 1)


def _payment(run: PayRun, code: str) -> Payment:
    return run.payments.get(membership__partner__name=f"Partner {code}")
