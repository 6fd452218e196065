"""Visitors of the demo house and what their orders came to, in a small house with the partners they are about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from demo import dataset, enrolment, living, people, programs, tracked, visitors
from demo.people import PARTNER_CODE
from payouts.models import Dispute, RiskCase, RiskSignal
from prm.mail.outbox import quiet
from referrals.choices import ClickKind
from referrals.models import Click, Conversion, Credit, Referral

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
WANTED = {PARTNER_CODE, tracked.TEASEL, tracked.PRESENTS, tracked.FOXGLOVE, tracked.FLOODED}


def credits_of(number: str) -> dict[str, tuple[str, Decimal]]:
    order = Conversion.objects.get(source=tracked.SOURCE, external_id=number)
    rows = Credit.objects.filter(conversion=order).select_related("membership__partner")
    return {row.membership.partner.name: (row.role, row.share) for row in rows}


@pytest.mark.django_db
def test_orders_of_the_demo_are_decided_by_its_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "READERS", 10)
    monkeypatch.setattr(tracked, "COUNTED_DAYS", 1)
    people.make_staff()
    entity = programs.make_entity()
    began = NOW - timedelta(days=200)
    house = {
        kind: programs.make_program(entity, kind, at=began - timedelta(days=30))
        for kind in ("affiliate", "referral")
    }
    with quiet():
        for row in dataset.partners():
            if row.code in WANTED:
                enrolment.enrol(row, house[row.kind], at=began)
        living.add_team(at=NOW - timedelta(days=45))
        tracked.prepare(house["affiliate"], now=NOW)
        tracked.fill({program.slug: program for program in house.values()}, now=NOW)
    mine, teasel = "Northwind Reviews", "UK Affiliate 01"
    assert credits_of("S-2003") == {mine: ("sourced", Decimal("0.8")), teasel: ("sourced", Decimal("0.2"))}
    assert credits_of("S-2005") == {teasel: ("sourced", Decimal(1)), mine: ("assisted", Decimal(1))}
    assert mine not in credits_of("S-2006") and credits_of("S-2007") == {}
    assert credits_of("S-2004") == {mine: ("sourced", Decimal(1))}  # who brought the customer
    assert Click.objects.filter(kind=ClickKind.BOT).count() == 34
    assert Click.objects.filter(kind=ClickKind.OWN).count() == 6
    assert sorted(Dispute.objects.values_list("state", flat=True)) == ["opened", "refused"]
    case = RiskCase.objects.get()
    assert case.membership.partner.name == mine and case.lines.exclude(pause=None).count() == 1
    assert RiskSignal.objects.filter(case=None, kind="click_flood").count() == 1
    assert Referral.objects.filter(cause="transferred", membership__partner__name=teasel).count() == 1
