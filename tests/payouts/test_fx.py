"""A rate is the newest of a week, exact until an amount is born of it, and named by a row when it was used."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from payouts import fx
from payouts.models import FxRate
from prm.lib.money import MixedCurrencies, Money
from tests.factories.money_rows import FxRateFactory
from tests.factories.payout_rows import PaymentMethodFactory
from tests.house import open_house

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 3, 9, tzinfo=UTC)
THURSDAY, FRIDAY = date(2026, 4, 2), date(2026, 4, 3)


def ecb(quote: str, rate: str, on: date = THURSDAY, source: str = "ECB", at: datetime = NOW) -> FxRate:
    made = FxRateFactory.create(
        base="EUR", quote=quote, rate=Decimal(rate), rate_on=on, source=source, entered_at=at
    )
    return FxRate.objects.get(pk=made.pk)


def test_a_quoted_pair_is_the_row_itself() -> None:
    row = ecb("USD", "1.1000")
    rate = fx.rate_for("EUR", "USD", on=FRIDAY)
    assert (rate.exact, rate.on, rate.source, rate.row) == (Fraction(11, 10), THURSDAY, "ECB", row)
    assert fx.convert(Money(100_05, "EUR"), rate) == Money(110_06, "USD")  # 110.055, a half away from zero
    assert fx.convert(Money(-100_05, "EUR"), rate) == Money(-110_06, "USD")


def test_a_pair_is_turned_round_exactly() -> None:
    ecb("USD", "3")
    rate = fx.rate_for("USD", "EUR", on=FRIDAY)
    assert (rate.exact, rate.row) == (Fraction(1, 3), None)
    assert fx.convert(Money(300_000_000_01, "USD"), rate) == Money(100_000_000_00, "EUR")


def test_two_currencies_meet_through_the_euro_without_rounding_between() -> None:
    ecb("GBP", "0.8")
    ecb("USD", "1.1")
    rate = fx.rate_for("GBP", "USD", on=FRIDAY)
    assert rate.exact == Fraction(11, 8)  # 1.1 / 0.8 = 1.375
    assert fx.convert(Money(1_00, "GBP"), rate) == Money(1_38, "USD")  # 1.375, once


# 1 EUR = 160.5 JPY and 0.33 KWD. By hand: 12.34 EUR x 160.5 = 1980.57 JPY, no decimals: 1981.
# 12.34 x 0.33 = 4.0722 KWD, three decimals: 4.072. 1000 JPY = 1000/160.5 x 0.33 = 2.0560747... KWD: 2.056.
# 7.777 KWD = 7.777/0.33 x 160.5 = 3782.45... JPY: 3782.
@pytest.mark.parametrize(
    ("amount", "quote", "wanted"),
    [
        (Money(12_34, "EUR"), "JPY", Money(1981, "JPY")),
        (Money(12_34, "EUR"), "KWD", Money(4_072, "KWD")),
        (Money(1000, "JPY"), "KWD", Money(2_056, "KWD")),
        (Money(7_777, "KWD"), "JPY", Money(3782, "JPY")),
        (Money(1605, "JPY"), "EUR", Money(10_00, "EUR")),
    ],
)
def test_currencies_without_and_with_three_decimals_are_exact(
    amount: Money, quote: str, wanted: Money
) -> None:
    ecb("JPY", "160.5")
    ecb("KWD", "0.33")
    assert fx.convert(amount, fx.rate_for(amount.currency, quote, on=THURSDAY)) == wanted


def test_a_currency_and_itself_need_no_rate() -> None:
    rate = fx.rate_for("GBP", "GBP", on=FRIDAY)
    assert fx.convert(Money(5_01, "GBP"), rate) == Money(5_01, "GBP")
    assert fx.Rate.from_facts(rate.facts()) == rate


def test_an_amount_in_another_currency_than_the_rate_is_a_mistake() -> None:
    ecb("USD", "1.1")
    with pytest.raises(MixedCurrencies):
        fx.convert(Money(1_00, "USD"), fx.rate_for("EUR", "USD", on=FRIDAY))


def test_the_newest_day_counts_never_a_later_one_and_at_most_a_week_back() -> None:
    ecb("USD", "1.1", date(2026, 3, 27))
    ecb("USD", "1.2", date(2026, 4, 7))
    assert fx.rate_for("EUR", "USD", on=date(2026, 4, 3)).exact == Fraction(11, 10)
    assert fx.rate_for("EUR", "USD", on=date(2026, 4, 7)).exact == Fraction(12, 10)
    with pytest.raises(fx.NoRate) as refusal:
        fx.rate_for("EUR", "USD", on=date(2026, 4, 4))  # eight days after the first
    assert str(refusal.value) == (
        "There is no exchange rate from EUR to USD for 2026-04-04 that is at most 7 days old. Import the rates of the"
        " European Central Bank, or enter one under Exchange rates."
    )


def test_both_legs_of_a_cross_rate_are_of_one_day() -> None:
    ecb("GBP", "0.8", THURSDAY)
    ecb("USD", "1.1", THURSDAY)
    ecb("USD", "1.2", FRIDAY)
    rate = fx.rate_for("GBP", "USD", on=FRIDAY)
    assert (rate.exact, rate.on) == (Fraction(11, 8), THURSDAY)


def test_what_a_person_entered_comes_first_on_its_day() -> None:
    ecb("USD", "1.15", FRIDAY, source="entered")
    ecb("USD", "1.1", FRIDAY, at=datetime(2026, 4, 3, 16, tzinfo=UTC))
    assert fx.rate_for("EUR", "USD", on=FRIDAY).exact == Fraction(115, 100)
    FxRateFactory.create(base="USD", quote="EUR", rate=Decimal("0.8"), rate_on=FRIDAY, source="entered 2")
    ecb("GBP", "0.8", FRIDAY)
    assert fx.rate_for("USD", "EUR", on=FRIDAY).exact == Fraction(8, 10)


def test_a_cross_rate_that_is_used_is_kept_once() -> None:
    ecb("GBP", "0.9")
    ecb("USD", "1.1")
    rate = fx.rate_for("GBP", "USD", on=FRIDAY)
    row = fx.kept(rate, at=NOW)
    assert (row.source, row.rate_on, row.rate) == ("cross", THURSDAY, Decimal("1.2222222222"))
    assert fx.kept(fx.rate_for("GBP", "USD", on=FRIDAY), at=NOW) == row
    ecb("GBP", "0.8", source="entered")
    other = fx.kept(fx.rate_for("GBP", "USD", on=FRIDAY), at=NOW)
    assert (other.source, other.rate) == ("cross 2", Decimal("1.375"))
    # A kept cross rate is never the source of another one.
    assert FxRate.objects.count() == 5 and fx.rate_for("GBP", "USD", on=FRIDAY).row is None


def test_a_frozen_rate_is_read_back_exactly() -> None:
    ecb("GBP", "0.9")
    ecb("USD", "1.1")
    rate = fx.rate_for("GBP", "USD", on=FRIDAY)
    assert fx.Rate.from_facts(rate.facts()) == rate
    stored = fx.rate_for("EUR", "USD", on=FRIDAY)
    assert fx.Rate.from_facts(stored.facts()) == stored


def test_the_pairs_a_program_needs_are_those_of_accounts_in_another_currency() -> None:
    house = open_house()
    partner = house.member("PRADO").partner
    other = house.member("LIND").partner
    PaymentMethodFactory.create(partner=partner, currency="GBP", payout_currency="USD")
    PaymentMethodFactory.create(partner=other, currency="GBP", payout_currency="GBP")
    PaymentMethodFactory.create(
        partner=other, currency="EUR", payout_currency="PLN"
    )  # no balance of this program
    assert fx.needed_pairs(house.program) == [("GBP", "USD")] == fx.needed_pairs()
    assert fx.missing_for(house.program, on=FRIDAY) == [("GBP", "USD")]
    ecb("GBP", "0.8")
    ecb("USD", "1.1")
    assert fx.missing_for(house.program, on=FRIDAY) == []
