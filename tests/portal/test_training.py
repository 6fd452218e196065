"""The training rooms: learning from the first lesson to the credential, and everything that is not for the person who asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from partners.certification import courses, lessons, quiz
from partners.models import Course, Credential, Lesson, LessonAttempt, Member, Staff
from tests.certified import NOON, PDF, School, open_school
from tests.desk import links, words
from tests.factories.partners import MembershipFactory
from tests.factories.tiering import CredentialFactory, LessonAttemptFactory, LessonFactory, StaffFactory
from tests.pages import submit, went_on
from tests.people import ana, mats

pytestmark = pytest.mark.django_db


@pytest.fixture
def school() -> School:
    return open_school(valid_months=12, pass_mark=80)


@pytest.fixture
def client(school: School) -> Client:
    client = Client()
    client.force_login(ana())
    return client


def of(lesson: Lesson) -> str:
    return f"/portal/training/lessons/{lesson.public_id}/"


def test_somebody_learns_from_the_first_lesson_to_the_credential(school: School, client: Client) -> None:
    page = client.get("/portal/training/")
    assert ("Not begun" in words(page), "0 of 2 lessons" in words(page)) == (True, True)
    text = client.get(of(school.text))
    assert "you are put on the list of your people (as: Management)" in words(text)
    assert went_on(submit(client, of(school.text))) == of(school.quiz)
    assert Staff.objects.get().member == school.member
    result = client.get(went_on(submit(client, of(school.quiz), {"q0": "0", "q1": "0", "q2": ["0", "2"]})))
    said = words(result)
    assert ("33% right" in said, "1 of 3 questions" in said, "2 tries left" in said) == (True, True, True)
    assert "Question 3: Which are gifts?" in said
    # Which choice would have been right is not said.
    assert not {"Lights", "Candles", "Kites"} & set(said.split())
    passed = went_on(submit(client, of(school.quiz), {"q0": "0", "q1": "1", "q2": ["0", "1"]}))
    assert "You are certified: Sales specialist." in words(client.get(passed))
    page = client.get("/portal/training/")
    assert "Certified until" in words(page)
    assert f"/credentials/{Credential.objects.get().public_id}/" in links(page)
    assert "You have passed this lesson." in words(client.get(of(school.quiz)))


def test_answers_that_are_missing_or_of_another_quiz_are_no_try(school: School, client: Client) -> None:
    seen = quiz.fingerprint(school.quiz.questions)
    for given in (
        {},
        {"q0": "0", "q1": "1"},
        {"q0": "7", "q1": "1", "q2": "0", "seen": seen},
        {"q0": ["0", "-1"], "q1": "x" * 5000, "q2": "\x00", "seen": seen},
    ):
        answer = client.post(of(school.quiz), given)
        assert (answer.status_code, "Error:" in words(answer)) == (422, True), given
    for stale in ("of another quiz", ""):
        answer = client.post(of(school.quiz), {"q0": "0", "q1": "1", "q2": "0", "q3": "0", "seen": stale})
        assert (answer.status_code, "Read them again" in words(answer)) == (422, True)
        # The page asks the questions of now, and takes the next answers for these.
        assert seen in answer.content.decode()
    assert not LessonAttempt.objects.exists()
    assert not Staff.objects.exists()


def test_after_three_tries_the_form_is_gone_until_tomorrow(school: School, client: Client) -> None:
    LessonAttemptFactory.create_batch(
        3, lesson=school.quiz, staff=school.person(), passed=False, score=0, attempted_at=timezone.now()
    )
    page = client.get(of(school.quiz))
    assert ("You can try again tomorrow" in words(page), b'name="q0"' in page.content) == (True, False)
    given = {"q0": "0", "q1": "1", "q2": ["0", "1"], "seen": quiz.fingerprint(school.quiz.questions)}
    assert client.post(of(school.quiz), given).status_code == 422


def test_lessons_courses_and_tries_of_others_are_not_found(school: School, client: Client) -> None:
    foreign = LessonFactory.create()
    draft = courses.create_course(school.certification, title={"en": "Later"}, by=mats(), at=NOON)
    hidden = lessons.add(draft, kind="text", title={"en": "A"}, body={"en": "B"}, by=mats(), at=NOON)
    theirs = LessonAttemptFactory.create(
        lesson=school.quiz, staff=StaffFactory.create(partner=school.partner), score=50, passed=False
    )
    for address in (
        of(foreign),
        f"{of(foreign)}file/",
        of(hidden),
        f"/portal/training/courses/{foreign.course.public_id}/",
        f"/portal/training/courses/{draft.public_id}/",
        f"{of(school.quiz)}tries/{theirs.pk}/",
        f"{of(school.text)}file/",
        "/portal/training/lessons/lsn_nothing/",
    ):
        assert client.get(address).status_code == 404, address
    assert client.post(of(foreign)).status_code == 404
    assert not LessonAttempt.objects.filter(staff__member=school.member).exists()


def test_a_file_is_handed_out_as_a_download_and_a_video_opens_elsewhere(
    school: School, client: Client
) -> None:
    course = courses.create_course(school.certification, title={"en": "More"}, by=mats(), at=NOON)
    given: dict[str, Any] = {"by": mats(), "at": NOON}
    file = lessons.add(
        course, kind="file", title={"en": "Range"}, file=ContentFile(PDF, "range.pdf"), **given
    )
    video = lessons.add(
        course, kind="video", title={"en": "Tour"}, url="https://video.example/1?a=1&b=2", **given
    )
    courses.open_course(course, **given)
    download = client.get(f"{of(file)}file/")
    assert download["Content-Disposition"] == 'attachment; filename="range.pdf"'
    page = client.get(of(video)).content.decode()
    assert ("<iframe" in page, "<video" in page, 'rel="noreferrer noopener"' in page) == (False, False, True)
    assert "https://video.example/1?a=1&b=2" in links(client.get(of(video)))


def test_who_only_looks_may_learn_and_other_roles_are_told(school: School, client: Client) -> None:
    reader = Member.objects.get(user=ana())
    Member.objects.filter(pk=reader.pk).update(role="read_only")
    assert client.get(of(school.text)).status_code == 200
    courses.edit_certification(
        school.certification, name=school.certification.name, roles=["technical"], by=mats(), at=NOON
    )
    page = client.get("/portal/training/")
    assert ("For other roles" in words(page), "Not begun" in words(page)) == (True, False)
    assert "for other roles than yours" in words(client.get(of(school.text)))
    client.post(of(school.text))
    assert not LessonAttempt.objects.exists()


def test_a_credential_that_ends_soon_can_be_renewed_and_says_so(school: School, client: Client) -> None:
    today = timezone.localdate()
    CredentialFactory.create(
        certification=school.certification,
        staff=school.person(),
        earned_on=today - timedelta(days=300),
        expires_on=today + timedelta(days=60),
    )
    LessonAttemptFactory.create(lesson=school.text, staff=school.person())
    page = words(client.get("/portal/training/"))
    assert ("You can renew it now" in page, "0 of 2 lessons" in page) == (True, True)


def test_a_program_without_certifications_has_no_training_in_its_menu(client: Client) -> None:
    assert "/portal/training/" in links(client.get("/portal/"))
    other = MembershipFactory.create(partner=Member.objects.get(user=ana()).partner)
    client.get(f"/portal/in/{other.public_id}/")
    client.post(f"/portal/in/{other.public_id}/")
    assert "/portal/training/" not in links(client.get("/portal/"))
    assert "Nothing to learn yet" in words(client.get("/portal/training/"))
    assert Course.objects.count() == 1
