"""What tiers ask about certified people, counted by hand and by a second way of counting; and what shares fall to."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from django.db import connection

from partners import metrics
from partners.certification import forecast
from partners.metrics import Group
from partners.models import Credential, Membership, Staff
from tests.factories.partners import MembershipFactory, PartnerFactory
from tests.factories.tiering import (
    CertificationFactory,
    CourseFactory,
    CredentialFactory,
    LessonAttemptFactory,
    LessonFactory,
    StaffFactory,
)
from tests.people import mats
from tiers.qualify import Question, Requirement, Scheme, Window
from tiers.qualify.scheme import AT_LEAST, Ask

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 15, 0, tzinfo=UTC)
RATIO, COUNT = Question("certified_ratio"), Question("certified_count")


def measured(question: Question, *memberships: Membership, at: datetime = AT) -> list[Fraction | None]:
    """Return a figure for each membership, measured in one group."""
    pks = [each.pk for each in memberships]
    group = Group(memberships[0].program, min(pks), max(pks))
    scheme = Scheme(asks={"gold": Ask((Requirement("r", question, AT_LEAST, Fraction(1)),))})
    of = metrics.measure(group, scheme, at=at)
    return [of(pk)[question.key].value for pk in pks]


def asking(question: Question, **params: str) -> Question:
    return Question(
        question.metric, question.window, tuple(sorted((name, (value,)) for name, value in params.items()))
    )


def test_seventeen_of_twenty_three_are_not_three_quarters() -> None:
    membership = MembershipFactory.create()
    certification = CertificationFactory.create(program=membership.program)
    people = StaffFactory.create_batch(23, partner=membership.partner)
    for each in people[:17]:
        CredentialFactory.create(staff=each, certification=certification)
    assert measured(RATIO, membership) == [Fraction(1700, 23)]
    assert measured(COUNT, membership) == [Fraction(17)]
    rows = metrics.rows_behind(membership.pk, RATIO, membership.program, at=AT)
    # Each person is a part of the share, so the rows come to the figure.
    assert (len(rows), sum(row.value for row in rows)) == (23, Fraction(1700, 23))
    counted = metrics.rows_behind(membership.pk, COUNT, membership.program, at=AT)
    assert (len(counted), sum(row.value for row in counted)) == (17, 17)


def test_nobody_on_the_list_is_no_share_and_a_count_of_none() -> None:
    membership = MembershipFactory.create()
    assert (measured(RATIO, membership), measured(COUNT, membership)) == ([None], [Fraction(0)])


def test_a_person_counts_once_and_by_any_certification_that_is_named() -> None:
    membership = MembershipFactory.create()
    sales, skills = CertificationFactory.create_batch(2, program=membership.program)
    both, one, foreign = StaffFactory.create_batch(3, partner=membership.partner)
    CredentialFactory.create(staff=both, certification=sales)
    CredentialFactory.create(staff=both, certification=skills)
    CredentialFactory.create(staff=one, certification=skills)
    CredentialFactory.create(staff=foreign)  # of another program
    assert measured(COUNT, membership) == [Fraction(2)]
    assert measured(asking(COUNT, certification=sales.key), membership) == [Fraction(1)]
    two = Question("certified_ratio", params=(("certification", tuple(sorted((sales.key, skills.key)))),))
    assert measured(two, membership) == [Fraction(200, 3)]


def test_shares_are_narrowed_by_role_and_country() -> None:
    membership = MembershipFactory.create()
    certification = CertificationFactory.create(program=membership.program)
    for role, country, holds in [
        ("sales", "France", True),
        ("sales", "Poland", False),
        ("technical", "France", False),
        ("technical", "France", True),
    ]:
        person = StaffFactory.create(partner=membership.partner, role=role, country=country)
        if holds:
            CredentialFactory.create(staff=person, certification=certification)
    assert measured(asking(RATIO, role="sales"), membership) == [Fraction(50)]
    assert measured(asking(RATIO, country="France"), membership) == [Fraction(200, 3)]
    assert measured(asking(RATIO, country="France", role="sales"), membership) == [Fraction(100)]
    assert measured(asking(RATIO, role="support"), membership) == [None]


def test_figures_are_as_of_the_instant_whatever_came_after() -> None:
    membership = MembershipFactory.create()
    certification = CertificationFactory.create(program=membership.program)
    before, after = AT - timedelta(days=10), AT + timedelta(hours=1)

    def person(**more: object) -> Staff:
        return StaffFactory.create(partner=membership.partner, **{"added_at": before, **more})

    def holds(staff: Staff, **more: object) -> None:
        given = {"earned_on": before.date(), "expires_on": None, "given_at": before}
        CredentialFactory.create(staff=staff, certification=certification, **{**given, **more})

    revoked = {"state": "revoked", "revoked_by": mats(), "reason": "No."}
    holds(person(left_at=after, left_by=mats()))  # counts: left later
    holds(person(), revoked_at=after, **revoked)  # counts: revoked later
    holds(person(), expires_on=AT.date() + timedelta(days=1))  # counts: its last day
    holds(person(), expires_on=AT.date())  # not: this is the first day it counts no more
    holds(person(), revoked_at=before, **revoked)  # not
    holds(person(), given_at=after)  # not yet
    holds(person(), source="proof", decided_at=after)  # not yet: checked later
    holds(person(), state="waiting", source="proof")  # not yet
    person(added_at=after)  # not on the list yet
    holds(person(left_at=AT, left_by=mats()))  # no longer on the list
    assert (measured(COUNT, membership), measured(RATIO, membership)) == ([3], [Fraction(300, 8)])


def test_many_partners_at_once_come_to_the_same_as_one_by_one(django_assert_num_queries: object) -> None:
    chance = random.Random(7)
    program = MembershipFactory.create().program
    certification = CertificationFactory.create(program=program)
    memberships = MembershipFactory.create_batch(5, program=program)
    # One partner whose first membership has ended counts for both.
    twice = MembershipFactory.create(
        program=program, partner=memberships[0].partner, state="ended", ended_at=AT - timedelta(days=400)
    )
    for membership in memberships[:4]:
        for _each in range(chance.randint(1, 6)):
            person = StaffFactory.create(partner=membership.partner)
            if chance.random() < 0.6:
                CredentialFactory.create(
                    staff=person,
                    certification=certification,
                    expires_on=AT.date() + timedelta(days=chance.choice([-3, 0, 1, 90])),
                )
    every = [*memberships, twice]
    expected = []
    for membership in every:
        people = list(Staff.objects.filter(partner=membership.partner))
        valid = Credential.objects.valid(on=AT.date())
        certified = [each for each in people if valid.filter(staff=each).exists()]
        expected.append(Fraction(100 * len(certified), len(people)) if people else None)
    planned = connection.vendor == "postgresql"  # told to plan for many
    with django_assert_num_queries(2 + planned):  # type: ignore[operator]
        found = measured(RATIO, *every)
    assert found == expected


def test_courses_completed_in_the_window_are_counted_for_each_person_and_round() -> None:
    membership = MembershipFactory.create()
    course = CourseFactory.create(certification__program=membership.program)
    first, second = LessonFactory.create_batch(2, course=course)
    LessonFactory.create(course=course, removed_at=AT)
    anna, ben, cara = StaffFactory.create_batch(3, partner=membership.partner)

    def passed(lesson: object, person: Staff, at: datetime, number: int = 1) -> None:
        LessonAttemptFactory.create(lesson=lesson, staff=person, attempted_at=at, round=number)

    inside, long_ago = AT - timedelta(days=5), AT - timedelta(days=100)
    passed(first, anna, long_ago)
    passed(second, anna, inside)  # completed in the window
    passed(first, anna, inside, 2)
    passed(second, anna, inside, 2)  # and again, for the renewal
    passed(first, ben, inside)  # half of it
    passed(first, cara, long_ago)
    passed(second, cara, long_ago)  # before the window
    trailing = Question("trainings_completed", Window("trailing", 3))
    assert measured(trailing, membership) == [Fraction(2)]
    ever = Question("trainings_completed", Window("ever"), (("course", (course.public_id,)),))
    assert measured(ever, membership) == [Fraction(3)]
    # Counted is what happened before the instant.
    assert measured(ever, membership, at=inside) == [Fraction(1)]
    rows = metrics.rows_behind(membership.pk, trailing, membership.program, at=AT)
    assert [row.what for row in rows] == [f"{course.public_id} {anna.public_id}"] * 2
    assert metrics.begins(trailing, membership.program) == long_ago


def test_in_43_days_you_fall_to_76_percent() -> None:
    membership = MembershipFactory.create()
    certification = CertificationFactory.create(program=membership.program)
    people = StaffFactory.create_batch(25, partner=membership.partner)
    ends = [date(2026, 7, 28)] * 2 + [date(2026, 12, 1)] + [None] * 18
    for person, end in zip(people, ends, strict=False):
        CredentialFactory.create(staff=person, certification=certification, expires_on=end)
    # One of the two holds another one for longer and does not lapse with the first.
    CredentialFactory.create(
        staff=people[0], certification=certification, earned_on=date(2026, 5, 1), expires_on=date(2027, 5, 1)
    )
    steps = forecast.lapses(membership.partner, RATIO, at=AT)
    # 21 of 25 now; 20 from 28 July on, 19 from 1 December, 18 from 1 May.
    assert [(step.on, step.ratio) for step in steps] == [
        (date(2026, 7, 28), Fraction(80)),
        (date(2026, 12, 1), Fraction(76)),
        (date(2027, 5, 1), Fraction(72)),
    ]
    fall = forecast.first_below(steps, Fraction(80))
    assert fall is not None
    assert forecast.sentence(fall, date(2026, 10, 19), "en_GB") == "In 43 days you fall to 76%."
    assert forecast.lapses(PartnerFactory.create(), RATIO, at=AT) == []
