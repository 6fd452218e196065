"""The questions of a quiz, one on each page, with their choices in every language. Whoever saves has read the questions as they are: when
somebody else changed them meanwhile, nothing is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners.admin.certification_courses import course_url
from partners.admin.certification_forms import QuestionForm
from partners.admin.certification_lessons import find_lesson, kept_values, lesson_url
from partners.certification import courses, lessons, quiz
from partners.checklists import in_language
from partners.choices import CourseState, LessonKind
from partners.models import Lesson
from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require
from prm.lib.errors import Refused

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object

CAPABILITY = "manage_courses"


class ChangedMeanwhile(Refused):
    message = gettext_lazy(
        "Somebody has changed the questions since you opened this page. Look at them again."
    )


class QuestionPages(Desk):
    """The pages of questions, below the table of certifications."""

    def question_urls(self) -> list[URLPattern]:
        """Return their addresses."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        name = "partners_certification_question"
        return [
            path("lesson/<int:pk>/question/", wrap(both(self.add_question)), name=f"{name}_add"),
            path("lesson/<int:pk>/question/<int:number>/", wrap(both(self.question_page)), name=name),
            path(
                "lesson/<int:pk>/question/<int:number>/remove/",
                wrap(both(self.remove_question)),
                name=f"{name}_remove",
            ),
        ]

    def add_question(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Add a question at the end."""
        require(request, CAPABILITY)
        lesson = _quiz(pk)
        form = QuestionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            questions = [*lesson.questions, form.question()]
            if self._save(request, lesson, questions, form):
                messages.success(request, _("The question is added."))
                return HttpResponseRedirect(lesson_url(lesson))
        return self._question_form(request, lesson, form, title=_("Add a question"))

    def question_page(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """Change a question."""
        require(request, CAPABILITY)
        lesson = _quiz(pk)
        question = _numbered(lesson, number)
        form = QuestionForm(request.POST or None, question=question)
        if request.method == "POST" and form.is_valid():
            questions = [*lesson.questions]
            questions[number - 1] = form.question()
            if self._save(request, lesson, questions, form):
                messages.success(request, _("Saved."))
                return HttpResponseRedirect(lesson_url(lesson))
        return self._question_form(request, lesson, form, title=_("Question %(number)s") % {"number": number})

    def remove_question(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """Take a question out, after saying what that does."""
        require(request, CAPABILITY)
        lesson = _quiz(pk)
        question = _numbered(lesson, number)
        if request.method == "POST":
            questions = [each for place, each in enumerate(lesson.questions, start=1) if place != number]
            if self._save(request, lesson, questions, None):
                messages.success(request, _("The question is taken out."))
            return HttpResponseRedirect(lesson_url(lesson))
        return self.page(
            request,
            "admin/partners/certification/remove_question.html",
            title=_("Take question %(number)s out") % {"number": number},
            parent=in_language(lesson.title),
            parent_url=lesson_url(lesson),
            seen=quiz.fingerprint(lesson.questions),
            consequences=[
                _("“%(text)s” is no longer asked.") % {"text": in_language(question["text"])},
                _("Whoever has passed the quiz has passed it."),
            ],
        )

    def _save(
        self,
        request: HttpRequest,
        lesson: Lesson,
        questions: list[Mapping[str, Any]],
        form: QuestionForm | None,
    ) -> bool:
        by, at, seen = person(request), timezone.now(), request.POST.get("seen", "")

        def save() -> Lesson:
            with transaction.atomic():
                courses.locked(lesson.course)
                if seen != quiz.fingerprint(Lesson.objects.get(pk=lesson.pk).questions):
                    raise ChangedMeanwhile
                return lessons.edit(lesson, **{**kept_values(lesson), "questions": questions}, by=by, at=at)

        return attempt(request, save, form=form) is not None

    def _question_form(
        self, request: HttpRequest, lesson: Lesson, form: QuestionForm, *, title: str
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/partners/certification/question.html",
            title=title,
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            seen=quiz.fingerprint(lesson.questions),
            is_open=lesson.course.state == CourseState.OPEN,
            back_url=lesson_url(lesson),
            course=in_language(lesson.course.title),
            course_url=course_url(lesson.course),
            parent=in_language(lesson.title),
            parent_url=lesson_url(lesson),
        )


def _quiz(pk: int) -> Lesson:
    lesson = find_lesson(pk)
    if lesson.kind != LessonKind.QUIZ:
        raise Http404
    return lesson


def _numbered(lesson: Lesson, number: int) -> Mapping[str, Any]:
    if not 1 <= number <= len(lesson.questions):
        raise Http404
    question: Mapping[str, Any] = lesson.questions[number - 1]
    return question
