"""Put courses and lessons in another order. Order says what people read first and nothing about what counts, so it may change at any time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from partners.certification.courses import locked
from partners.models import Certification, Course, Lesson
from prm import audit
from prm.accounts import policy

if TYPE_CHECKING:
    from prm.accounts.models import User


@transaction.atomic
def move_course(course: Course, *, is_up: bool, by: User, at: datetime) -> Course:
    """Let a course change places with the one before it, or after it; the first stays first and the last stays last.

    Raises: Forbidden.
    """
    policy.require(by, "manage_courses")
    # The certification's row is the lock of its order.
    Certification.objects.select_for_update(of=("self",), no_key=True).get(pk=course.certification_id)
    rows = list(Course.objects.filter(certification=course.certification_id).order_by("position", "pk"))
    if _reorder(rows, course.pk, is_up=is_up):
        audit.record(by, "course.moved", course, at=at)
    course.refresh_from_db()
    return course


@transaction.atomic
def move_lesson(lesson: Lesson, *, is_up: bool, by: User, at: datetime) -> Lesson:
    """Let a lesson change places with the one before it, or after it; the first stays first and the last stays last.

    Raises: Forbidden.
    """
    policy.require(by, "manage_courses")
    locked(lesson.course)
    rows = list(Lesson.objects.filter(course=lesson.course_id, removed_at=None).order_by("position", "pk"))
    if _reorder(rows, lesson.pk, is_up=is_up):
        audit.record(by, "lesson.moved", lesson, at=at)
    lesson.refresh_from_db()
    return lesson


def _reorder(rows: list[Course] | list[Lesson], pk: int, *, is_up: bool) -> bool:
    """Change places and number anew from 1; say whether anything moved."""
    place = next((place for place, row in enumerate(rows) if row.pk == pk), None)
    if place is None:
        return False
    other = place - 1 if is_up else place + 1
    if not 0 <= other < len(rows):
        return False
    order = list(range(len(rows)))
    order[place], order[other] = order[other], order[place]
    for position, index in enumerate(order, start=1):
        row = rows[index]
        if row.position != position:
            row.position = position
            row.save(update_fields=["position"])
    return True
