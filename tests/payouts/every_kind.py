"""One partner's month with a line of every kind, and what they come to: two tables, a cap, a share, an override on a recruit's sale, a
bonus, a retainer, a guaranteed minimum, an advance and its recovery, a refund, and a line that a cap cut to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from partners.models import Membership
from payouts.models import Commission
from prm.lib.periods import Month
from referrals.models import Credit
from tests.house import House, open_house
from tests.payouts.booked import book
from tests.people import ana
from tests.tiers.engine.facts import percent, plan, pounds, rule, steps
from tiers.engine import Event, Line, Memory, Original, OriginalLine, RuleFacts, Standing, prepare
from tiers.engine.facts import Limits
from tiers.engine.months import MonthSoFar, month_lines

MARCH = datetime(2026, 3, 2, 12, tzinfo=UTC)
STANDING = Standing("registered", "Registered")
GRADUATED = rule(
    "graduated", name="Table", steps=steps((0, "0.1"), (1_000_00, "0.12", 50_00), (5_000_00, "0.15"))
)
VOLUME = rule("volume", name="Volume", steps=steps((0, "0.1"), (1_000_00, "0.12")))
CAPPED = percent("0.1", key="capped", name="Capped", limits=Limits(window_max=80_00))
MILESTONE = rule("milestone", name="First thousand", steps=steps((1_000_00, "0", 75_00)))
OVERRIDE = rule("override", name="Recruits", levels=(Decimal("0.1"),))
RETAINER = rule("retainer", name="Retainer", flat=pounds("250.00"))
DRAW = rule("draw", name="Advance", flat=pounds("500.00"))


@dataclass
class EveryKind:
    """The house, its partner ANA10, the partner BOB20 she recruited, and her lines in the order they were booked."""

    house: House
    ana: Membership
    bob: Membership
    lines: list[Commission]

    def of(self, kind: str) -> Commission:
        return next(line for line in self.lines if line.kind == kind)


def every_kind() -> EveryKind:
    """Book the month, everything ready to pay within it.

    graduated 5,000.00: 100.00 + 530.00 = 630.00; volume 900.00: 90.00, then 450.50: 54.06 and 18.00 to true up;
    capped 600.00: 60.00, then 500.00: 20.00 of 50.00, then 0.00; bonus 75.00; 40 % of 10.00: 4.00; a refund of a third of
    the volume's second sale: −18.02; override of 8.00 × 10 %: 0.80; retainer 250.00; minimum 100.00 − 80.00 = 20.00;
    advance 500.00 − 123.45 = 376.55; recovery −100.00.
    """
    house = open_house(hold_days=0)
    mine = house.member("ANA10", at=datetime(2026, 1, 31, tzinfo=UTC), owner=ana())
    bob = house.member("BOB20", at=datetime(2026, 1, 31, tzinfo=UTC))
    mine.partner.name = "Studio Ana"
    mine.partner.save()
    house.recruit("BOB20", by="ANA10")
    found = EveryKind(house, mine, bob, [])
    _tables(found)
    _refund(found)
    _override(found)
    _months(found)
    Credit.objects.update(rated_at=MARCH)
    return found


def _tables(found: EveryKind) -> None:
    _rate(found, GRADUATED, ["5000.00"])
    _rate(found, VOLUME, ["900.00", "450.50"])
    _rate(found, CAPPED, ["600.00", "500.00", "100.00"])
    _rate(found, MILESTONE, ["1200.00"])
    _rate(found, percent("0.1", key="shared"), ["100.00"], shares=(Decimal("0.4"), Decimal("0.6")))


def _rate(
    found: EveryKind, table: RuleFacts, amounts: Sequence[str], shares: tuple[Decimal, ...] = ()
) -> None:
    rater, memory = prepare(plan(table)), Memory()
    for number, amount in enumerate(amounts, start=1):
        name = f"{table.key}-{number}"
        event = Event(name, "sale", MARCH, pounds(amount), shares=shares)
        _book_all(found, rater(event, STANDING, memory), _credit(found, name, amount))


def _refund(found: EveryKind) -> None:
    """Take a third of the volume's second sale back, at its own ratio: 12 % of 150.17."""
    sold = next(line for line in found.lines if line.base_minor == 450_50)
    rater = prepare(plan(percent("0.12", name="Volume")))
    lines = rater(Event("volume-2", "sale", MARCH, pounds("450.50")), STANDING)
    original = Original("volume-2", pounds("450.50"), pounds("0"), (OriginalLine(sold.public_id, lines[0]),))
    found.house.refund("back-1", "150.17", "ANA10", MARCH, of="volume-2")
    credit = Credit.objects.get(conversion__external_id="back-1")
    [back] = rater(Event("back-1", "refund", MARCH, pounds("150.17"), original=original), STANDING)
    found.lines.append(book(found.ana, back, at=MARCH, credit=credit, hold_days=0, reverses=sold))


def _override(found: EveryKind) -> None:
    rater = prepare(plan(OVERRIDE))
    event = Event("bobs-1", "sale", MARCH, pounds("100.00"), recruit_amount=pounds("8.00"))
    above = Standing("registered", "Registered", depth=1)
    _book_all(found, rater(event, above), _credit(found, "bobs-1", "100.00", code="BOB20"))


def _months(found: EveryKind) -> None:
    memory = Memory(capped={("capped", "2026-03"): 80_00})
    floor = percent("0.1", key="capped", name="Capped", limits=Limits(window_min=100_00))
    for rules, so_far in (
        (RETAINER, MonthSoFar("GBP")),
        (floor, MonthSoFar("GBP")),
        (DRAW, MonthSoFar("GBP", earned=123_45)),
        (DRAW, MonthSoFar("GBP", earned=923_45, outstanding={"draw": 100_00})),
    ):
        _book_all(
            found, month_lines(prepare(plan(rules)), STANDING, Month(2026, 3), so_far, memory), credit=None
        )


def _book_all(found: EveryKind, lines: Sequence[Line], credit: Credit | None) -> None:
    found.lines += [book(found.ana, line, at=MARCH, credit=credit, hold_days=0) for line in lines]


def _credit(found: EveryKind, name: str, amount: str, code: str = "ANA10") -> Credit:
    found.house.sale(name, amount, code, MARCH)
    return Credit.objects.get(conversion__external_id=name)
