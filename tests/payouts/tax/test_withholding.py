"""One rate is withheld on any day, set and ended by whoever looks after taxes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from partners.models import Partner
from payouts.models import Withholding
from payouts.tax import withholding
from prm.accounts.policy import Forbidden
from prm.lib.errors import Refused
from tests.factories.partners import PartnerFactory
from tests.payouts.tax.billed import APRIL_3
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db

APRIL_1, JULY_1 = date(2026, 4, 1), date(2026, 7, 1)


@pytest.fixture
def partner() -> Partner:
    made: Partner = PartnerFactory.create()
    return made


def held(partner: Partner, rate: str = "10", starts_on: date = APRIL_1, **more: object) -> Withholding:
    values: dict[str, object] = {"basis": "Treaty, article 12", "by": fiona(), **more}
    return withholding.set_rate(
        partner,
        rate=Decimal(rate),
        starts_on=starts_on,
        at=APRIL_3,
        **values,  # type: ignore[arg-type]
    )


def test_a_rate_holds_from_its_day_until_the_next_begins(partner: Partner) -> None:
    first, second = held(partner), held(partner, "15.5", JULY_1)
    assert withholding.rate_on(partner, date(2026, 3, 31)) is None
    assert withholding.rate_on(partner, APRIL_1) == first
    assert withholding.rate_on(partner, date(2026, 6, 30)) == first
    assert withholding.rate_on(partner, JULY_1) == second
    assert second.rate == Decimal("15.5")


def test_an_ended_rate_leaves_a_gap_until_another_is_set(partner: Partner) -> None:
    first = withholding.end(held(partner), ends_on=date(2026, 5, 1), by=fiona(), at=APRIL_3)
    assert withholding.rate_on(partner, date(2026, 4, 30)) == first
    assert withholding.rate_on(partner, date(2026, 5, 1)) is None
    held(partner, "0", date(2026, 5, 1))
    found = withholding.rate_on(partner, date(2026, 5, 1))
    assert found is not None
    assert found.rate == 0


def test_days_never_overlap(partner: Partner) -> None:
    withholding.end(held(partner), ends_on=JULY_1, by=fiona(), at=APRIL_3)
    for day in (date(2026, 3, 1), APRIL_1, date(2026, 6, 30)):
        with pytest.raises(withholding.StartsTooEarly) as refused:
            held(partner, starts_on=day)
        assert refused.value.field == "starts_on"
        assert "2026-07-01" in str(refused.value)
    assert Withholding.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"rate": "-0.01"}, withholding.BadPercent),
        ({"rate": "100.01"}, withholding.BadPercent),
        ({"rate": "7.123"}, withholding.BadPercent),
        ({"basis": "  "}, withholding.BasisMissing),
    ],
)
def test_what_is_no_rate_is_refused(partner: Partner, values: dict[str, Any], refusal: type[Refused]) -> None:
    with pytest.raises(refusal):
        held(partner, **values)
    assert not Withholding.objects.exists()


def test_it_ends_once_and_after_it_began(partner: Partner) -> None:
    row = held(partner)
    with pytest.raises(withholding.EndsTooEarly):
        withholding.end(row, ends_on=APRIL_1, by=fiona(), at=APRIL_3)
    withholding.end(row, ends_on=JULY_1, by=fiona(), at=APRIL_3)
    with pytest.raises(withholding.AlreadyEnded):
        withholding.end(row, ends_on=JULY_1, by=fiona(), at=APRIL_3)


def test_only_those_who_manage_taxes_set_and_end(partner: Partner) -> None:
    row = held(partner)
    for other in (ana(), mats()):
        with pytest.raises(Forbidden):
            held(partner, starts_on=JULY_1, by=other)
        with pytest.raises(Forbidden):
            withholding.end(row, ends_on=JULY_1, by=other, at=APRIL_3)
    assert Withholding.objects.get().ends_on is None


def test_many_partners_are_asked_about_in_one_query(
    partner: Partner, django_assert_num_queries: object
) -> None:
    row, other = held(partner), PartnerFactory.create()
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert withholding.on(APRIL_1, partner_ids=[partner.pk, other.pk]) == {partner.pk: row}
