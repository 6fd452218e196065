"""What the database refuses about certifications, people and credentials. Every name here is a constraint or a trigger that was seen to bite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, models, transaction

from partners.models import Certification, Course, Credential, Lesson, LessonAttempt, Staff
from tests.factories.partners import MemberFactory
from tests.factories.prm import UserFactory
from tests.factories.tiering import (
    CertificationFactory,
    CourseFactory,
    CredentialFactory,
    LessonAttemptFactory,
    LessonFactory,
    StaffFactory,
)
from tests.factories.tiers import EPOCH
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db


def same_key_twice() -> None:
    row = CertificationFactory.create()
    CertificationFactory.create(program=row.program, key=row.key)


def passed_twice() -> None:
    attempt = LessonAttemptFactory.create()
    LessonAttemptFactory.create(lesson=attempt.lesson, staff=attempt.staff)


def same_day_twice() -> None:
    held = CredentialFactory.create()
    CredentialFactory.create(certification=held.certification, staff=held.staff)


def revoked(**more: object) -> None:
    CredentialFactory.create(state="revoked", **more)


REFUSALS: list[tuple[str, type[models.Model], Callable[[], object]]] = [
    ("partners_certification_one_per_key", Certification, same_key_twice),
    (
        "partners_certification_retired_pair",
        Certification,
        lambda: CertificationFactory.create(retired_at=EPOCH),
    ),
    (
        "partners_certification_valid_for_a_while",
        Certification,
        lambda: CertificationFactory.create(valid_months=0),
    ),
    ("partners_course_state", Course, lambda: CourseFactory.create(state="begun")),
    ("partners_course_pass_mark", Course, lambda: CourseFactory.create(pass_mark=101)),
    ("partners_lesson_kind", Lesson, lambda: LessonFactory.create(kind="song")),
    ("partners_staff_role", Staff, lambda: StaffFactory.create(role="boss")),
    (
        "partners_staff_leaves_later",
        Staff,
        lambda: StaffFactory.create(left_at=EPOCH, left_by=UserFactory()),
    ),
    (
        "partners_staff_left_pair",
        Staff,
        lambda: StaffFactory.create(left_at=EPOCH + timedelta(days=1)),
    ),
    ("partners_lessonattempt_passed_once", LessonAttempt, passed_twice),
    ("partners_lessonattempt_score", LessonAttempt, lambda: LessonAttemptFactory.create(score=101)),
    ("partners_credential_state", Credential, lambda: CredentialFactory.create(state="lost")),
    ("partners_credential_source", Credential, lambda: CredentialFactory.create(source="bought")),
    ("partners_credential_once_a_day", Credential, same_day_twice),
    (
        "partners_credential_expires_later",
        Credential,
        lambda: CredentialFactory.create(expires_on=CredentialFactory.build().earned_on),
    ),
    (
        "partners_credential_revoked_pair",
        Credential,
        lambda: CredentialFactory.create(revoked_by=UserFactory()),
    ),
    (
        "partners_credential_revoked_with_a_reason",
        Credential,
        lambda: revoked(revoked_at=EPOCH, revoked_by=UserFactory()),
    ),
]


@pytest.mark.parametrize(("name", "model", "act"), REFUSALS, ids=[name for name, *_rest in REFUSALS])
def test_the_database_refuses(name: str, model: type[models.Model], act: Callable[[], object]) -> None:
    assert_refused(name, model, act)


def test_a_lesson_is_passed_again_in_the_next_round_and_failed_any_number_of_times() -> None:
    attempt = LessonAttemptFactory.create()
    same = {"lesson": attempt.lesson, "staff": attempt.staff}
    LessonAttemptFactory.create(**same, round=2)
    LessonAttemptFactory.create_batch(2, **same, passed=False, score=0)
    assert LessonAttempt.objects.count() == 4


def test_a_member_is_one_person_on_the_list() -> None:
    member = MemberFactory.create()
    StaffFactory.create(partner=member.partner, member=member)
    with pytest.raises(IntegrityError, match="member_id"), transaction.atomic():
        StaffFactory.create(partner=member.partner, member=member)


def test_a_credential_never_changes_hands_and_is_never_deleted() -> None:
    held = CredentialFactory.create()
    rows = Credential.objects.filter(pk=held.pk)
    for change in (
        {"staff": StaffFactory.create()},
        {"certification": CertificationFactory.create()},
        {"source": "granted"},
        {"given_at": EPOCH + timedelta(days=1)},
        {"given_by": UserFactory()},
    ):
        with pytest.raises(DatabaseError, match="A credential cannot change hands"), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError, match="Credentials are never deleted"), transaction.atomic():
        rows.delete()
    rows.update(reminded_days=30)
    assert rows.get().reminded_days == 30
