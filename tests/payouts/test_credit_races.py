"""Two people decide about one order at the same instant: whoever lost its credit in one decision does not get it back by the other."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest

from payouts import disputes
from payouts.risk import cases
from prm.accounts.models import User
from referrals.attribution import inquiry
from referrals.models import Credit
from tests.factories.tracking import RiskSignalFactory
from tests.house import open_house
from tests.payouts.risk_scene import REVIEW, SEEN, SOLD, order
from tests.payouts.test_money_races import at_once
from tests.people import ada, ana, mats


@pytest.mark.django_db(transaction=True)
def test_a_share_given_to_one_never_gives_back_what_a_case_took_from_another() -> None:
    house = open_house()
    asking, rival = house.member("ANA", owner=ana()), house.member("RIVAL")
    sale = order(house, "own-1", code="RIVAL")
    house.rate(SOLD)
    found = inquiry.ask(asking, by=ana(), at=SEEN, order=sale.external_id)
    asked = disputes.open_inquiry(asking, found, conversion="", text="Mine.", by=ana(), at=SEEN)
    signal = RiskSignalFactory.create(membership=rival, conversion=sale, severity="medium")
    case = cases.open_case(rival, [signal], reason="We check it.", review_on=REVIEW, by=mats(), at=SEEN)
    people: list[User] = [ada(), mats()]
    turn = count()
    decided = SEEN + timedelta(days=1)

    def decide() -> object:
        if next(turn):
            return disputes.accept_with_share(
                asked, share=Decimal("0.5"), note="Half.", by=people[0], at=decided, order="own-1"
            )
        return cases.confirm(case, outcome="Own order.", conversions=[sale], by=people[1], at=decided)

    at_once(2, decide)
    case.refresh_from_db()
    assert case.state == "confirmed"
    assert not Credit.objects.standing().filter(membership=rival).exists()
