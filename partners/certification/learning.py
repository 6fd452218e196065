"""Let people learn: lessons are finished, quizzes answered, at most three times a day each. Whoever has passed everything a certification asks
has it in the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.certification import awarding, quiz
from partners.certification.staff import HasLeft, locked, of_member
from partners.choices import CourseState, LessonKind
from partners.models import Lesson, LessonAttempt, Member, Membership, Staff
from prm import audit
from prm.lib.errors import Refused
from prm.lib.periods import end_of_day_after, local_day, start_of_day

if TYPE_CHECKING:
    from prm.accounts.models import User

TRIES_A_DAY = 3


class NotYou(Refused):
    message = _("People learn for themselves: sign in as this person.")


class NotOpen(Refused):
    message = _("This course is not open to you.")


class OtherRole(Refused):
    message = _("This certification is for other roles. Ask whoever keeps the list of your people.")


class IsQuiz(Refused):
    message = _("Answer the questions to pass this lesson.")


class IsNoQuiz(Refused):
    message = _("This lesson has no questions.")


class AlreadyPassed(Refused):
    message = _("You have passed this lesson already.")


class NoTriesLeft(Refused):
    message = _("You have used the three tries of today. You can try again tomorrow.")


class QuestionsChanged(Refused):
    message = _("The questions have changed since you opened the page. Read them again.")


@transaction.atomic
def finish(lesson: Lesson, staff: Staff, *, by: User, at: datetime) -> LessonAttempt:
    """Note that somebody went through a lesson without questions; doing it twice notes it once.

    Raises: NotYou, HasLeft, NotOpen, OtherRole, IsQuiz.
    """
    lesson, person = _opened(lesson, staff, by)
    if lesson.kind == LessonKind.QUIZ:
        raise IsQuiz
    this = awarding.round_of(lesson.course.certification, person, at=at)
    known = LessonAttempt.objects.filter(lesson=lesson, staff=person, round=this.number, passed=True).first()
    if known is not None:
        return known
    attempt = LessonAttempt.objects.create(
        lesson=lesson, staff=person, round=this.number, attempted_at=at, passed=True
    )
    audit.record(by, "lesson.finished", lesson, at=at, staff=person, round=this.number)
    awarding.award(lesson.course.certification, person, at=at)
    return attempt


@transaction.atomic
def answer(
    lesson: Lesson,
    staff: Staff,
    answers: Sequence[Sequence[int]],
    *,
    by: User,
    at: datetime,
    seen: str | None = None,
) -> LessonAttempt:
    """Mark a try at a quiz: `answers` holds the places of the chosen choices of each question.

    `seen` is the fingerprint of the questions that were read, when there may be others by now. What is refused is no try.

    Raises: NotYou, HasLeft, NotOpen, OtherRole, IsNoQuiz, QuestionsChanged, BadAnswers, AlreadyPassed, NoTriesLeft.
    """
    lesson, person = _opened(lesson, staff, by)
    if lesson.kind != LessonKind.QUIZ:
        raise IsNoQuiz
    if seen is not None and seen != quiz.fingerprint(lesson.questions):
        raise QuestionsChanged
    marked = quiz.mark(lesson.questions, answers)
    certification = lesson.course.certification
    this = awarding.round_of(certification, person, at=at)
    tried = LessonAttempt.objects.filter(lesson=lesson, staff=person, round=this.number)
    if tried.filter(passed=True).exists():
        raise AlreadyPassed
    if not tries_left(lesson, person, at=at):
        raise NoTriesLeft
    attempt = LessonAttempt.objects.create(
        lesson=lesson,
        staff=person,
        round=this.number,
        attempted_at=at,
        score=marked.score,
        passed=marked.score >= lesson.course.pass_mark,
        answers=marked.answers,
    )
    audit.record(by, "quiz.answered", lesson, at=at, staff=person, score=marked.score, passed=attempt.passed)
    if attempt.passed:
        awarding.award(certification, person, at=at)
    return attempt


@transaction.atomic
def finish_as_member(lesson: Lesson, member: Member, *, by: User, at: datetime) -> LessonAttempt:
    """Finish a lesson as a team member, who is put on the list of the partner's people with the first one.

    Raises: what `finish` raises.
    """
    return finish(lesson, of_member(member, by=by, at=at), by=by, at=at)


@transaction.atomic
def answer_as_member(
    lesson: Lesson,
    member: Member,
    answers: Sequence[Sequence[int]],
    *,
    by: User,
    at: datetime,
    seen: str | None = None,
) -> LessonAttempt:
    """Answer a quiz as a team member, who is put on the list of the partner's people with the first one.

    Raises: what `answer` raises.
    """
    return answer(lesson, of_member(member, by=by, at=at), answers, by=by, at=at, seen=seen)


def tries_left(lesson: Lesson, staff: Staff, *, at: datetime) -> int:
    """Return how often somebody may try a quiz on the local day of the program that `at` lies in."""
    zone = lesson.course.certification.program.zone
    begins = start_of_day(local_day(at, zone), zone)
    today = LessonAttempt.objects.filter(
        lesson=lesson, staff=staff, attempted_at__gte=begins, attempted_at__lt=end_of_day_after(at, 0, zone)
    )
    return max(0, TRIES_A_DAY - today.count())


def is_for(roles: Sequence[str], role: str) -> bool:
    """Say whether a certification for `roles` is for somebody in a role; none named means everybody."""
    return not roles or role in roles


def _opened(lesson: Lesson, staff: Staff, by: User) -> tuple[Lesson, Staff]:
    """Return lesson and person as they are now, the person's row locked, when this person may take the lesson."""
    person = locked(staff)
    if person.member is None or person.member.user_id != by.pk or person.member.ended_at is not None:
        raise NotYou
    if person.left_at is not None:
        raise HasLeft
    row = Lesson.objects.select_related("course__certification__program").get(pk=lesson.pk)
    certification = row.course.certification
    is_open = row.removed_at is None and row.course.state == CourseState.OPEN
    if not is_open or certification.retired_at is not None:
        raise NotOpen
    here = Membership.objects.filter(partner=person.partner_id, program=certification.program, ended_at=None)
    if not here.exists():
        raise NotOpen
    if not is_for(certification.roles, person.role):
        raise OtherRole
    return row, person
