"""One partner's year in small, made by the product's own verbs: money in every stage, one statement paid, one on its way, one
waiting. Amounts are worked out beside each line; the program pays 10 % and holds for 14 days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from partners.models import Member, Membership
from payouts import adjustments, ledger, pay_runs, release
from payouts.calendar import Calendar
from payouts.choices import AccountKind, TransactionKind
from payouts.exports.bank_days import next_bank_day
from payouts.models import Statement
from portal.rooms import Room
from prm.accounts.models import User
from prm.lib.money import Money
from prm.lib.periods import Month
from referrals.models import Click, Link
from tests.factories.payouts import close_months, give_account
from tests.house import House, open_house
from tests.people import ana, felix, fiona
from tests.tier_asking import asks_revenue
from tiers.models import Tier

NOW = datetime(2026, 6, 20, 9, 12, tzinfo=UTC)  # 10:12 in London
JOINED = datetime(2026, 1, 31, 12, tzinfo=UTC)


@dataclass
class Scene:
    """The house, its one partner and what Ana sees of it."""

    house: House
    membership: Membership
    ana: User

    def room(self, *, at: datetime = NOW) -> Room:
        """Return the room Ana is in."""
        member = Member.objects.get(user=self.ana, partner=self.membership.partner)
        return Room(self.ana, member, self.membership, (self.membership,), (member,), at)

    def statement(self, month: Month) -> Statement:
        return Statement.objects.get(period__year=month.year, period__month=month.month)


def on(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def new_partner() -> Scene:
    """Return a partner who has just joined: a link, a code, no sale, no bank account."""
    house = open_house(percent="10")
    Tier.objects.create(program=house.program, key="silver", name="Silver", rank=2)
    asks_revenue(house.program, {"silver": 10_000_00})
    membership = house.member("ANA10", at=JOINED, owner=ana())
    Link.objects.create(
        membership=membership,
        slug="ana",
        label="Homepage",
        destination_url="https://shop.halden.example/",
        created_at=JOINED,
    )
    return Scene(house, membership, ana())


def busy_partner() -> Scene:
    """Return a partner with money in every stage at NOW.

    paid 100.00 (February), on its way 200.00 (March), ready 300.00 − 20.00 on the May statement and 40.00 since,
    on hold 50.00 and − 5.00. Together 665.00.
    """
    scene = new_partner()
    house, program = scene.house, scene.house.program
    give_account(scene.membership, at=JOINED + timedelta(days=10))
    house.sale("feb-1", "1000.00", "ANA10", on(2, 3))  # 100.00, ready on 17 February
    house.sale("mar-1", "2000.00", "ANA10", on(3, 3))  # 200.00, ready on 17 March
    house.sale("may-1", "3000.00", "ANA10", on(5, 4))  # 300.00, ready on 18 May
    house.refund("may-2", "200.00", "ANA10", on(5, 5))  # −20.00, ready on 19 May
    house.sale("jun-1", "400.00", "ANA10", on(6, 2))  # 40.00, ready on 16 June
    house.sale("jun-2", "500.00", "ANA10", on(6, 18))  # 50.00, ready on 2 July
    house.refund("jun-3", "50.00", "ANA10", on(6, 19))  # −5.00, ready on 3 July
    house.rate(on(6, 19))
    close_months(program, Month(2026, 1), Month(2026, 2), at=on(3, 2))
    _pay(scene, at=on(3, 13), settled_at=on(3, 16))
    close_months(program, Month(2026, 3), at=on(4, 2))
    _pay(scene, at=on(4, 13), settled_at=None)
    close_months(program, Month(2026, 4), Month(2026, 5), at=on(6, 2))
    release.release_due(at=NOW)
    return scene


def add(scene: Scene, amount: str, *, at: datetime, kind: str = "adjustment") -> None:
    """Book an adjustment, which one person may up to 50.00."""
    program = scene.membership.program
    program.second_person_above_minor = 50_00
    program.save()
    adjustments.propose(
        scene.membership,
        kind=kind,
        amount=Money.parse(amount, "GBP"),
        reason="campaign",
        note="For the campaign.",
        by=fiona(),
        at=at,
    )


def charge_vat(scene: Scene, minor: int, *, at: datetime) -> None:
    """Book VAT as a close does, without the tax profile it rests on."""
    program = scene.house.program
    ledger.post(
        key="vat:by-hand",
        kind=TransactionKind.VAT,
        period=Calendar().for_posting(program, at),
        effective_at=at,
        at=at,
        moves=ledger.shift(
            down=ledger.program_account(program, AccountKind.INPUT_VAT),
            up=ledger.partner_account(scene.membership, AccountKind.PAYABLE),
            amount=Money(minor, "GBP"),
        ),
    )


def click(scene: Scene, at: datetime, number: int) -> None:
    Click.objects.create(
        click_id=f"click{number:021d}",
        link=Link.objects.get(membership=scene.membership),
        visitor=f"v{number:025d}",
        clicked_at=at,
    )


def _pay(scene: Scene, *, at: datetime, settled_at: datetime | None) -> None:
    entity = scene.house.program.legal_entity
    day = next_bank_day(at.date() + timedelta(days=1), "GBP")
    run = pay_runs.prepare(entity, currency="GBP", execute_on=day, by=fiona(), at=at)
    pay_runs.acknowledge_all(run, note="Looked at.", by=fiona(), at=at)
    pay_runs.approve(run, by=felix(), at=at)
    run.refresh_from_db()
    pay_runs.export(run, by=fiona(), at=at)
    run.refresh_from_db()
    if settled_at is not None:
        pay_runs.settle(run, by=fiona(), at=settled_at)
