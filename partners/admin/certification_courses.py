"""Build a course: what it says, its lessons in order, whether people can take it, and how it looks to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners.admin.applications import history_of
from partners.admin.certification_forms import CourseForm
from partners.certification import courses
from partners.certification.ordering import move_course
from partners.checklists import in_language
from partners.choices import CourseState, LessonKind
from partners.models import Certification, Course, Lesson
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, Fact, attempt, person, require, row_url

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object

CAPABILITY = "manage_courses"


def course_url(course: Course) -> str:
    """Return the page of a course."""
    return reverse("admin:partners_certification_course", args=[course.pk])


class CoursePages(Desk):
    """The pages of courses, below the table of certifications."""

    def course_urls(self) -> list[URLPattern]:
        """Return their addresses."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        name = "partners_certification_course"
        return [
            path("<int:pk>/course/", wrap(both(self.add_course)), name=f"{name}_add"),
            path("course/<int:pk>/", wrap(require_safe(self.course_page)), name=name),
            path("course/<int:pk>/edit/", wrap(both(self.edit_course)), name=f"{name}_edit"),
            path("course/<int:pk>/move/", wrap(require_POST(self.move_course)), name=f"{name}_move"),
            path("course/<int:pk>/open/", wrap(both(self.open_course)), name=f"{name}_open"),
            path("course/<int:pk>/close/", wrap(both(self.close_course)), name=f"{name}_close"),
            path("course/<int:pk>/preview/", wrap(require_safe(self.preview)), name=f"{name}_preview"),
        ]

    def add_course(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin a course of a certification."""
        require(request, CAPABILITY)
        found = get_object_or_404(Certification, pk=pk)
        form = CourseForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            values, by, at = form.values(), person(request), timezone.now()
            made = attempt(request, lambda: courses.create_course(found, **values, by=by, at=at), form=form)
            if made is not None:
                messages.success(request, _("The course is a draft. Add its lessons, then open it."))
                return HttpResponseRedirect(course_url(made))
        return self._course_form(request, form, _("Add a course"), found, row_url(found))

    def course_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a course with its lessons, and what can be done with it."""
        require(request, self.sees)
        course = _course(pk)
        lessons = list(course.lessons.filter(removed_at=None).order_by("position", "pk"))
        is_draft = course.state == CourseState.DRAFT
        may_build = policy.may(request.user, CAPABILITY)
        return self.page(
            request,
            "admin/partners/certification/course.html",
            title=in_language(course.title),
            course=course,
            facts=_facts(course),
            lessons=[(in_language(each.title), each, _about(each)) for each in lessons],
            kinds=LessonKind.choices,
            may_build=may_build,
            may_add=may_build and is_draft,
            may_open=may_build and course.state != CourseState.OPEN,
            may_close=may_build and course.state == CourseState.OPEN,
            is_draft=is_draft,
            history=history_of(course)[::-1],
            **_parent(course.certification),
        )

    def edit_course(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change what a course says."""
        require(request, CAPABILITY)
        course = _course(pk)
        form = CourseForm(request.POST or None, course=course)
        if request.method == "POST" and form.is_valid():
            values, by, at = form.values(), person(request), timezone.now()
            if attempt(request, lambda: courses.edit_course(course, **values, by=by, at=at), form=form):
                messages.success(request, _("Saved."))
                return HttpResponseRedirect(course_url(course))
        return self._course_form(
            request, form, _("Change the course"), course.certification, course_url(course)
        )

    def move_course(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a course before the one above it, or after the one below it."""
        require(request, CAPABILITY)
        course, by, at = _course(pk), person(request), timezone.now()
        is_up = request.POST.get("to") == "up"
        attempt(request, lambda: move_course(course, is_up=is_up, by=by, at=at))
        return HttpResponseRedirect(row_url(course.certification))

    def open_course(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let people take it, after saying what that does."""
        require(request, CAPABILITY)
        course = _course(pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: courses.open_course(course, by=by, at=at)) is not None:
                messages.success(request, _("People can take the course now."))
            return HttpResponseRedirect(course_url(course))
        return self._confirm(
            request,
            course,
            title=_("Open “%(name)s”"),
            verb=_("Open the course"),
            consequences=[
                _("People of partners in %(program)s can take it from now on.")
                % {"program": course.certification.program.name},
                _("It is asked for the certification beside every other open course of it."),
                _("Whoever is certified already stays so until the credential expires."),
                _("From now on no lesson comes or goes; what lessons say can still be corrected."),
            ],
        )

    def close_course(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask it of nobody any more, after saying what that does."""
        require(request, CAPABILITY)
        course = _course(pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: courses.close_course(course, by=by, at=at)) is not None:
                messages.success(request, _("Nobody is asked for the course any more."))
            return HttpResponseRedirect(course_url(course))
        return self._confirm(
            request,
            course,
            title=_("Close “%(name)s”"),
            verb=_("Close the course"),
            consequences=[
                _("Nobody can take it any more."),
                _("Whoever has passed every other open course of the certification gets it at once."),
                _("What people have passed stays on record."),
            ],
        )

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the course as people who take it read it, in one of the languages."""
        require(request, self.sees)
        course = _course(pk)
        codes = [code for code, _name in settings.LANGUAGES]
        asked = request.GET.get("language", "")
        language = asked if asked in codes else translation.get_language() or codes[0]
        lessons = list(course.lessons.filter(removed_at=None).order_by("position", "pk"))
        with translation.override(language):
            shown = [_as_read(each) for each in lessons]
            title, summary = in_language(course.title), in_language(course.summary)
        return self.page(
            request,
            "admin/partners/certification/preview.html",
            title=_("As the partner sees it"),
            course=course,
            course_title=title,
            summary=summary,
            lessons=shown,
            language=language,
            languages=settings.LANGUAGES,
            parent=in_language(course.title),
            parent_url=course_url(course),
        )

    def _confirm(
        self, request: HttpRequest, course: Course, *, title: str, verb: str, consequences: list[str]
    ) -> HttpResponse:
        name = in_language(course.title)
        return self.page(
            request,
            "admin/confirm.html",
            title=title % {"name": name},
            parent=name,
            parent_url=course_url(course),
            form=None,
            verb=verb,
            consequences=consequences,
        )

    def _course_form(
        self, request: HttpRequest, form: CourseForm, title: str, certification: Certification, back: str
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/partners/certification/form.html",
            title=title,
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            back_url=back,
            **_parent(certification),
        )


def _course(pk: int) -> Course:
    return get_object_or_404(Course.objects.select_related("certification__program", "created_by"), pk=pk)


def _parent(certification: Certification) -> dict[str, Any]:
    return {"parent": in_language(certification.name), "parent_url": row_url(certification)}


def _facts(course: Course) -> list[Fact]:
    passed = course.lessons.filter(attempts__passed=True).aggregate(
        people=Count("attempts__staff", distinct=True)
    )
    return [
        Fact(_("What it is about"), in_language(course.summary) or "–"),
        Fact(_("Pass mark of its quizzes"), f"{course.pass_mark} %"),
        Fact(_("People who have passed a lesson"), str(passed["people"])),
    ]


def _about(lesson: Lesson) -> str:
    match lesson.kind:
        case LessonKind.VIDEO:
            return lesson.url
        case LessonKind.FILE:
            return lesson.file_name
        case LessonKind.QUIZ:
            count = len(lesson.questions)
            return ngettext("%(count)s question", "%(count)s questions", count) % {"count": count}
    return ""


def _as_read(lesson: Lesson) -> dict[str, object]:
    """Return a lesson in the words of the language in force."""
    questions = [
        {
            "text": in_language(question["text"]),
            "choices": [in_language(choice["text"]) for choice in question["choices"]],
            "many": sum(bool(choice["is_right"]) for choice in question["choices"]) > 1,
        }
        for question in lesson.questions
    ]
    return {
        "lesson": lesson,
        "title": in_language(lesson.title),
        "body": in_language(lesson.body),
        "questions": questions,
    }
