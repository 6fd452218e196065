"""What the archive tells and an erasure removes of business plans. Days, goals and figures stay, because tiers were decided by them; what either
side wrote goes with the partner, and a person is taken out of what others wrote."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from partners.erasure import Case, learn_eraser
from partners.models import BusinessPlan, Checkpoint, Goal, GoalChange, PlanRemark
from partners.personal_data import Row, Subject, learn_section, rows
from prm.lib.scrubbing import ERASED, scrub_rows

if TYPE_CHECKING:
    from prm.accounts.models import User


def learn() -> None:
    """Name what is told and what is removed."""
    learn_section("partner-plans", _plans, covers=["partners.businessplan"])
    learn_section("partner-plan-goals", _goals, covers=["partners.goal"])
    learn_section("partner-plan-checkpoints", _checkpoints, covers=["partners.checkpoint"])
    learn_section("partner-plan-changes", _changes, covers=["partners.goalchange"])
    learn_section("partner-plan-remarks", _remarks, covers=["partners.planremark"])
    learn_eraser("business plans", erase, removes=removes)


def removes(case: Case) -> Iterator[str]:
    """Say what would go."""
    count = _of_partners(case).count()
    if count:
        text = ngettext(
            "What was written in %(n)s business plan",
            "What was written in %(n)s business plans",
            count,
        )
        yield text % {"n": count}


@transaction.atomic
def erase(case: Case, by: User, at: datetime) -> None:
    """Remove what says who somebody is from plans, remarks and notes."""
    gone = _of_partners(case)
    gone.update(title=ERASED, partner_does="", we_do="", outcome="")
    PlanRemark.objects.filter(plan__in=gone).update(text=ERASED)
    Checkpoint.objects.filter(plan__in=gone).update(note="")
    GoalChange.objects.filter(goal__plan__in=gone).update(because=ERASED)
    needles = case.needles
    scrub_rows(BusinessPlan.objects.all(), needles, "title", "partner_does", "we_do", "outcome")
    scrub_rows(PlanRemark.objects.all(), needles, "text")
    scrub_rows(Checkpoint.objects.all(), needles, "note")
    scrub_rows(GoalChange.objects.all(), needles, "because")


def _of_partners(case: Case) -> QuerySet[BusinessPlan]:
    return BusinessPlan.objects.filter(membership__partner__in=case.partner_ids)


def _shown(subject: Subject) -> QuerySet[BusinessPlan]:
    """Return the plans a partner was given; an outline nobody saw is a note of our own."""
    return BusinessPlan.objects.filter(membership__partner__in=subject.partners, proposed_at__isnull=False)


def _plans(subject: Subject) -> Iterator[Row]:
    same = (
        "title starts_on ends_on state partner_does we_do proposed_at agreed_at completed_at outcome figures"
    )
    return rows(
        _shown(subject),
        id="public_id",
        membership="membership__public_id",
        **{name: name for name in same.split()},
    )


def _goals(subject: Subject) -> Iterator[Row]:
    found = Goal.objects.filter(plan__in=_shown(subject))
    return rows(found, plan="plan__public_id", metric="metric", target="target", due_on="due_on")


def _checkpoints(subject: Subject) -> Iterator[Row]:
    found = Checkpoint.objects.filter(plan__in=_shown(subject))
    return rows(found, plan="plan__public_id", due_on="due_on", held_at="held_at", note="note")


def _changes(subject: Subject) -> Iterator[Row]:
    found = GoalChange.objects.filter(goal__plan__in=_shown(subject))
    same = "before after because proposed_at agreed_at declined_at"
    return rows(
        found,
        plan="goal__plan__public_id",
        metric="goal__metric",
        due_on="goal__due_on",
        **{name: name for name in same.split()},
    )


def _remarks(subject: Subject) -> Iterator[Row]:
    own = Q(said_by=subject.user) if subject.user is not None else Q(pk=None)
    found = PlanRemark.objects.filter(own | Q(plan__in=_shown(subject)))
    return rows(found, plan="plan__public_id", text="text", targets="targets", said_at="said_at")
