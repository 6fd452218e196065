"""What memberships sold, as tiers measure it: beside a count by hand of any history, and down to the rows each figure is made of."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from partners import metrics
from partners.models import Membership, Partner
from referrals.models import Conversion, Credit
from tests.factories.referrals import (
    ConversionFactory,
    CreditFactory,
    CustomerFactory,
    new_membership,
)
from tiers.qualify import Ask, Question, Requirement, Scheme, Window

pytestmark = pytest.mark.django_db

SALES = ("sale", "renewal")
BACK = ("refund", "chargeback")
OWN = (
    "net_revenue",
    "sales",
    "average_order",
    "new_customers",
    "customer_retention",
    "qualified_leads",
    "deals_won",
    "points",
)
BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
WINDOWS = (Window("trailing", 2), Window("month"), Window("quarter"), Window("ever"))


@dataclass(frozen=True)
class Fact:
    """One event as the history tells it; `of` is the sale it takes back from or gives back to."""

    number: int
    kind: str
    at: datetime
    minor: int
    shares: tuple[tuple[int, Fraction], ...]
    customer: int | None = None
    deal: str = ""
    of: Fact | None = None
    is_declined: bool = False


@dataclass
class History:
    """Random events of three memberships: sales split or not, refunds in parts, chargebacks that are lost or won."""

    seed: int
    facts: list[Fact] = field(default_factory=list)

    def __post_init__(self) -> None:
        dice = random.Random(self.seed)
        for _number in range(50):
            at = BEGIN + timedelta(hours=dice.randrange(24 * 200))
            kind = dice.choice([*SALES, *SALES, "sale", "qualified_lead", "signup"])
            minor = dice.choice([0, 101, 1, 9_999]) if kind in SALES else 0
            sale = self._add(
                kind,
                at,
                minor,
                self._shares(dice),
                customer=dice.choice([None, 0, 1, 2, 3]),
                deal=dice.choice(["", "", "D1", "D2"]) if kind in SALES else "",
                is_declined=dice.random() < 0.1,
            )
            if kind in SALES and minor > 1:
                self._move(dice, sale)

    def _move(self, dice: random.Random, sale: Fact) -> None:
        left, at = sale.minor, sale.at
        for _part in range(dice.randrange(4)):
            at += timedelta(days=dice.randrange(40))
            minor = left if dice.random() < 0.5 else dice.randint(0, left)
            self._add(dice.choice(BACK), at, minor, sale.shares, of=sale)
            left -= minor
            if dice.random() < 0.4:
                at += timedelta(days=dice.randrange(20))
                self._add("chargeback_won", at, minor, sale.shares, of=sale)
                left += minor

    def _add(
        self, kind: str, at: datetime, minor: int, shares: tuple[tuple[int, Fraction], ...], **more: object
    ) -> Fact:
        fact = Fact(len(self.facts), kind, at, minor, shares, **more)  # type: ignore[arg-type]
        self.facts.append(fact)
        return fact

    def _shares(self, dice: random.Random) -> tuple[tuple[int, Fraction], ...]:
        three = dice.sample(range(3), 3)
        return dice.choice(
            [
                ((three[0], Fraction(1)),),
                ((three[0], Fraction(1)),),
                ((three[0], Fraction(1, 2)), (three[1], Fraction(1, 2))),
                tuple(zip(three, (Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)), strict=True)),
            ]
        )

    def write(self) -> list[Membership]:
        """Put the history into the books, with corrected credits, assists and a stranger's sales among it."""
        first = new_membership()
        members = [first]
        for name in ("Second", "Third"):
            new_membership()  # one of another program, with a key in between
            partner = Partner.objects.create(name=name)
            members.append(
                Membership.objects.create(partner=partner, program=first.program, joined_at=first.joined_at)
            )
        stranger = new_membership()
        customers = CustomerFactory.create_batch(4)
        rows = {
            fact: ConversionFactory.build(
                public_id=f"cnv_{fact.number}",
                kind=fact.kind,
                occurred_at=fact.at,
                amount_minor=fact.minor,
                customer=None if fact.customer is None else customers[fact.customer],
                deal_key=fact.deal,
                state="rejected" if fact.is_declined else "recorded",
            )
            for fact in self.facts
        }
        Conversion.objects.bulk_create(rows.values())
        for fact, row in rows.items():
            row.original = rows[fact.of] if fact.of else None
        Conversion.objects.bulk_update(rows.values(), ["original"])
        Credit.objects.bulk_create(
            CreditFactory.build(conversion=row, membership=member, occurred_at=fact.at, **more)
            for fact, row in rows.items()
            for member, more in self._credits(fact, members, stranger)
        )
        return members

    def _credits(
        self, fact: Fact, members: list[Membership], stranger: Membership
    ) -> Iterator[tuple[Membership, dict[str, object]]]:
        free = [each for each in range(3) if each not in dict(fact.shares)]
        if fact.number % 5 == 0:
            for member in members:  # corrected since
                yield member, {"superseded_at": BEGIN}
        for member, share in fact.shares:
            yield members[member], {"share": Decimal(share.numerator) / share.denominator}
        if free and fact.number % 3 == 0:
            yield members[free[0]], {"role": "assisted"}
        if fact.number % 7 == 0:
            yield stranger, {"role": "assisted"}


class ByHand:
    """The same figures, counted one fact after the other."""

    def __init__(self, facts: list[Fact], at: datetime) -> None:
        self.facts = [each for each in facts if not each.is_declined]
        self.at = at

    def figure(
        self, metric: str, who: int, since: datetime | None, until: datetime, before: datetime | None
    ) -> Fraction | None:
        mine = [each for each in self.facts if who in dict(each.shares)]
        inside = [each for each in mine if (since is None or each.at >= since) and each.at < until]
        sold = [each for each in inside if self.stands(each)]
        match metric:
            case "net_revenue":
                return Fraction(sum(self.own(each, who) for each in inside))
            case "sales":
                return Fraction(len(sold))
            case "average_order":
                return Fraction(sum(self.left(each, who) for each in sold), len(sold)) if sold else None
            case "qualified_leads":
                return Fraction(sum(each.kind == "qualified_lead" for each in inside))
            case "deals_won":
                return Fraction(len({each.deal for each in sold} - {""}))
            case "new_customers":
                return Fraction(sum(self.is_first(each, until) for each in sold))
        if before is None or since is None:
            return None
        earlier = [each for each in mine if self.stands(each) and before <= each.at < since]
        had = {each.customer for each in earlier} - {None}
        return Fraction(100 * len(had & {each.customer for each in sold}), len(had)) if had else None

    def stands(self, sale: Fact) -> bool:
        moves = [each for each in self.facts if each.of is sale and each.at < self.at]
        back = sum(each.minor if each.kind in BACK else -each.minor for each in moves)
        return sale.kind in SALES and not (moves and back >= sale.minor)

    def is_first(self, sale: Fact, until: datetime) -> bool:
        same = [
            each
            for each in self.facts
            if each.customer == sale.customer and each.at < until and self.stands(each)
        ]
        return sale.customer is not None and sale is min(same, key=lambda each: (each.at, each.number))

    def left(self, sale: Fact, who: int) -> int:
        moves = [each for each in self.facts if each.of is sale and each.at < self.at]
        return self.own(sale, who) + sum(self.own(each, who) for each in moves)

    def own(self, fact: Fact, who: int) -> int:
        """Whole minor units: everybody's part rounded down, what is left over to the largest remainders, the first of equals."""
        exact = [fact.minor * share for _member, share in fact.shares]
        parts = [int(each) for each in exact]
        by_remainder = sorted(range(len(exact)), key=lambda place: parts[place] - exact[place])
        for place in by_remainder[: fact.minor - sum(parts)]:
            parts[place] += 1
        part = dict(zip([member for member, _share in fact.shares], parts, strict=True))[who]
        return -part if fact.kind in BACK else part


def scheme_of(*questions: Question) -> Scheme:
    asks = tuple(
        Requirement(str(number), question, "at_least", Fraction(1))
        for number, question in enumerate(questions)
    )
    return Scheme(asks={"gold": Ask(asks)})


QUESTIONS = [Question(metric, window) for metric in OWN[:-1] for window in WINDOWS]


@pytest.mark.parametrize("seed", range(4))
def test_every_figure_is_what_counting_by_hand_gives_and_what_its_rows_add_up_to(seed: int) -> None:
    questions = [question for question in QUESTIONS if question.window in WINDOWS[seed % 2 :: 2]]
    history = History(seed)
    members = history.write()
    program = members[0].program
    group = metrics.Group(program, members[0].pk, members[-1].pk)
    at = datetime(2026, 5, 20, 12, tzinfo=UTC)
    figures_of = metrics.measure(group, scheme_of(*questions), at=at)
    by_hand = ByHand(history.facts, at)
    befores = {
        "trailing": datetime(2026, 1, 20, tzinfo=UTC),
        "month": datetime(2026, 3, 1, tzinfo=UTC),
        "quarter": datetime(2025, 10, 1, tzinfo=UTC),
        "ever": None,
    }
    for who, member in enumerate(members):
        figures = figures_of(member.pk)
        for question in questions:
            asked = metrics.asked(question, program, at=at)
            expected = by_hand.figure(
                question.metric, who, asked.since, asked.until, befores[question.window.kind]
            )
            found = figures[question.key]
            assert found.value == expected, question.key
            rows = metrics.rows_behind(member.pk, question, program, at=at)
            assert len(rows) == found.rows, question.key
            assert sum((row.value for row in rows), Fraction(0)) == (found.value or 0), question.key


def test_a_group_is_measured_without_its_neighbours_and_in_a_fixed_number_of_queries(
    django_assert_max_num_queries: object,
) -> None:
    members = History(9).write()
    program, at = members[0].program, datetime(2026, 5, 20, 12, tzinfo=UTC)
    scheme = scheme_of(*[question for question in QUESTIONS if question.window.kind == "trailing"])
    whole = metrics.measure(metrics.Group(program, members[0].pk, members[-1].pk), scheme, at=at)
    # One a figure, another two where a sale is split, two for the average order and what came back of it.
    with django_assert_max_num_queries(7 + 3 * 2 + 1):  # type: ignore[operator]
        alone = metrics.measure(metrics.Group(program, members[1].pk, members[1].pk), scheme, at=at)
    assert alone(members[1].pk) == whole(members[1].pk)
    assert (
        alone(members[0].pk)["sales/trailing:2"].value == 0 != whole(members[0].pk)["sales/trailing:2"].value
    )
    assert alone(members[0].pk)["average_order/trailing:2"].value is None
