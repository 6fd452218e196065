"""Write the lessons of a course: text, a video elsewhere, a file, or a quiz, each with the fields its kind has. A quiz begins with its first
question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners.admin.certification_courses import course_url
from partners.admin.certification_forms import LessonForm, QuestionForm
from partners.certification import lessons
from partners.certification.ordering import move_lesson
from partners.checklists import in_language
from partners.choices import CourseState, LessonKind
from partners.models import Course, Lesson
from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require
from prm.lib import uploads

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object

CAPABILITY = "manage_courses"
_TYPES = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


def lesson_url(lesson: Lesson) -> str:
    """Return the page of a lesson."""
    return reverse("admin:partners_certification_lesson", args=[lesson.pk])


def find_lesson(pk: int) -> Lesson:
    """Return a lesson that is there, with its course.

    Raises: Http404.
    """
    rows = Lesson.objects.filter(removed_at=None).select_related("course__certification__program")
    return get_object_or_404(rows, pk=pk)


def kept_values(lesson: Lesson) -> dict[str, Any]:
    """Return what a lesson says, for a verb that changes one part of it."""
    return {"title": lesson.title, "body": lesson.body, "url": lesson.url, "questions": lesson.questions}


class LessonPages(Desk):
    """The pages of lessons, below the table of certifications."""

    def lesson_urls(self) -> list[URLPattern]:
        """Return their addresses."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        name = "partners_certification_lesson"
        return [
            path("course/<int:pk>/lesson/<slug:kind>/", wrap(both(self.add_lesson)), name=f"{name}_add"),
            path("lesson/<int:pk>/", wrap(both(self.lesson_page)), name=name),
            path("lesson/<int:pk>/move/", wrap(require_POST(self.move_lesson)), name=f"{name}_move"),
            path("lesson/<int:pk>/remove/", wrap(both(self.remove_lesson)), name=f"{name}_remove"),
            path("lesson/<int:pk>/file/", wrap(require_safe(self.lesson_file)), name=f"{name}_file"),
        ]

    def add_lesson(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """Add a lesson of a kind to a draft."""
        require(request, CAPABILITY)
        if kind not in LessonKind.values:
            raise Http404
        course = get_object_or_404(Course.objects.select_related("certification"), pk=pk)
        form = LessonForm(request.POST or None, request.FILES or None, kind=kind)
        question = QuestionForm(request.POST or None) if kind == LessonKind.QUIZ else None
        is_valid = form.is_valid() if request.method == "POST" else False
        if question is not None and request.method == "POST":
            is_valid = question.is_valid() and is_valid
        if is_valid:
            by, at = person(request), timezone.now()
            values = {**form.values(), "questions": [question.question()] if question else []}
            made = attempt(
                request,
                lambda: lessons.add(course, kind=kind, **values, by=by, at=at),
                form=question or form,
            )
            if made is not None:
                messages.success(request, _("The lesson is added."))
                return HttpResponseRedirect(lesson_url(made) if question else course_url(course))
        label = dict(LessonKind.choices)[LessonKind(kind)]
        return self._lesson_form(
            request, form, question, title=_("Add a lesson: %(kind)s") % {"kind": label}, course=course
        )

    def lesson_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a lesson with its questions, and take what it should say."""
        require(request, CAPABILITY)
        lesson = find_lesson(pk)
        form = LessonForm(request.POST or None, request.FILES or None, kind=lesson.kind, lesson=lesson)
        if request.method == "POST" and form.is_valid():
            values, by, at = form.values(), person(request), timezone.now()
            values["questions"] = lesson.questions
            if attempt(request, lambda: lessons.edit(lesson, **values, by=by, at=at), form=form):
                messages.success(request, _("Saved."))
                return HttpResponseRedirect(lesson_url(lesson))
        return self._lesson_form(
            request, form, None, title=in_language(lesson.title), course=lesson.course, lesson=lesson
        )

    def move_lesson(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a lesson before the one above it, or after the one below it."""
        require(request, CAPABILITY)
        lesson, by, at = find_lesson(pk), person(request), timezone.now()
        is_up = request.POST.get("to") == "up"
        attempt(request, lambda: move_lesson(lesson, is_up=is_up, by=by, at=at))
        return HttpResponseRedirect(course_url(lesson.course))

    def remove_lesson(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a lesson out of a draft, after saying so."""
        require(request, CAPABILITY)
        lesson = find_lesson(pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: lessons.remove(lesson, by=by, at=at)) is not None:
                messages.success(request, _("The lesson is taken out."))
            return HttpResponseRedirect(course_url(lesson.course))
        name = in_language(lesson.title)
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Take “%(name)s” out") % {"name": name},
            parent=in_language(lesson.course.title),
            parent_url=course_url(lesson.course),
            form=None,
            verb=_("Take the lesson out"),
            consequences=[_("The course no longer has it. To have it again, write it again.")],
        )

    def lesson_file(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Hand out the file of a lesson."""
        require(request, self.sees)
        lesson = find_lesson(pk)
        return uploads.attachment(lesson.file, lesson.file_name, types=_TYPES)

    def _lesson_form(
        self,
        request: HttpRequest,
        form: LessonForm,
        question: QuestionForm | None,
        *,
        title: str,
        course: Course,
        lesson: Lesson | None = None,
    ) -> HttpResponse:
        errors = bool(form.errors or (question is not None and question.errors))
        return self.page(
            request,
            "admin/partners/certification/lesson.html",
            title=title,
            status=422 if errors else 200,
            form=form,
            question=question,
            errors=errors,
            lesson=lesson,
            asked=[] if lesson is None else _asked(lesson),
            is_quiz=lesson is not None and lesson.kind == LessonKind.QUIZ,
            may_remove=lesson is not None and course.state == CourseState.DRAFT,
            is_open=course.state == CourseState.OPEN,
            back_url=course_url(course),
            parent=in_language(course.title),
            parent_url=course_url(course),
        )


def _asked(lesson: Lesson) -> list[tuple[int, str, int, list[str]]]:
    """Return of each question its number, its text, how many choices it has, and the right ones."""
    return [
        (
            number,
            in_language(question["text"]),
            len(question["choices"]),
            [in_language(choice["text"]) for choice in question["choices"] if choice["is_right"]],
        )
        for number, question in enumerate(lesson.questions, start=1)
    ]
