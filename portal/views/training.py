"""Training: the courses open to the partner's program, their lessons and quizzes, and how far the person signed in is. People learn for
themselves; what is right in a quiz is never shown."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partners.certification import learning, lessons, quiz
from partners.checklists import in_language
from partners.choices import CourseState, LessonKind
from partners.models import Course, Credential, Lesson, LessonAttempt, Staff
from portal import learning_rows, roles
from portal.formats import active_locale
from portal.forms_training import QuizForm
from portal.rooms import Room, enter, show
from portal.views.answers import explain_refusal
from prm.lib import l10n
from prm.lib.errors import Refused


@require_safe
@enter(roles.LEARN)
def training(request: HttpRequest, room: Room) -> HttpResponse:
    """Show what can be learned, and how far the person is."""
    person = learning_rows.me(room)
    found = learning_rows.cards(room, person)
    return show(
        request,
        room,
        "portal/training/training.html",
        nav="training",
        cards=[card for card in found if card.is_for_you],
        others=[card for card in found if not card.is_for_you],
        person=person,
        has_left=learning_rows.has_left(room, person),
    )


@require_safe
@enter(roles.LEARN)
def course(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show the lessons of a course."""
    row = get_object_or_404(_courses(room), public_id=public_id)
    card, line = _progress(room, learning_rows.me(room), row)
    return show(request, room, "portal/training/course.html", nav="training", card=card, course=line, row=row)


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.LEARN)
def lesson(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show a lesson and note that it was gone through; of a quiz, take a try."""
    row = get_object_or_404(_lessons(room), public_id=public_id)
    if row.kind == LessonKind.QUIZ:
        return _quiz(request, room, row)
    if request.method == "POST":
        try:
            learning.finish_as_member(row, room.member, by=room.user, at=room.at)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("portal:training_lesson", row.public_id)
        _congratulate(request, room, row)
        return _go_on(room, row)
    return _lesson_page(request, room, row)


@require_safe
@enter(roles.LEARN)
def result(request: HttpRequest, room: Room, public_id: str, pk: int) -> HttpResponse:
    """Show how a try came out: the score and which questions were wrong, not what would have been right."""
    row = get_object_or_404(_lessons(room), public_id=public_id)
    mine = LessonAttempt.objects.filter(lesson=row, staff__member=room.member, score__isnull=False)
    attempt = get_object_or_404(mine.select_related("staff"), pk=pk)
    _card, line = _progress(room, attempt.staff, row.course)
    return show(
        request,
        room,
        "portal/training/result.html",
        nav="training",
        lesson=row,
        attempt=attempt,
        wrong=_wrong(row, attempt),
        right_count=sum(each["is_right"] for each in attempt.answers),
        question_count=len(attempt.answers),
        tries_left=0 if attempt.passed else learning.tries_left(row, attempt.staff, at=room.at),
        title=in_language(row.title),
        score=_percent(attempt.score or 0),
        pass_mark=_percent(row.course.pass_mark),
        course=line,
    )


@require_safe
@enter(roles.LEARN)
def lesson_file(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Hand out the file of a lesson of the program."""
    rows = _lessons(room).filter(kind=LessonKind.FILE).exclude(file="")
    return lessons.attachment(get_object_or_404(rows, public_id=public_id))


def _quiz(request: HttpRequest, room: Room, row: Lesson) -> HttpResponse:
    form = QuizForm(row.questions, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            attempt = learning.answer_as_member(
                row, room.member, form.answers(), by=room.user, at=room.at, seen=form.cleaned_data["seen"]
            )
        except learning.QuestionsChanged as refusal:
            # Old answers fit other questions: nothing is kept of them, and the page says why.
            form = QuizForm(row.questions, {"seen": quiz.fingerprint(row.questions)})
            explain_refusal(form, refusal)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            _congratulate(request, room, row)
            return redirect("portal:training_result", row.public_id, attempt.pk)
    return _lesson_page(request, room, row, form)


def _lesson_page(request: HttpRequest, room: Room, row: Lesson, form: QuizForm | None = None) -> HttpResponse:
    person = learning_rows.me(room)
    card, line = _progress(room, person, row.course)
    this = next((each for each in line.lessons if each.href.endswith(f"/{row.public_id}/")), None)
    return show(
        request,
        room,
        "portal/training/lesson.html",
        nav="training",
        status=422 if form is not None and form.errors else 200,
        lesson=row,
        title=in_language(row.title),
        body=in_language(row.body),
        card=card,
        course=line,
        is_done=this is not None and this.is_done,
        is_new=person is None,
        first_role=learning_rows.role_label(room),
        has_left=learning_rows.has_left(room, person),
        tries_left=learning.tries_left(row, person, at=room.at) if person else learning.TRIES_A_DAY,
        pass_mark=_percent(row.course.pass_mark),
        question_count=len(row.questions),
        form=form,
    )


def _progress(
    room: Room, person: Staff | None, row: Course
) -> tuple[learning_rows.Card, learning_rows.CourseRow]:
    card = learning_rows.cards(room, person, only=row.certification)[0]
    return card, next(each for each in card.courses if each.public_id == row.public_id)


def _go_on(room: Room, row: Lesson) -> HttpResponse:
    """Lead to the next lesson that is not done, to the course when none is left."""
    _card, line = _progress(room, learning_rows.me(room), row.course)
    return redirect(line.next_href)


def _congratulate(request: HttpRequest, room: Room, row: Lesson) -> None:
    """Say so when this lesson was the last that a credential needed."""
    now = Credential.objects.filter(
        certification=row.course.certification, staff__member=room.member, given_at=room.at
    )
    if now.exists():
        name = in_language(row.course.certification.name)
        messages.success(request, _("You are certified: %(certification)s.") % {"certification": name})


def _wrong(row: Lesson, attempt: LessonAttempt) -> list[tuple[int, str]]:
    """Return number and text of the questions that were wrong; the text is left out when the quiz has changed since."""
    is_same = len(attempt.answers) == len(row.questions)
    return [
        (number, in_language(row.questions[number - 1]["text"]) if is_same else "")
        for number, each in enumerate(attempt.answers, start=1)
        if not each["is_right"]
    ]


def _percent(whole: int) -> str:
    return l10n.percent_text(Decimal(whole) / 100, active_locale())


def _courses(room: Room) -> QuerySet[Course]:
    found = Course.objects.filter(
        certification__program=room.program, certification__retired_at=None, state=CourseState.OPEN
    )
    return found.select_related("certification__program")


def _lessons(room: Room) -> QuerySet[Lesson]:
    found = Lesson.objects.filter(course__in=_courses(room), removed_at=None)
    return found.select_related("course__certification__program")
