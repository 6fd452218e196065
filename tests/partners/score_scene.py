"""A program with three tiers that ask for a score: 50 for silver, 80 for gold. Scores are entered as rows, so that a test says in one line
how a partner stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from partners.models import Membership, ReviewRound, StaffFigure, TierReview
from partners.tier_reviews import rounds
from prm.accounts.models import User
from prm.lib.periods import local_day
from prm.mail.models import OutgoingMail
from prm.runs.progress import Reporter
from tests.factories.partners import MemberFactory, MembershipFactory, PlacementFactory
from tests.factories.tiering import StaffFigureFactory, TierSchemeFactory
from tests.factories.tiers import ProgramFactory, TierFactory
from tests.people import mats
from tiers import qualify
from tiers.models import Program, Tier, TierScheme
from tiers.qualify import Ask, Calendar, Cycle, Process, Question, Requirement, Scheme

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
JOINED = datetime(2024, 3, 10, 9, tzinfo=UTC)
# 1 July in London begins an hour before midnight of Greenwich; the workers come by nineteen minutes later.
REVIEW_DAY = date(2026, 7, 1)
REVIEWED = datetime(2026, 6, 30, 23, 19, tzinfo=UTC)
CALENDAR = Calendar(promotion=Cycle("month", 1, 1), demotion=Cycle("half_year", 1, 1))
BY_ITSELF = {"up": "automatic", "down": "automatic"}


def at_least(score: int) -> Ask:
    return Ask((Requirement("score", Question("manual_score"), "at_least", Fraction(score)),))


@dataclass
class Scene:
    program: Program
    scheme: TierScheme
    tiers: dict[str, Tier]
    people: dict[int, User] = field(default_factory=dict)

    def member(self, tier: str, score: int | None = None, *, joined: datetime = JOINED) -> Membership:
        """Return a membership that stands in a tier since it joined, with an owner who reads mails."""
        made = MembershipFactory.create(
            program=self.program, joined_at=joined, partner__account_manager=mats()
        )
        PlacementFactory.create(membership=made, tier=self.tiers[tier])
        self.people[made.pk] = MemberFactory.create(partner=made.partner).user
        if score is not None:
            self.score(made, score)
        return made

    def owner(self, membership: Membership) -> User:
        return self.people[membership.pk]

    def score(self, membership: Membership, value: int, *, at: datetime = SINCE) -> StaffFigure:
        day = local_day(at, self.program.zone)
        return StaffFigureFactory.create(membership=membership, value=value, counted_on=day, entered_at=at)

    def review(self, *, at: datetime = REVIEWED) -> ReviewRound:
        """Open what is due and carry all of it out; return the last round."""
        rounds.open_due(at=at)
        row = ReviewRound.objects.filter(program=self.program).latest("due_on", "pk")
        rounds.carry_out(row, Reporter(), at=at)
        row.refresh_from_db()
        return row

    def case(self, membership: Membership) -> TierReview:
        """Return the newest case of a membership."""
        found = TierReview.objects.filter(membership=membership).select_related("round__scheme")
        return found.latest("pk")


def scene(
    *,
    calendar: Calendar = CALENDAR,
    since: datetime = SINCE,
    published_at: datetime | None = None,
    **process: Any,
) -> Scene:
    """Return the program; nobody is protected and a fall goes one step unless `process` says otherwise."""
    told = {"protected_days": 0, **process}
    program = ProgramFactory.create()
    names = ("bronze", "silver", "gold")
    tiers = {
        key: TierFactory.create(program=program, key=key, name=key.title(), rank=rank)
        for rank, key in enumerate(names, start=1)
    }
    scheme = Scheme(
        {"silver": at_least(50), "gold": at_least(80)}, calendar=calendar, process=Process(**told)
    )
    row = TierSchemeFactory.create(
        program=program,
        published=True,
        effective_at=since,
        published_at=published_at or since,
        definition=qualify.dump(scheme),
    )
    return Scene(program, row, tiers)


def tier_of(membership: Membership) -> str:
    """Return the tier a membership stands in by its open placement."""
    return membership.placements.get(ends_at=None).tier.key


def mails(kind: str = "") -> list[OutgoingMail]:
    rows = OutgoingMail.objects.filter(kind__startswith=kind or "tier_")
    return list(rows.order_by("pk"))


def moves(membership: Membership) -> list[tuple[str, datetime]]:
    """Return the placements after the first one."""
    rows = membership.placements.order_by("starts_at").values_list("tier__key", "starts_at")
    return list(rows)[1:]
