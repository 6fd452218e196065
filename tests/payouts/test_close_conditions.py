"""What keeps a month from being closed is listed, each thing with its fix, and nothing is closed; what is only undecided is listed beside."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from payouts import periods
from payouts.choices import CommissionState, PeriodState
from payouts.models import Commission, Period, Statement
from prm.lib.periods import Month
from tests.desk import at_desk, words
from tests.factories.money_rows import (
    AdjustmentFactory,
    DisputeFactory,
    FxRateFactory,
    PauseFactory,
    SelfBillingMandateFactory,
)
from tests.factories.payout_rows import PaymentMethodFactory
from tests.house import House, open_house
from tests.people import fiona

pytestmark = pytest.mark.django_db

MARCH = Month(2026, 3)
SOLD = datetime(2026, 3, 5, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    house = open_house(hold_days=0, minimum_minor=5_00)
    house.member("MARTA", at=SOLD)
    house.sale("o-1", "100.00", "MARTA", SOLD)
    house.rate(SOLD)
    return house


def paid_in_euros(house: House) -> None:
    house.program.fx_moment = "statement"
    house.program.save()
    PaymentMethodFactory(partner=house.members["MARTA"].partner, payout_currency="EUR")


def in_review(house: House) -> None:
    Commission.objects.update(state=CommissionState.IN_REVIEW)


def billed_without_a_profile(house: House) -> None:
    SelfBillingMandateFactory(
        partner=house.members["MARTA"].partner, legal_entity=house.program.legal_entity, agreed_at=SOLD
    )


CONDITIONS: list[tuple[Callable[[House], None], type[periods.Refused], str]] = [
    (paid_in_euros, periods.RateMissing, "from GBP to EUR for 2026-03-31"),
    (in_review, periods.LinesInReview, "1 commissions up to the end of 2026-03"),
    (
        billed_without_a_profile,
        periods.InvoiceNotPossible,
        "of Partner MARTA cannot be written: Enter your tax",
    ),
]


@pytest.mark.parametrize(("spoil", "refusal", "words"), CONDITIONS)
def test_a_month_with_an_open_condition_stays_open(
    house: House, spoil: Callable[[House], None], refusal: type[periods.Refused], words: str
) -> None:
    spoil(house)
    [found] = periods.preconditions(house.program, MARCH, at=APRIL_3)
    assert isinstance(found, refusal)
    assert words in str(found)
    with pytest.raises(refusal):
        periods.close(house.program, MARCH, by=fiona(), at=APRIL_3)
    assert Period.objects.get(month=3).state == PeriodState.OPEN
    assert not Statement.objects.exists()


def test_a_rate_of_the_last_days_is_enough(house: House) -> None:
    paid_in_euros(house)
    FxRateFactory(rate_on=date(2026, 3, 27), rate=Decimal("1.15"))
    assert periods.preconditions(house.program, MARCH, at=APRIL_3) == []
    periods.close(house.program, MARCH, by=fiona(), at=APRIL_3)
    [statement] = Statement.objects.all()
    assert (statement.closing_minor, statement.facts["fx"]["amount_minor"]) == (8_00, 9_20)  # 8.00 x 1.15


def test_the_page_lists_every_open_condition_and_what_is_undecided(house: House) -> None:
    paid_in_euros(house)
    in_review(house)
    member = house.members["MARTA"]
    AdjustmentFactory(membership=member, proposed_at=SOLD)
    PauseFactory(membership=member, paused_at=SOLD)
    DisputeFactory(commission=Commission.objects.get(), opened_at=SOLD)
    url = reverse("admin:payouts_period_close", args=["affiliates", "2026-03"])
    page = words(at_desk(fiona()).get(url))
    assert "from GBP to EUR for 2026-03-31" in page
    assert "are still in review" in page
    assert "1 question of a partner is open" in page
    assert "1 adjustment waits for a second person" in page
    assert "1 pause is in force" in page
    assert "Close March 2026" not in page


def test_the_command_can_be_tried_dry(house: House) -> None:
    in_review(house)
    out = StringIO()
    call_command("close_period", "2026-03", "--by", fiona().email, "--dry-run", "--json", stdout=out)
    told = json.loads(out.getvalue())["programs"]["affiliates"]
    assert told["can_close"] is False
    assert told["statements"] == 1
    assert len(told["against"]) == 1
    assert Period.objects.get(month=3).state == PeriodState.OPEN
