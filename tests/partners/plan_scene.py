"""A business plan for 2026 in a small house: Ana's team sells, Mats writes the plan. 36,500.00 of net revenue in 365 days are 100.00 a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from partners.business_plans import finding, plans, progress
from partners.business_plans.goals import GoalLine, Outline
from partners.business_plans.metrics import attainment, rows
from partners.metrics import Asked, Group
from partners.models import BusinessPlan, Goal, Membership
from prm.mail.models import OutgoingMail
from tests.house import House, open_house
from tests.people import ana, mats
from tiers.qualify import Question

JAN_2 = datetime(2026, 1, 2, 9, tzinfo=UTC)
APR_11 = datetime(2026, 4, 11, 12, tzinfo=UTC)  # 100 whole days of the year are over
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
MID = date(2026, 6, 30)
OUTLINE = Outline(
    title="Growing in 2026",
    starts_on=FIRST,
    ends_on=LAST,
    partner_does="Two fairs and a newsletter each month.",
    we_do="Samples for every fair.",
    goals=[GoalLine("net_revenue", 36_500_00, LAST), GoalLine("sales", 73, LAST)],
    checkpoints=[MID],
)


@dataclass
class Planned:
    """The house, its member and the plan at some state."""

    house: House
    membership: Membership
    plan: BusinessPlan

    def goal(self, metric: str = "net_revenue") -> Goal:
        return self.fresh().goals.get(metric=metric)

    def fresh(self) -> BusinessPlan:
        return finding.readable().get(pk=self.plan.pk)

    def agree(self, *, at: datetime = JAN_2) -> BusinessPlan:
        found = self.fresh()
        return plans.agree(found, shown=finding.fingerprint(found), by=ana(), at=at)


def outlined(*, at: datetime = JAN_2, house: House | None = None, **changed: Any) -> Planned:
    """Return an outline that was written out."""
    house = house or open_house()
    membership = house.members.get("ANA10") or house.member("ANA10", owner=ana())
    outline = replace(OUTLINE, **changed)
    plan = plans.draft(membership, title=outline.title, starts_on=FIRST, ends_on=LAST, by=mats(), at=at)
    return Planned(house, membership, plans.edit(plan, outline, by=mats(), at=at))


def proposed(*, at: datetime = JAN_2, **changed: Any) -> Planned:
    """Return a plan the partner is reading."""
    found = outlined(at=at, **changed)
    plans.propose(found.plan, by=mats(), at=at)
    return found


def agreed(*, at: datetime = JAN_2, **changed: Any) -> Planned:
    """Return a plan both sides agreed on."""
    found = proposed(at=at, **changed)
    found.agree(at=at)
    return found


def mailed(kind: str) -> list[str]:
    return sorted(OutgoingMail.objects.filter(kind=kind).values_list("to", flat=True))


def attained(found: Planned, *, at: datetime, goal: str = "") -> Fraction | None:
    params = (("goal", (goal,)),) if goal else ()
    asked = Asked(Question("plan_attainment", params=params), None, at)
    pk = found.membership.pk
    figure = attainment(Group(found.house.program, pk, pk), asked).get(pk)
    if figure is None:
        return None
    assert figure.value is not None
    assert sum((row.value for row in rows(pk, asked)), Fraction(0)) == figure.value
    return figure.value


def standing(found: Planned, *, at: datetime) -> dict[str, tuple[int | None, int, str]]:
    """Return for each goal what was reached, what was expected (both whole) and where it stands."""
    reached = progress.of_plan(found.fresh(), at=at)
    return {
        each.metric: (None if each.value is None else int(each.value), int(each.expected), each.stands.value)
        for each in reached.goals
    }
