"""Any history of scores, moves by hand, decisions until a day, reviews and leaving, told again by a small model: at every instant of an
active membership it stands in exactly one tier, and in the one the model says."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from partners import leaving, placement
from partners.choices import SanctionReason
from partners.models import Membership, Placement
from partners.tier_reviews import decisions, grace, overrides
from prm.lib.periods import end_of_day_after, start_of_day
from prm.mail import outbox
from tests.partners.score_scene import BY_ITSELF, JOINED, Scene, scene
from tests.people import mats
from tiers.qualify import Calendar, Cycle

pytestmark = pytest.mark.django_db
TIERS = ("bronze", "silver", "gold")
GRACE = 20
BEGIN = date(2026, 1, 20)
DAYS = 80
# Rises are looked at on the first of each month, falls on that of every third.
CALENDAR = Calendar(promotion=Cycle("month", 1, 1), demotion=Cycle("quarter", 1, 2))


@dataclass
class Model:
    """One membership by the rules as a person would tell them."""

    row: Membership
    tier: int
    score: int
    spans: list[tuple[int, datetime]] = field(default_factory=list)
    grace_ends: datetime | None = None
    held_until: datetime | None = None
    ended_at: datetime | None = None

    @property
    def reached(self) -> int:
        return 2 if self.score >= 80 else 1 if self.score >= 50 else 0

    def move(self, tier: int, at: datetime) -> None:
        self.tier, self.grace_ends, self.held_until = tier, None, None
        self.spans.append((tier, at))

    def look(self, at: datetime, zone: object, *, falls: bool) -> None:
        if self.held_until is not None and self.held_until > at:
            return
        if self.reached > self.tier:
            self.move(self.reached, at)
        elif falls and self.reached < self.tier and self.grace_ends is None:
            self.grace_ends = end_of_day_after(at, GRACE, zone)  # type: ignore[arg-type]

    def night(self, day: date, at: datetime, zone: object) -> None:
        if self.ended_at is not None:
            return
        if day.day == 1:
            self.look(at, zone, falls=day.month in (2, 5, 8, 11))
        if self.held_until is not None and self.held_until <= at:
            self.held_until = None
            self.look(at, zone, falls=True)
        if self.grace_ends is not None and self.reached >= self.tier:
            self.grace_ends = None
        if self.grace_ends is not None and self.grace_ends <= at:
            self.move(self.tier - 1, at)


def act(here: Scene, dice: random.Random, each: Model, day: date, at: datetime) -> None:
    """Let something happen to one membership at noon, in the product and in the model."""
    what = dice.choice(["score", "score", "score", "place", "override", "leave", "nothing"])
    tier = dice.randrange(3)
    if each.ended_at is not None or what == "nothing" or (what == "leave" and dice.random() < 0.7):
        return
    if what == "score":
        each.score = dice.choice([0, 30, 49, 50, 79, 80, 95])
        here.score(each.row, each.score, at=at)
    elif what == "leave":
        leaving.ban(each.row, reason=SanctionReason.FRAUD, by=mats(), at=at)
        each.ended_at = at
    elif what == "place":
        if tier == each.tier:
            with pytest.raises(placement.AlreadyThere):
                placement.place(each.row, tier=here.tiers[TIERS[tier]], by=mats(), at=at, because="-")
            return
        placement.place(each.row, tier=here.tiers[TIERS[tier]], by=mats(), at=at, because="-")
        each.move(tier, at)
    else:
        until = day + timedelta(days=dice.randint(1, 40))
        overrides.override(each.row, tier=here.tiers[TIERS[tier]], reason="-", until=until, by=mats(), at=at)
        if tier != each.tier:
            each.move(tier, at)
        each.grace_ends = None
        each.held_until = start_of_day(until + timedelta(days=1), here.program.zone)


@pytest.mark.parametrize("seed", [11, 58])
def test_every_instant_has_exactly_one_tier(seed: int) -> None:
    dice = random.Random(seed)
    begin = datetime(2026, 1, 2, tzinfo=UTC)
    here = scene(calendar=CALENDAR, since=begin, grace_days=GRACE, **BY_ITSELF)
    zone = here.program.zone
    models = []
    for number in range(3):
        score = dice.choice([0, 60, 90])
        models.append(Model(here.member(TIERS[number], score), number, score, [(number, JOINED)]))
    with outbox.quiet():
        for number in range(DAYS):
            day = BEGIN + timedelta(days=number)
            night = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
            if day.day == 1:
                here.review(at=night)
            overrides.expire_due(at=night)
            grace.look_again(at=night)
            decisions.apply_due(at=night)
            for each in models:
                each.night(day, night, zone)
            act(here, dice, dice.choice(models), day, night + timedelta(hours=10))
    until = datetime(2026, 7, 1, tzinfo=UTC)
    for each in models:
        end = each.ended_at or until
        edges = [at for _tier, at in each.spans]
        probes = [at + timedelta(microseconds=step) for at in edges for step in (-1, 0, 1)]
        probes += [JOINED + (end - JOINED) * dice.random() for _once in range(10)]
        for probe in probes:
            if not JOINED <= probe < end:
                continue
            [found] = Placement.objects.in_force(at=probe).filter(membership=each.row)
            expected = [tier for tier, at in each.spans if at <= probe][-1]
            assert found.tier.key == TIERS[expected], (seed, probe)
        after = Placement.objects.in_force(at=end).filter(membership=each.row)
        assert after.count() == (1 if each.ended_at is None else 0)
    assert any(len(each.spans) > 2 for each in models)
