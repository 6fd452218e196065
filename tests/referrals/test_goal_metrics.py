"""Goals that only business plans aim at: sign-ups somebody is credited with, in the days of the plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from partners.metrics import Asked, Group
from referrals import goal_metrics
from referrals.models import Conversion, Credit
from tests.house import House, open_house
from tiers.qualify import Question

pytestmark = pytest.mark.django_db
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def house_with_sign_ups() -> House:
    house = open_house()
    house.member("ANA10")
    house.member("BEN10")
    for name, code, at in (
        ("early", "ANA10", MARCH - timedelta(seconds=1)),
        ("first", "ANA10", MARCH),
        ("second", "ANA10", APRIL - timedelta(seconds=1)),
        ("late", "ANA10", APRIL),
        ("bens", "BEN10", MARCH),
        ("declined", "BEN10", MARCH),
        ("nobodys", "", MARCH),
    ):
        house.sale(name, "0.00", code, at, kind="signup")
    house.sale("a sale", "50.00", "ANA10", MARCH)
    Conversion.objects.filter(external_id="declined").update(state="rejected")
    Credit.objects.create(
        conversion=Conversion.objects.get(external_id="nobodys"),
        membership=house.members["BEN10"],
        role="assisted",
        reason="corrected",
        occurred_at=MARCH,
        attributed_at=MARCH,
    )
    return house


def test_sign_ups_of_the_window_are_counted_for_who_is_credited() -> None:
    house = house_with_sign_ups()
    asked = Asked(Question("subscribers"), MARCH, APRIL)
    found = goal_metrics.subscribers(Group(house.program, 0, 10**9), asked)
    values = {code: found[member.pk].value for code, member in house.members.items()}
    assert values == {"ANA10": Fraction(2), "BEN10": Fraction(1)}
    rows = list(goal_metrics.subscriber_rows(house.members["ANA10"].pk, asked))
    names = Conversion.objects.filter(public_id__in=[row.what for row in rows])
    assert sorted(names.values_list("external_id", flat=True)) == ["first", "second"]
    assert {row.value for row in rows} == {Fraction(1)}


def test_only_the_group_asked_for_is_read() -> None:
    house = house_with_sign_ups()
    ben = house.members["BEN10"].pk
    found = goal_metrics.subscribers(
        Group(house.program, ben, ben), Asked(Question("subscribers"), None, APRIL)
    )
    assert set(found) == {ben}
