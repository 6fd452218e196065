"""What an outline may hold, what it begins with, and which target is in force when. A yearly target of the tier is taken for the part of the
year the plan is for; what is counted as it stands is taken whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from partners.business_plans import refusals
from partners.business_plans.words import STANDING_METRICS, figure_text
from partners.models import Goal, GoalChange, Placement
from partners.models.business_plan import GOAL_METRICS
from prm.lib import l10n
from prm.lib.errors import Refused
from tiers.models import TierTarget
from tiers.qualify.windows import months_before
from tiers.targets import is_money

if TYPE_CHECKING:
    from partners.models import Membership

MOST_MINOR, MOST_COUNT = 10**12, 10**6
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class GoalLine:
    """One target as it is written down: money in minor units."""

    metric: str
    target: int
    due_on: date


@dataclass(frozen=True, slots=True)
class Outline:
    """Everything both sides are to agree on."""

    title: str
    starts_on: date
    ends_on: date
    partner_does: str = ""
    we_do: str = ""
    goals: Sequence[GoalLine] = field(default_factory=tuple)
    checkpoints: Sequence[date] = field(default_factory=tuple)


def faults(outline: Outline, currency: str) -> Iterator[Refused]:
    """Yield what is wrong with an outline, each with the field it is about: goal_0_target, checkpoint_2."""
    if not outline.title.strip() or len(outline.title) > refusals.LONGEST_TITLE:
        yield refusals.NoTitle()
    for name in ("partner_does", "we_do"):
        if len(getattr(outline, name)) > refusals.LONGEST_TEXT:
            yield refusals.TooLong(field=name)
    yield from _faults_of_period(outline.starts_on, outline.ends_on)
    if len(outline.goals) > refusals.MOST_GOALS or len(outline.checkpoints) > refusals.MOST_CHECKPOINTS:
        yield refusals.TooMany(
            params={"goals": refusals.MOST_GOALS, "checkpoints": refusals.MOST_CHECKPOINTS}
        )
    seen: set[tuple[str, date]] = set()
    for place, goal in enumerate(outline.goals):
        yield from _faults_of_goal(goal, f"goal_{place}", outline, currency)
        if (goal.metric, goal.due_on) in seen:
            yield refusals.Twice(field=f"goal_{place}_due_on")
        seen.add((goal.metric, goal.due_on))
    for place, day in enumerate(outline.checkpoints):
        if day in outline.checkpoints[:place]:
            yield refusals.SameDayTwice(field=f"checkpoint_{place}")
        elif not outline.starts_on <= day <= outline.ends_on:
            yield _outside(outline, f"checkpoint_{place}")


def faults_of_target(metric: str, target: int, name: str, currency: str) -> Iterator[Refused]:
    """Yield what is wrong with a target."""
    most = MOST_MINOR if is_money(metric) else MOST_COUNT
    if target <= 0:
        yield refusals.NotPositive(field=name)
    elif target > most:
        text = figure_text(metric, most, currency, l10n.active_locale())
        yield refusals.Absurd(field=name, params={"most": text})


def beginnings(membership: Membership, starts_on: date, ends_on: date, *, at: datetime) -> list[GoalLine]:
    """Return the goals a new outline begins with: the yearly targets of the tier the membership stands in, for the period.

    A target that rounds to nothing in a short period is left out.
    """
    tiers = Placement.objects.in_force(at=at).filter(membership=membership).values("tier")
    found = dict(TierTarget.objects.filter(tier__in=tiers).values_list("metric", "target"))
    share = years(starts_on, ends_on)
    lines = [
        GoalLine(
            metric, prorated(found[metric], Fraction(1) if metric in STANDING_METRICS else share), ends_on
        )
        for metric in GOAL_METRICS
        if metric in found
    ]
    return [line for line in lines if line.target > 0]


def years(starts_on: date, ends_on: date) -> Fraction:
    """Return how many years a period lasts: whole ones by the calendar, and of the last one its days by the days that year has."""
    after, count = ends_on + _ONE_DAY, 0
    while _anniversary(starts_on, count + 1) <= after:
        count += 1
    begins = _anniversary(starts_on, count)
    rest = Fraction((after - begins).days, (_anniversary(starts_on, count + 1) - begins).days)
    return count + rest


def prorated(target: int, share: Fraction) -> int:
    """Return the part of a yearly target, a half rounded up."""
    return (target * share + Fraction(1, 2)).__floor__()


def last_day_allowed(starts_on: date) -> date:
    """Return the last day a plan that begins on `starts_on` may end on."""
    return _anniversary(starts_on, refusals.LONGEST_YEARS) - _ONE_DAY


def with_targets(goals: QuerySet[Goal], *, at: datetime) -> QuerySet[Goal]:
    """Return goals with `target_in_force`: what was agreed last by `at`, and before any change what was agreed first."""
    agreed = GoalChange.objects.filter(goal=OuterRef("pk"), agreed_at__lte=at).order_by("-agreed_at", "-pk")
    return goals.annotate(target_in_force=Coalesce(Subquery(agreed.values("after")[:1]), F("target")))


def target_at(goal: Goal, *, at: datetime) -> int:
    """Return the target of a goal in force at an instant."""
    found = with_targets(Goal.objects.filter(pk=goal.pk), at=at).get()
    target: int = found.target_in_force  # type: ignore[attr-defined]  # an annotation
    return target


def _faults_of_period(starts_on: date, ends_on: date) -> Iterator[Refused]:
    first, last = refusals.YEARS
    if not (first <= starts_on.year <= last and first <= ends_on.year <= last):
        yield refusals.FarAway(params={"first": first, "last": last})
    elif ends_on <= starts_on:
        yield refusals.EndsTooEarly()
    elif ends_on > (latest := last_day_allowed(starts_on)):
        yield refusals.TooManyYears(params={"day": _day(latest)})


def _faults_of_goal(goal: GoalLine, name: str, outline: Outline, currency: str) -> Iterator[Refused]:
    if goal.metric not in GOAL_METRICS:
        yield refusals.UnknownGoal(field=f"{name}_metric")
    yield from faults_of_target(goal.metric, goal.target, f"{name}_target", currency)
    if not outline.starts_on <= goal.due_on <= outline.ends_on:
        yield _outside(outline, f"{name}_due_on")


def _outside(outline: Outline, name: str) -> Refused:
    params = {"first": _day(outline.starts_on), "last": _day(outline.ends_on)}
    return refusals.OutsidePeriod(field=name, params=dict(params))


def _anniversary(day: date, years: int) -> date:
    return months_before(day, -12 * years)


def _day(day: date) -> str:
    return l10n.date_text(day, l10n.active_locale())
