"""Certifications in the back office: what partners' people can be certified in, with its courses in order, and who is certified."""

from __future__ import annotations

from datetime import date

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from partners.admin.applications import history_of
from partners.admin.certification_courses import CoursePages
from partners.admin.certification_forms import CertificationForm
from partners.admin.certification_lessons import LessonPages
from partners.admin.certification_questions import QuestionPages
from partners.certification import courses
from partners.checklists import in_language
from partners.choices import CourseState, CredentialState, StaffRole
from partners.models import Certification, Credential
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    link_to,
    list_url,
    person,
    require,
    row_url,
)
from prm.lib.periods import local_day

CAPABILITY = "manage_courses"


@admin.register(Certification)
class CertificationAdmin(QuestionPages, LessonPages, CoursePages, BackOfficeAdmin):
    """Certifications, those people can learn for first."""

    section = gettext_lazy("Certifications")
    sees, adds = "see_partners", CAPABILITY
    list_display = ("named", "learnable", "program", "valid_for", "open_courses", "certified")
    list_filter = ("program", "takes_proof")
    list_select_related = ("program",)
    search_fields = ("key", "name", "public_id")
    search_help_text = gettext_lazy("Name, key or id")
    ordering = ("program__name", "key", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Certification]:
        """Count open courses and people with a valid credential with the rows."""
        rows: QuerySet[Certification] = super().get_queryset(request).select_related("program")
        held = _valid(timezone.localdate())
        return rows.annotate(
            courses_open=Count("courses", filter=Q(courses__state=CourseState.OPEN), distinct=True),
            people_certified=Count("credentials__staff", filter=held, distinct=True),
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of courses, lessons and questions, and those that change a certification."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("<int:pk>/edit/", wrap(both(self.edit_page)), name="partners_certification_edit"),
            path("<int:pk>/close/", wrap(both(self.close_page)), name="partners_certification_close"),
            path("<int:pk>/open/", wrap(require_POST(self.open_again)), name="partners_certification_open"),
            *self.course_urls(),
            *self.lesson_urls(),
            *self.question_urls(),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("certification"), ordering="key")
    def named(self, certification: Certification) -> str:
        """Return its name in the reader's language."""
        return in_language(certification.name)

    @admin.display(description=gettext_lazy("valid for"), ordering="valid_months")
    def valid_for(self, certification: Certification) -> str:
        """Return how long credentials hold."""
        return _validity(certification)

    @admin.display(description=gettext_lazy("open courses"))
    def open_courses(self, certification: Certification) -> int:
        """Return how many courses people can take."""
        count: int = getattr(certification, "courses_open", 0)
        return count

    @admin.display(description=gettext_lazy("people certified"))
    def certified(self, certification: Certification) -> int:
        """Return how many people hold it now."""
        count: int = getattr(certification, "people_certified", 0)
        return count

    @admin.display(description=gettext_lazy("open"), boolean=True)
    def learnable(self, certification: Certification) -> bool:
        """Say whether it is not closed."""
        return certification.retired_at is None

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Add a certification, or show one with its courses."""
        if object_id is None:
            require(request, self.adds)
            return self._add(request)
        require(request, self.sees)
        found = get_object_or_404(self.get_queryset(request), pk=object_id if object_id.isdecimal() else 0)
        rows = found.courses.annotate(parts=Count("lessons", filter=Q(lessons__removed_at=None)))
        return self.page(
            request,
            "admin/partners/certification/certification.html",
            title=in_language(found.name),
            certification=found,
            facts=_facts(found),
            standing=self._standing(found),
            courses=[(in_language(each.title), each) for each in rows.order_by("position", "pk")],
            may_build=policy.may(request.user, CAPABILITY),
            history=history_of(found)[::-1],
        )

    def edit_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change what a certification says."""
        require(request, CAPABILITY)
        found = get_object_or_404(Certification, pk=pk)
        form = CertificationForm(request.POST or None, certification=found)
        if request.method == "POST" and form.is_valid():
            values, by, at = form.values(), person(request), timezone.now()
            if attempt(request, lambda: courses.edit_certification(found, **values, by=by, at=at), form=form):
                messages.success(request, _("Saved."))
                return HttpResponseRedirect(row_url(found))
        return self._form_page(request, form, title=_("Change the certification"), back=row_url(found))

    def close_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let nobody learn for it any more, after saying what that does."""
        require(request, CAPABILITY)
        found = get_object_or_404(Certification.objects.select_related("program"), pk=pk)
        name = in_language(found.name)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: courses.close_certification(found, by=by, at=at)) is not None:
                messages.success(request, _("“%(name)s” is closed.") % {"name": name})
            return HttpResponseRedirect(row_url(found))
        held = Credential.objects.filter(_valid(timezone.localdate(), ""), certification=found).count()
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Close “%(name)s”") % {"name": name},
            parent=name,
            parent_url=row_url(found),
            form=None,
            verb=_("Close it"),
            consequences=[
                _("Nobody can learn for it or hand in a certificate for it any more."),
                _("%(count)s credentials count on until they expire.") % {"count": held},
                _("Tiers that ask for it go on asking: change what they ask as well."),
            ],
        )

    def open_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let people learn for it again."""
        require(request, CAPABILITY)
        found, by, at = get_object_or_404(Certification, pk=pk), person(request), timezone.now()
        if attempt(request, lambda: courses.open_certification(found, by=by, at=at)) is not None:
            messages.success(request, _("People can learn for it again."))
        return HttpResponseRedirect(row_url(found))

    def _add(self, request: HttpRequest) -> HttpResponse:
        form = CertificationForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            values, by, at = form.values(), person(request), timezone.now()
            program, key = form.cleaned_data["program"], form.cleaned_data["key"]
            made = attempt(
                request,
                lambda: courses.create_certification(program, key=key, **values, by=by, at=at),
                form=form,
            )
            if made is not None:
                messages.success(request, _("Added. Now write its first course."))
                return HttpResponseRedirect(row_url(made))
        return self._form_page(request, form, title=_("Add a certification"), back=list_url(Certification))

    def _form_page(
        self, request: HttpRequest, form: CertificationForm, *, title: str, back: str
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/partners/certification/form.html",
            title=title,
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            back_url=back,
        )

    def _standing(self, found: Certification) -> list[Fact]:
        today = local_day(timezone.now(), found.program.zone)
        held = Credential.objects.filter(certification=found).aggregate(
            people=Count("staff", filter=_valid(today, ""), distinct=True),
            partners=Count("staff__partner", filter=_valid(today, ""), distinct=True),
            waiting=Count("pk", filter=Q(state=CredentialState.WAITING)),
        )
        return [
            Fact(_("People certified now"), str(held["people"])),
            Fact(_("Partners they work for"), str(held["partners"])),
            Fact(_("Certificates to check"), str(held["waiting"])),
        ]


def _valid(day: date, prefix: str = "credentials__") -> Q:
    held = Q(**{f"{prefix}state": CredentialState.VALID, f"{prefix}staff__left_at": None})
    return held & (Q(**{f"{prefix}expires_on": None}) | Q(**{f"{prefix}expires_on__gt": day}))


def _validity(certification: Certification) -> str:
    months = certification.valid_months
    return _("for good") if months is None else _("%(count)s months") % {"count": months}


def _facts(found: Certification) -> list[Fact]:
    labels = dict(StaffRole.choices)
    return [
        Fact(_("Program"), link_to(found.program, found.program.name)),
        Fact(_("Key"), found.key),
        Fact(_("Description"), in_language(found.description) or "–"),
        Fact(_("For"), ", ".join(str(labels[role]) for role in found.roles) or _("everybody")),
        Fact(_("Valid"), _validity(found)),
        Fact(_("Certificates of others"), _("taken as proof") if found.takes_proof else _("not taken")),
    ]
