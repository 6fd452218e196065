"""Staff agree on own terms from the membership's page: draft, propose, withdraw, and see what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partners import negotiation
from prm.lib.periods import local_day, start_of_day
from prm.mail.models import OutgoingMail
from tests.desk import at_desk, links, words
from tests.house import House, open_house
from tests.people import ada, ana, fiona, mats
from tiers.models import PlanVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", owner=ana())
    return house


def url(house: House, act: str = "") -> str:
    name = f"admin:partners_membership_terms{act}"
    return reverse(name, args=[house.members["ANA10"].pk])


def drafted(house: House) -> PlanVersion:
    version = negotiation.begin(house.members["ANA10"], by=ada(), at=timezone.now())
    version.rules.update(rate=15)
    return version


def test_the_page_says_what_the_partner_earns_by_and_offers_a_draft(house: House) -> None:
    membership_page = reverse("admin:partners_membership_change", args=[house.members["ANA10"].pk])
    assert url(house) in links(at_desk(ada()).get(membership_page))
    text = words(at_desk(ada()).get(url(house)))
    assert "8% of every order" in text and "This partner has what everybody has." in text
    assert "Draft own terms" in text


def test_a_draft_opens_where_rules_are_written(house: House) -> None:
    answer = at_desk(ada()).post(url(house, "_draft"))
    version = PlanVersion.objects.get(number=2)
    assert version.member_key == house.members["ANA10"].public_id
    assert answer.url == reverse("admin:tiers_planversion_change", args=[version.pk])  # type: ignore[attr-defined]


def test_a_proposal_goes_to_the_owners_and_can_be_withdrawn(house: House) -> None:
    version, desk = drafted(house), at_desk(ada())
    zone = house.program.zone
    day = local_day(timezone.now(), zone) + timedelta(days=30)
    text = words(desk.post(url(house, "_propose"), {"effective_on": day.isoformat()}, follow=True))
    assert "The owners of the team are asked." in text and "A proposal waits" in text
    version.refresh_from_db()
    assert (version.state, version.effective_at) == ("proposed", start_of_day(day, zone))
    assert OutgoingMail.objects.get().to == ana().email
    assert "it is a draft again" in words(desk.post(url(house, "_withdraw"), follow=True))
    version.refresh_from_db()
    assert version.state == "draft"


def test_today_and_no_day_mean_from_the_acceptance(house: House) -> None:
    version, desk = drafted(house), at_desk(ada())
    for day in ("", local_day(timezone.now(), house.program.zone).isoformat()):
        before = timezone.now()
        desk.post(url(house, "_propose"), {"effective_on": day})
        version.refresh_from_db()
        assert version.effective_at is not None and before <= version.effective_at <= timezone.now()
        desk.post(url(house, "_withdraw"))


def test_what_was_agreed_stays_in_the_list(house: House) -> None:
    version, now = drafted(house), timezone.now()
    proposed = negotiation.propose(version, effective_at=now, by=ada(), at=now)
    negotiation.accept(proposed, shown=proposed.sha256, by=ana(), at=now)
    text = words(at_desk(mats()).get(url(house)))
    assert "15% of every order" in text
    assert "Version 2 Published" in text and "Ada Halden Ana Prado" in text
    assert "Draft own terms" not in text  # an account manager looks and does not set rates


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"effective_on": "2020-01-01"}, "a new version begins now or later"),
        ({"effective_on": "soon"}, "Enter a valid date"),
    ],
)
def test_a_bad_day_is_named_at_its_field(house: House, values: dict[str, Any], said: str) -> None:
    drafted(house)
    answer = at_desk(ada()).post(url(house, "_propose"), values)
    assert answer.status_code == 422 and said in words(answer)
    assert PlanVersion.objects.get(number=2).state == "draft"


@pytest.mark.parametrize("act", ["_draft", "_propose", "_withdraw"])
def test_setting_rates_is_an_administrator_s_work(house: House, act: str) -> None:
    version, now = drafted(house), timezone.now()
    if act == "_withdraw":
        negotiation.propose(version, effective_at=now, by=ada(), at=now)
    state = PlanVersion.objects.get(pk=version.pk).state
    for person in (mats(), fiona()):
        assert at_desk(person).post(url(house, act), {"effective_on": ""}).status_code == 403
        assert at_desk(person).get(url(house, act)).status_code in (403, 405)
    assert PlanVersion.objects.get(pk=version.pk).state == state
    assert PlanVersion.objects.count() == 2


def test_without_a_draft_there_is_nothing_to_propose_or_withdraw(house: House) -> None:
    for act in ("_propose", "_withdraw"):
        assert at_desk(ada()).post(url(house, act)).status_code == 404
    assert PlanVersion.objects.count() == 1
