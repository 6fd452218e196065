"""Live a year of tiers: reviews as the calendar opened them, moves a person or the calendar decided, and what waits today. The last look was
asked for by hand: rises wait for a decision, one partner is in its grace period, one appeals, one stands where a person put it."""

from __future__ import annotations

from datetime import datetime, timedelta

from demo import asked, planning, schooling
from demo.living import membership_of
from demo.people import ACCOUNT_MANAGER, ADMINISTRATOR, PARTNER_CODE
from partners import placement
from partners.choices import ReviewOutcome, ReviewState
from partners.models import TierReview
from partners.tier_reviews import appeals, decisions, grace, overrides, rounds, snapshots
from payouts import tier_outlooks
from prm.lib.periods import Month, local_day, months_between
from prm.runs.progress import Reporter
from referrals import points
from tiers.models import Program

IN_GRACE, APPEALS, BY_HAND = "UK-35", "UK-34", "UK-32"
LOOKED_AT = ("affiliates", "agencies", "distributors")
TOOK_OVER = ("UK-34", "UK-35", "DIST-SWITZERLAND")  # in silver by what they had with us before
BEFORE_THE_NEW_SCHEME = timedelta(days=130)
WHY_SILVER = "As in the contract they had with our predecessor"
WHY_AN_ADVISER = "Your readers ask you before they buy, and you train your own people for it."
APPEAL = (
    "Three of our four people sat the course in the week before the review, and only one certificate had come by then. Please count the "
    "others as well."
)


def prepare(program: Program, *, now: datetime) -> None:
    """Put up the ladder of advisers, and pay its highest rung, before sales are rated."""
    at = now - asked.ADVISERS_SINCE
    asked.add_advisers(program, at=at)
    asked.pay_more(program, at=at)


def fill(programs: dict[str, Program], *, now: datetime) -> int:
    """Let partners learn, do things with the house, plan and be reviewed; return how many were looked at."""
    schooling.teach(programs, now=now)
    asked.publish(programs, now=now)
    points.sweep(at=now)
    _Year(programs, now).live()
    schooling.work_together(now=now)
    _look_by_hand(programs, now=now)
    planning.fill(now=now)
    snapshots.take(list(programs.values()), Reporter(), at=now)
    tier_outlooks.refresh(at=now)
    return TierReview.objects.count()


class _Year:
    """The calendar's own rounds, up to `now`, with the decisions of the account manager and what was agreed between them."""

    def __init__(self, programs: dict[str, Program], now: datetime) -> None:
        self._zone, self._now = programs["affiliates"].zone, now
        self._agreed = [
            *((now - BEFORE_THE_NEW_SCHEME, code, "silver", WHY_SILVER) for code in TOOK_OVER),
            (now - asked.IN_FORCE_SINCE + timedelta(days=1), PARTNER_CODE, "specialist", WHY_AN_ADVISER),
        ]

    def live(self) -> None:
        """Hold the rounds of each month in order, and place between them whom somebody placed by hand."""
        first = Month.of(self._now - timedelta(days=365), self._zone)
        for month in months_between(first, Month.of(self._now, self._zone)):
            at = month.starts_at(self._zone) + timedelta(hours=3)
            self._agree(until=min(at, self._now))
            if at < self._now:
                self._first_of_month(at)
        self._agree(until=self._now)

    def _first_of_month(self, at: datetime) -> None:
        for row in rounds.open_due(at=at):
            rounds.carry_out(row, Reporter(), at=at)
        grace.look_again(at=at)
        decisions.apply_due(at=at)
        decided_at = at + timedelta(days=3, hours=8)
        if decided_at < self._now:
            for case in _rises():
                decisions.decide(case, by=ACCOUNT_MANAGER.user(), at=decided_at)

    def _agree(self, *, until: datetime) -> None:
        while self._agreed and self._agreed[0][0] <= until:
            at, code, key, because = self._agreed.pop(0)
            member = membership_of(code)
            tier = member.program.tiers.get(key=key)
            placement.place(member, tier=tier, by=ACCOUNT_MANAGER.user(), at=at, because=because)


def _look_by_hand(programs: dict[str, Program], *, now: datetime) -> None:
    """Ask for a look at three programs; of what it proposes most waits."""
    manager, held_at = ACCOUNT_MANAGER.user(), now - timedelta(days=12)
    for slug in LOOKED_AT:
        row = rounds.open_by_hand(programs[slug], by=ADMINISTRATOR.user(), at=held_at)
        rounds.carry_out(row, Reporter(), at=held_at)
    told_at = now - timedelta(days=8)
    for code in (IN_GRACE, APPEALS):
        decisions.notify(_case(code), by=manager, at=told_at)
    appeals.appeal(
        _case(APPEALS),
        text=APPEAL,
        by=schooling.owner_of(membership_of(APPEALS).partner),
        at=now - timedelta(days=2),
    )
    member = membership_of(BY_HAND)
    overrides.override(
        member,
        tier=member.program.tiers.get(key="gold"),
        reason="We open the spring range together, and the fair is theirs as much as ours.",
        until=local_day(now, member.program.zone) + timedelta(days=75),
        by=manager,
        at=now - timedelta(days=6),
    )


def _rises() -> list[TierReview]:
    rows = TierReview.objects.filter(state=ReviewState.PROPOSED, outcome=ReviewOutcome.UP)
    return list(rows.order_by("membership_id", "pk"))


def _case(code: str) -> TierReview:
    return TierReview.objects.open().get(membership=membership_of(code))
