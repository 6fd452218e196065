"""A year of real sales, and tiers by the revenue of the last three months: each month of 2011 is reviewed in order, and everybody stands
where the file alone says. Who falls has three weeks; the figures are added up here from the file, in pence."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from django.db import transaction

from demo import dataset
from demo.dataset import LONDON
from partners.models import Membership, Placement, ReviewRound, TierReview
from partners.tier_reviews import decisions, grace, rounds
from prm.runs.progress import Reporter
from tests.journeys.test_the_real_year import house
from tests.people import ada
from tiers import qualify, scheme_lint, schemes
from tiers.models import Program, Tier
from tiers.qualify import Ask, Calendar, Cycle, Process, Question, Requirement, Scheme, Window

BEFORE = datetime(2010, 12, 31, 12, tzinfo=UTC)
BEGINS = datetime(2010, 12, 31, 18, tzinfo=UTC)
ASKED = {"silver": 2_500_00, "gold": 10_000_00}  # pence in three months
LADDER = ("registered", "silver", "gold")
GRACE_DAYS = 21
FALLS = (1, 4, 7, 10)  # the months in which falls are looked at too

# Who stood where, and since when; everything that moved in 2011.
Stood = dict[str, list[tuple[str, datetime]]]


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)


def three_months_before(day: date) -> date:
    month = day.year * 12 + day.month - 1 - 3
    return date(month // 12, month % 12 + 1, day.day)


@dataclass
class Oracle:
    """What the file says: pence by code and London day, refunds taken off."""

    sold: dict[str, dict[date, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))

    @classmethod
    def read(cls) -> Oracle:
        found = cls()
        for row in dataset.orders():
            if row["partner_code"]:
                pence = int(Decimal(row["amount"]) * 100)
                day = dataset.instant(row["occurred_at"]).astimezone(LONDON).date()
                found.sold[row["partner_code"]][day] += -pence if row["kind"] == "refund" else pence
        return found

    def reached(self, code: str, day: date) -> int:
        since = three_months_before(day)
        net = sum(pence for each, pence in self.sold[code].items() if since <= each < day)
        if net < ASKED["silver"]:
            return 0
        return 2 if net >= ASKED["gold"] else 1

    def year(self, start: dict[str, int]) -> Stood:
        """Walk through 2011: up at once, down one step three weeks later unless the figures are there again."""
        stands, moved = dict(start), defaultdict(list)
        for month in range(1, 13):
            day = date(2011, month, 1)
            falling = []
            for code in stands:
                reached = self.reached(code, day)
                if reached > stands[code]:
                    stands[code] = reached
                    moved[code].append((LADDER[reached], review_at(day)))
                elif reached < stands[code] and month in FALLS:
                    falling.append(code)
            over = day + timedelta(days=GRACE_DAYS + 1)
            for code in falling:
                if self.reached(code, over) < stands[code]:
                    stands[code] -= 1
                    moved[code].append((LADDER[stands[code]], midnight(over)))
        return dict(moved)


def review_at(day: date) -> datetime:
    return midnight(day) + timedelta(hours=3)


def publish(program: Program) -> None:
    question = Question("net_revenue", Window("trailing", 3))
    scheme = Scheme(
        asks={
            key: Ask((Requirement("revenue", question, "at_least", Fraction(pence)),))
            for key, pence in ASKED.items()
        },
        calendar=Calendar(Cycle("month", 1), Cycle("quarter", 1)),
        process=Process(
            grace_days=GRACE_DAYS,
            appeal_days=14,
            up="automatic",
            down="automatic",
            fall="one_step",
            protected_days=0,
        ),
    )
    row = schemes.draft(program, by=ada(), at=BEFORE)
    row = schemes.edit(row, qualify.dump(scheme), by=ada(), at=BEFORE)
    # The file begins in December: the first two windows reach further back, and that is meant.
    schemes.publish(row, effective_at=BEGINS, by=ada(), at=BEFORE, meant=[scheme_lint.WINDOWS])


def review_the_year(*, chunk: int, monkeypatch: pytest.MonkeyPatch) -> Stood:
    """Let the calendar run through 2011, with that many memberships at a time, and return who moved."""
    monkeypatch.setattr(rounds, "CHUNK", chunk)
    for month in range(1, 13):
        day = date(2011, month, 1)
        for row in rounds.open_due(at=review_at(day)):
            rounds.carry_out(row, Reporter(), at=review_at(day))
        over = midnight(day + timedelta(days=GRACE_DAYS + 1))
        grace.look_again(at=over)
        decisions.apply_due(at=over)
    moved: Stood = defaultdict(list)
    rows = Placement.objects.filter(starts_at__gte=BEGINS).order_by("starts_at")
    for code, tier, since in rows.values_list("membership__codes__code", "tier__key", "starts_at"):
        moved[code].append((tier, since))
    return dict(moved)


def without(moved: Stood, codes: set[str]) -> Stood:
    return {code: moves for code, moves in moved.items() if code not in codes}


@pytest.mark.django_db
@pytest.mark.needs_postgresql
def test_every_month_of_2011_is_reviewed_and_a_rerun_from_scratch_places_everybody_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = house()
    made.import_sales()
    for program in Program.objects.all():
        publish(program)
    start = {
        code: LADDER.index(tier)
        for code, tier in Placement.objects.in_force(at=BEGINS).values_list(
            "membership__codes__code", "tier__key"
        )
    }
    assert len(start) == Membership.objects.count() == 75
    # The demo moves one partner by hand in March; the file alone cannot say where that one stands.
    by_hand = set(
        Placement.objects.filter(starts_at__gt=BEGINS).values_list("membership__codes__code", flat=True)
    )
    assert len(by_hand) == 1
    expected = Oracle.read().year(start)
    # The file has both: partners who rise and partners who fall, also more than once.
    assert {tier for moves in expected.values() for tier, _since in moves} == set(LADDER)
    assert max(len(moves) for moves in expected.values()) > 2

    with transaction.atomic():
        first = review_the_year(chunk=2_000, monkeypatch=monkeypatch)
        transaction.set_rollback(True)
    assert not ReviewRound.objects.exists()
    again = review_the_year(chunk=7, monkeypatch=monkeypatch)
    assert first == again
    assert without(again, by_hand) == without(expected, by_hand)

    # Nothing is left to do: the same rounds once more write nothing.
    cases = TierReview.objects.count()
    for row in ReviewRound.objects.order_by("due_on"):
        rounds.carry_out(row, Reporter(), at=review_at(date(2012, 1, 1)))
    assert TierReview.objects.count() == cases == 75 * 12
    assert ReviewRound.objects.count() == 12 * Program.objects.count()
    # At each instant one tier: the intervals of each member follow one another without gap.
    for member in Membership.objects.all():
        rows = list(Placement.objects.filter(membership=member).order_by("starts_at"))
        assert rows[0].starts_at <= member.joined_at and rows[-1].ends_at is None
        assert all(one.ends_at == two.starts_at for one, two in pairwise(rows))
    assert Tier.objects.count() == 3 * Program.objects.count()
