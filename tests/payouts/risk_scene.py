"""What the tests of risk begin with: Ana's partner in a small house, orders of hers and of strangers, and a look at it by the monitor."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from partners.models import Membership
from payouts.models import Commission, RiskCase, RiskSignal
from payouts.risk import cases, monitor
from referrals import conversions, identity
from referrals.models import Conversion, Customer
from tests.house import House, open_house
from tests.people import ana, mats

SOLD = datetime(2026, 3, 10, 12, tzinfo=UTC)  # a Tuesday
SEEN = SOLD + timedelta(hours=2)
DECIDED = SOLD + timedelta(days=2)
REVIEW = date(2026, 3, 20)


def house_of_ana() -> tuple[House, Membership]:
    """Open a house that pays 8 % and holds for 14 days, with Ana as owner of a partner."""
    house = open_house()
    return house, house.member("ANA", owner=ana())


def order(
    house: House, name: str, amount: str = "100.00", code: str = "ANA", *, mail: str = ""
) -> Conversion:
    """Record an order of a buyer of its own, with an e-mail address when one is given."""
    Customer.objects.create(
        source="shop",
        external_id=f"buyer-{name}",
        email_key=identity.email_key(mail),
        mailbox_key=identity.folded_email_key(mail),
        domain_key=identity.domain_key(mail),
        first_seen_at=SOLD,
    )
    event = replace(house.event(name, amount, code, SOLD), customer_id=f"buyer-{name}")
    conversions.record(event, at=SOLD)
    return Conversion.objects.get(external_id=name)


def suspected() -> tuple[House, Membership, RiskCase]:
    """Return a case the monitor opened: of Ana's two orders, 8.00 and 16.00, she bought the first one herself."""
    house, membership = house_of_ana()
    order(house, "own-1", mail="ana@studio.example")
    order(house, "fair-1", "200.00", mail="kim@elsewhere.example")
    house.rate(SOLD)
    monitor.watch(at=SEEN)
    return house, membership, RiskCase.objects.get()


def line(name: str) -> Commission:
    """Return the first line of an order."""
    found = Commission.objects.filter(conversion__external_id=name).order_by("pk").first()
    assert found is not None
    return found


def by_hand(membership: Membership, signals: list[RiskSignal], **changes: object) -> RiskCase:
    """Open a case as Mats."""
    given = {"reason": "We check some orders.", "review_on": REVIEW, "by": mats(), "at": SEEN, **changes}
    return cases.open_case(membership, signals, **given)  # type: ignore[arg-type]
