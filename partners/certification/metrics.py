"""Count the certified people of partners and the courses they have completed. Figures are as of an instant: what was given, revoked or left
after it does not change them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery

from partners.choices import CredentialSource, CredentialState
from partners.metrics import Asked, EvidenceRow, Group, learn_metric
from partners.models import Credential, Lesson, LessonAttempt, Membership, Staff
from prm.lib.periods import local_day
from tiers.qualify import Figure, Question

if TYPE_CHECKING:
    from datetime import date

    from tiers.models import Program


def learn() -> None:
    """Let tiers ask for these figures."""
    learn_metric("certified_ratio", certified_ratio, rows=ratio_rows)
    learn_metric("certified_count", certified_count, rows=count_rows)
    learn_metric("trainings_completed", trainings_completed, rows=training_rows, begins=trainings_begin)


def certified_ratio(group: Group, asked: Asked) -> Mapping[int, Figure]:
    """Measure which share of each partner's people is certified, in percent; without people nobody can know."""
    heads = _heads(group, asked)
    return {
        membership: Figure(Fraction(100 * heads[partner][1], heads[partner][0]), heads[partner][0])
        for membership, partner in _places(group)
        if partner in heads
    }


def certified_count(group: Group, asked: Asked) -> Mapping[int, Figure]:
    """Count the certified people of each partner."""
    heads = _heads(group, asked)
    return {
        membership: Figure(Fraction(heads[partner][1]), heads[partner][1])
        for membership, partner in _places(group)
        if partner in heads
    }


def trainings_completed(group: Group, asked: Asked) -> Mapping[int, Figure]:
    """Count the courses people completed in the window: one for each person, course and round."""
    completed: dict[int, int] = {}
    within = _memberships(group).values("partner")
    for row in _completed(group.program, asked, within).values_list("staff__partner", flat=True):
        completed[row] = completed.get(row, 0) + 1
    return {
        membership: Figure(Fraction(completed[partner]), completed[partner])
        for membership, partner in _places(group)
        if partner in completed
    }


def ratio_rows(membership_id: int, asked: Asked) -> Iterator[EvidenceRow]:
    """Tell each person on the list: a part of the share with the credential that counts, nothing without one."""
    people = _people_behind(membership_id, asked)
    return (EvidenceRow(what, since, Fraction(100 * holds, len(people))) for what, since, holds in people)


def count_rows(membership_id: int, asked: Asked) -> Iterator[EvidenceRow]:
    """Tell the credentials that count, one for each person."""
    people = _people_behind(membership_id, asked)
    return (EvidenceRow(what, since, Fraction(1)) for what, since, holds in people if holds)


def _people_behind(membership_id: int, asked: Asked) -> list[tuple[str, datetime, bool]]:
    """Return for each person on the list the credential that counts, or who holds none, since when, and which of both it is."""
    membership = Membership.objects.select_related("program").get(pk=membership_id)
    counting = counting_credentials(membership.program, asked.question, at=asked.until)
    first = counting.filter(staff=OuterRef("pk")).order_by("given_at", "pk")
    people = on_list(asked.question, at=asked.until).filter(partner=membership.partner_id)
    told = people.annotate(
        credential=Subquery(first.values("public_id")[:1]), since=Subquery(first.values("given_at")[:1])
    )
    return [
        (each.credential, each.since, True) if each.credential else (each.public_id, each.added_at, False)
        for each in told
    ]


def training_rows(membership_id: int, asked: Asked) -> Iterator[EvidenceRow]:
    """Tell who completed which course when."""
    membership = Membership.objects.select_related("program").get(pk=membership_id)
    found: QuerySet[Any, Any] = _completed(membership.program, asked, [membership.partner_id])
    for row in found.values("staff__public_id", "lesson__course__public_id", "last"):
        what = f"{row['lesson__course__public_id']} {row['staff__public_id']}"
        yield EvidenceRow(what, row["last"], Fraction(1))


def trainings_begin(program: Program) -> datetime | None:
    """Return since when anybody learned anything in a program."""
    passed = LessonAttempt.objects.filter(lesson__course__certification__program=program, passed=True)
    first: datetime | None = passed.aggregate(first=Min("attempted_at"))["first"]
    return first


def on_list(question: Question, *, at: datetime) -> QuerySet[Staff]:
    """Return who is on a partner's list at an instant, of the roles and countries a question asks about."""
    people = Staff.objects.filter(Q(left_at=None) | Q(left_at__gt=at), added_at__lte=at)
    if roles := question.values("role"):
        people = people.filter(role__in=roles)
    if countries := question.values("country"):
        people = people.filter(country__in=countries)
    return people


def counting_credentials(program: Program, question: Question, *, at: datetime) -> QuerySet[Credential]:
    """Return the credentials of a program that count at an instant, whatever has become of them since."""
    found = credentials_as_of(program, at=at)
    keys = question.values("certification")
    return found.filter(certification__key__in=keys) if keys else found


def credentials_as_of(program: Program, *, at: datetime) -> QuerySet[Credential]:
    """Return the credentials of a program that were given, not revoked and not over at an instant."""
    day: date = local_day(at, program.zone)
    given = Q(source=CredentialSource.PROOF, decided_at__lte=at) | (
        ~Q(source=CredentialSource.PROOF) & Q(given_at__lte=at)
    )
    return Credential.objects.filter(
        given,
        Q(expires_on=None) | Q(expires_on__gt=day),
        Q(revoked_at=None) | Q(revoked_at__gt=at),
        certification__program=program,
        state__in=[CredentialState.VALID, CredentialState.REVOKED],
        earned_on__lte=day,
    )


def _memberships(group: Group) -> QuerySet[Membership]:
    return Membership.objects.filter(program=group.program, pk__gte=group.first, pk__lte=group.last)


def _places(group: Group) -> list[tuple[int, int]]:
    return list(_memberships(group).values_list("pk", "partner_id"))


def _heads(group: Group, asked: Asked) -> dict[int, tuple[int, int]]:
    """Return how many people each partner has on its list, and how many of them are certified, by partner."""
    counting = counting_credentials(group.program, asked.question, at=asked.until)
    people = on_list(asked.question, at=asked.until).filter(partner__in=_memberships(group).values("partner"))
    rows = (
        people.annotate(holds=Exists(counting.filter(staff=OuterRef("pk"))))
        .values("partner")
        .annotate(people=Count("pk"), certified=Count("pk", filter=Q(holds=True)))
        .order_by("partner")
    )
    return {row["partner"]: (row["people"], row["certified"]) for row in rows}


def _completed(program: Program, asked: Asked, partners: Any) -> QuerySet[LessonAttempt, Any]:
    """Return one row for each person, course and round whose last lesson was passed in the window."""
    here = Lesson.objects.filter(course=OuterRef("lesson__course"), removed_at=None)
    passed = LessonAttempt.objects.filter(
        passed=True,
        attempted_at__lt=asked.until,
        lesson__removed_at=None,
        lesson__course__certification__program=program,
        staff__partner__in=partners,
    )
    if courses := asked.values("course"):
        passed = passed.filter(lesson__course__public_id__in=courses)
    lessons = here.order_by().values("course").annotate(count=Count("pk")).values("count")
    found = (
        passed.values("staff", "lesson__course", "round")
        .annotate(done=Count("pk"), last=Max("attempted_at"), lessons=Subquery(lessons))
        .filter(done=F("lessons"))
    )
    return found.filter(last__gte=asked.since) if asked.since is not None else found
