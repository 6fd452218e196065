"""A house with a ladder of three tiers that ask for net revenue, and partners who stand above, below and where they belong. Figures come from
real sales; rounds and nights run by the product's own verbs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from django.db.models import F

from partners.models import Member, Membership, Placement, ReviewRound, TierReview
from partners.tier_reviews import rounds, snapshots
from prm.accounts.models import User
from prm.runs.progress import Reporter
from tests.factories.prm import UserFactory
from tests.factories.tiering import TierSchemeFactory
from tests.factories.tiers import TierFactory
from tests.house import START, House, open_house
from tests.people import ada, mats
from tiers import qualify
from tiers.models import Tier, TierScheme
from tiers.qualify import scheme as parts

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATELY = NOW - timedelta(days=20)
SILVER_FROM, GOLD_FROM = 1_000_00, 5_000_00


def revenue(minor: int, months: int = 3) -> parts.Ask:
    """Return an ask for net revenue of the last months."""
    question = parts.Question("net_revenue", parts.Window(parts.TRAILING, months))
    return parts.Ask((parts.Requirement("revenue", question, parts.AT_LEAST, Fraction(minor)),))


def a_scheme(silver: int = SILVER_FROM, gold: int = GOLD_FROM, **process: Any) -> qualify.Scheme:
    """Return a scheme in which nobody is protected, and a person decides on everything."""
    chosen = {"protected_days": 0, "grace_days": 60, "appeal_days": 14, **process}
    return parts.Scheme(
        asks={"silver": revenue(silver), "gold": revenue(gold)},
        process=parts.Process(**chosen),
    )


@dataclass
class Ladder:
    """The house with its tiers and the version that is in force."""

    house: House
    start: Tier
    silver: Tier
    gold: Tier
    scheme: TierScheme
    members: dict[str, Membership] = field(default_factory=dict)

    def member(self, name: str, tier: Tier, sold: str = "", *, manager: User | None = None) -> Membership:
        """Add a partner who stands in a tier since the house opened and sold for so much lately."""
        member = self.house.member(name)
        owner = UserFactory.create(email=f"{name.lower()}@owner.example", full_name=f"Owner {name}")
        Member.objects.create(partner=member.partner, user=owner, role="owner", joined_at=START)
        if manager is not None:
            member.partner.account_manager = manager
            member.partner.save(update_fields=["account_manager"])
        if tier.pk != self.start.pk:
            stand(member, tier)
        if sold:
            self.house.sale(f"order-{name}", sold, name, LATELY)
        self.members[name] = member
        return member

    def night(self, at: datetime = NOW) -> None:
        """Take the figures of the night."""
        snapshots.take([self.house.program], Reporter(None), at=at)

    def review(self, at: datetime = NOW) -> ReviewRound:
        """Open a round by hand and carry it out."""
        row = rounds.open_by_hand(self.house.program, by=mats(), at=at)
        rounds.carry_out(row, Reporter(None), at=at)
        return row

    def case(self, name: str) -> TierReview:
        """Return the newest case of a partner."""
        return TierReview.objects.filter(membership=self.members[name]).latest("pk")


def a_ladder(**process: Any) -> Ladder:
    """Open the house: start 10 %, silver and gold above it, gold with room for one."""
    house = open_house()
    program = house.program
    house.tier.name, house.tier.colour = "Start", "slate"
    house.tier.save(update_fields=["name", "colour"])
    silver = TierFactory.create(program=program, key="silver", name="Silver", rank=2, colour="silver")
    gold = TierFactory.create(program=program, key="gold", name="Gold", rank=3, colour="gold", capacity=1)
    scheme = TierSchemeFactory.create(
        published=True, program=program, definition=qualify.dump(a_scheme(**process)), published_by=ada()
    )
    return Ladder(house, house.tier, silver, gold, scheme)


def the_cast(ladder: Ladder) -> None:
    """Add one who rises to silver, one who rises to gold, one who falls from silver, one who stays."""
    ladder.member("RISER", ladder.start, "1500.00", manager=mats())
    ladder.member("STAR", ladder.silver, "6000.00")
    ladder.member("FALLER", ladder.silver, "400.00")
    ladder.member("STEADY", ladder.silver, "1200.00")


def stand(member: Membership, tier: Tier) -> None:
    """Let a membership stand in a tier from the day after it joined."""
    moment = member.joined_at + timedelta(days=1)
    Placement.objects.filter(membership=member, ends_at=None).update(
        ends_at=F("starts_at") + timedelta(days=1)
    )
    Placement.objects.create(
        membership=member, tier=tier, starts_at=moment, because="test", placed_at=moment, placed_by=ada()
    )
