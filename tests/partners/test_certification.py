"""Courses are built and learned: what is refused, how quizzes are marked, when a credential comes about and how it is renewed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from partners.certification import awarding, courses, credentials, learning, lessons, quiz, reminders
from partners.certification.days import months_after
from partners.certification.staff import HasLeft
from partners.certification.texts import EnglishMissing
from partners.events import CredentialsChanged
from partners.models import Credential, LessonAttempt, Staff
from prm.accounts.policy import Forbidden
from prm.lib.events import subscribed
from prm.mail.models import OutgoingMail
from tests.certified import NOON, QUESTIONS, RIGHT, TWO_OF_THREE, open_school, question
from tests.factories.partners import MemberFactory, MembershipFactory
from tests.factories.tiering import CourseFactory, CredentialFactory, LessonFactory, StaffFactory
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db
WRONG = [[1], [0], [2]]


def test_what_a_course_cannot_be_is_refused_in_words() -> None:
    school = open_school()
    program, course = (
        school.program,
        courses.create_course(school.certification, title={"en": "More"}, by=mats(), at=NOON),
    )
    when: dict[str, Any] = {"by": mats(), "at": NOON}
    right: dict[str, Any] = {"key": "other", "name": {"en": "Other"}}
    for refusal, act in [
        (Forbidden, lambda: courses.create_certification(program, **right, by=fiona(), at=NOON)),
        (courses.BadKey, lambda: courses.create_certification(program, **{**right, "key": "No Go"}, **when)),
        (
            courses.KeyTaken,
            lambda: courses.create_certification(program, **{**right, "key": "sales-specialist"}, **when),
        ),
        (
            EnglishMissing,
            lambda: courses.create_certification(program, key="x", name={"fr": "Vente"}, **when),
        ),
        (courses.UnknownRole, lambda: courses.create_certification(program, **right, roles=["boss"], **when)),
        (courses.BadMonths, lambda: courses.create_certification(program, **right, valid_months=0, **when)),
        (
            courses.BadPassMark,
            lambda: courses.edit_course(course, title={"en": "More"}, pass_mark=101, **when),
        ),
        (courses.NothingToLearn, lambda: courses.open_course(course, **when)),
        (lessons.TextMissing, lambda: lessons.add(course, kind="text", title={"en": "A"}, **when)),
        (
            lessons.AddressMissing,
            lambda: lessons.add(course, kind="video", title={"en": "A"}, url="javascript:1", **when),
        ),
        (lessons.FileMissing, lambda: lessons.add(course, kind="file", title={"en": "A"}, **when)),
        (quiz.NoQuestions, lambda: lessons.add(course, kind="quiz", title={"en": "A"}, **when)),
        (
            quiz.BadQuestion,
            lambda: lessons.add(
                course, kind="quiz", title={"en": "A"}, questions=[question("Q", "a", "b")], **when
            ),
        ),
        (
            quiz.BadQuestion,
            lambda: lessons.add(
                course, kind="quiz", title={"en": "A"}, questions=[question("Q", "*a", "*b")], **when
            ),
        ),
        (lessons.LessonsFixed, lambda: lessons.remove(school.text, **when)),
        (courses.StateChanged, lambda: courses.open_course(school.course, **when)),
    ]:
        with pytest.raises(refusal):
            act()
    assert (course.lessons.count(), school.program.certifications.count()) == (0, 1)


def test_a_quiz_is_marked_in_whole_percent_rounded_down() -> None:
    marked = quiz.mark(QUESTIONS, TWO_OF_THREE)
    assert (marked.score, marked.wrong) == (66, [3])
    assert quiz.mark(QUESTIONS, RIGHT).score == 100
    for answers in ([[0], [1]], [[0], [1], []], [[0], [1], [3]], [[0], [1], [-1]], []):
        with pytest.raises(quiz.BadAnswers):
            quiz.mark(QUESTIONS, answers)


def test_the_last_lesson_gives_the_credential_and_the_pass_mark_is_enough(
    django_capture_on_commit_callbacks: Any,
) -> None:
    school = open_school(pass_mark=66)
    heard: list[CredentialsChanged] = []
    person = school.person()
    learning.finish(school.text, person, by=ana(), at=NOON)
    assert not Credential.objects.exists()
    with subscribed(CredentialsChanged, heard.append), django_capture_on_commit_callbacks(execute=True):
        attempt = learning.answer(school.quiz, person, TWO_OF_THREE, by=ana(), at=NOON)
    held = Credential.objects.get()
    assert heard == [CredentialsChanged(school.partner.pk)]
    assert (attempt.score, attempt.passed) == (66, True)
    # 31 January plus a month is 28 February: the first day it counts no more.
    assert (held.source, held.earned_on, held.expires_on) == ("course", date(2026, 1, 31), date(2026, 2, 28))
    assert OutgoingMail.objects.filter(kind="credential_earned", to="ana@studio.example").count() == 1


def test_one_percent_below_the_pass_mark_is_not_passed_and_three_tries_are_a_day() -> None:
    school = open_school(pass_mark=67)
    person = school.person()
    late = datetime(2026, 6, 30, 22, 0, tzinfo=UTC)  # 23:00 in London
    for tries_left in (2, 1, 0):
        assert not learning.answer(school.quiz, person, TWO_OF_THREE, by=ana(), at=late).passed
        assert learning.tries_left(school.quiz, person, at=late) == tries_left
    with pytest.raises(learning.NoTriesLeft):
        learning.answer(school.quiz, person, RIGHT, by=ana(), at=late + timedelta(minutes=59))
    # Midnight in London, not in Greenwich: 23:00 UTC is a new day.
    assert learning.answer(school.quiz, person, RIGHT, by=ana(), at=late + timedelta(hours=1)).passed


def test_what_is_refused_is_no_try() -> None:
    school = open_school()
    person = school.person()
    for refusal, act in [
        (quiz.BadAnswers, lambda: learning.answer(school.quiz, person, [[0]], by=ana(), at=NOON)),
        (
            learning.QuestionsChanged,
            lambda: learning.answer(school.quiz, person, RIGHT, by=ana(), at=NOON, seen="x"),
        ),
        (learning.IsNoQuiz, lambda: learning.answer(school.text, person, RIGHT, by=ana(), at=NOON)),
        (learning.IsQuiz, lambda: learning.finish(school.quiz, person, by=ana(), at=NOON)),
        (learning.NotYou, lambda: learning.finish(school.text, person, by=mats(), at=NOON)),
        (learning.NotOpen, lambda: learning.finish(LessonFactory.create(), person, by=ana(), at=NOON)),
    ]:
        with pytest.raises(refusal):
            act()
    seen = quiz.fingerprint(school.quiz.questions)
    assert learning.answer(school.quiz, person, WRONG, by=ana(), at=NOON, seen=seen).score == 0
    assert LessonAttempt.objects.count() == 1


def test_a_certification_for_some_roles_is_closed_to_others() -> None:
    school = open_school()
    person = school.person()
    courses.edit_certification(
        school.certification, name=school.certification.name, roles=["technical"], by=mats(), at=NOON
    )
    with pytest.raises(learning.OtherRole):
        learning.finish(school.text, person, by=ana(), at=NOON)


def test_a_passed_credential_is_renewed_by_learning_everything_again() -> None:
    school = open_school(valid_months=12)
    person = school.person()
    learn_all(school, NOON)
    first = Credential.objects.get()
    assert first.expires_on == date(2027, 1, 31)
    # 90 days before is 2 November 2026; the day before nothing can be earned again.
    early = datetime(2026, 11, 1, 12, tzinfo=UTC)
    with pytest.raises(learning.AlreadyPassed):
        learning.answer(school.quiz, person, RIGHT, by=ana(), at=early)
    learn_all(school, early + timedelta(days=1))
    second = Credential.objects.exclude(pk=first.pk).get()
    assert (second.earned_on, second.expires_on) == (date(2026, 11, 2), date(2027, 11, 2))
    assert LessonAttempt.objects.filter(passed=True).values_list("round", flat=True).count() == 4


def test_who_was_revoked_learns_again() -> None:
    school = open_school(valid_months=None)
    learn_all(school, NOON)
    held = Credential.objects.get()
    assert held.expires_on is None
    credentials.revoke(held, reason="The answers were bought.", by=mats(), at=NOON)
    learn_all(school, NOON + timedelta(hours=1))
    assert sorted(Credential.objects.values_list("state", flat=True)) == ["revoked", "valid"]


def test_a_course_that_is_closed_is_no_longer_asked_for() -> None:
    school = open_school()
    more = CourseFactory.create(certification=school.certification)
    LessonFactory.create(course=more)
    learn_all(school, NOON)
    assert not Credential.objects.exists()
    courses.close_course(more, by=mats(), at=NOON + timedelta(hours=2))
    assert Credential.objects.get().staff == school.person()
    assert awarding.sweep(at=NOON + timedelta(hours=3)) == 0


def test_who_learns_first_is_found_on_the_list_or_put_on_it() -> None:
    school = open_school()
    known = StaffFactory.create(partner=school.partner, email="ANA@studio.example", member=None)
    learning.finish_as_member(school.text, school.member, by=ana(), at=NOON)
    known.refresh_from_db()
    assert (known.member, Staff.objects.count()) == (school.member, 1)
    looker = MemberFactory.create(partner=school.partner, role="read_only")
    learning.finish_as_member(school.text, looker, by=looker.user, at=NOON)
    made = Staff.objects.get(member=looker)
    assert (made.role, made.country, made.added_by) == ("other", "United Kingdom", looker.user)


def test_who_left_or_stands_outside_the_program_learns_nothing() -> None:
    school = open_school()
    person = school.person()
    Staff.objects.filter(pk=person.pk).update(left_at=NOON, left_by=mats())
    with pytest.raises(HasLeft):
        learning.finish_as_member(school.text, school.member, by=ana(), at=NOON)
    elsewhere = MemberFactory.create(partner=MembershipFactory.create().partner)
    with pytest.raises(learning.NotOpen):
        learning.finish_as_member(school.text, elsewhere, by=elsewhere.user, at=NOON)
    # Nobody is put on the list by a refusal.
    assert not Staff.objects.filter(member=elsewhere).exists()


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 15), 13, date(2028, 1, 15)),
    ],
)
def test_the_same_day_some_months_later(day: date, months: int, later: date) -> None:
    assert months_after(day, months) == later


def test_reminders_go_out_once_each_also_after_a_missed_night() -> None:
    school = open_school()
    owner = MemberFactory.create(partner=school.partner)
    # Ends on 1 September: 60 days before is 3 July, 30 is 2 August, 7 is 25 August.
    held = CredentialFactory.create(
        certification=school.certification,
        staff=school.person(),
        earned_on=date(2025, 9, 1),
        expires_on=date(2026, 9, 1),
    )
    told = [
        reminders.remind(at=datetime(2026, month, day, 6, tzinfo=UTC))
        for month, day in [(7, 2), (7, 3), (7, 4), (8, 5), (8, 6), (8, 25), (8, 26), (9, 1)]
    ]
    # The night of 2 August was missed: the reminder of 30 days comes on the 5th.
    assert told == [0, 1, 0, 1, 0, 1, 0, 0]
    mine = OutgoingMail.objects.filter(kind="credential_lapses", to="ana@studio.example").order_by("pk")
    assert mine.count() == 3
    assert "27 days are left" in mine[1].text
    assert "31 August 2026" in mine[0].subject
    # Ana owns the team too, and is told as the person it is about.
    owners = OutgoingMail.objects.filter(kind="credentials_lapse").values_list("to", flat=True)
    assert list(owners) == [owner.user.email] * 3
    held.refresh_from_db()
    assert held.reminded_days == 7


def test_nobody_is_reminded_of_what_was_renewed_or_has_no_use() -> None:
    school = open_school()
    day = date(2026, 9, 1)

    def ending(**more: Any) -> Credential:
        given = {"certification": school.certification, "earned_on": date(2025, 9, 1), "expires_on": day}
        return CredentialFactory.create(**{**given, "staff__partner": school.partner, **more})

    renewed = ending()
    ending(staff=renewed.staff, earned_on=date(2026, 8, 1), expires_on=date(2027, 8, 1))
    ending(state="revoked", revoked_at=NOON, revoked_by=mats(), reason="No.")
    ending(staff__left_at=NOON, staff__left_by=mats())
    ending(staff__partner=MembershipFactory.create().partner)
    ending(earned_on=date(2026, 8, 20))  # it never held for as long as any reminder looks ahead
    at = datetime(2026, 8, 24, 6, tzinfo=UTC)
    assert reminders.remind(at=at) == 0
    ending()
    assert reminders.remind(at=at) == 1


def learn_all(school: Any, at: datetime) -> None:
    person = school.person()
    learning.finish(school.text, person, by=ana(), at=at)
    learning.answer(school.quiz, person, RIGHT, by=ana(), at=at)
