"""Application forms of programs, in versions. A draft is written question by question and tried as applicants see it; publishing is a page
of its own that says what will happen, and what is published is only read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partners.admin import forms_builder_preview as preview
from partners.admin.forms_builder_forms import IN_USE, StartForm
from partners.admin.forms_builder_pages import CAPABILITY, QuestionPages, name_of
from partners.admin.forms_builder_question import KIND_NAMES, STEP_NAMES
from partners.application_forms import differences, editing, publishing
from partners.application_forms.definition import TRIO, Definition, Question, read, words_in
from partners.application_forms.standard import standard_for
from partners.application_forms.wording import help_of
from partners.choices import ApplicationState, FormState
from partners.models import Application, FormVersion
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    attempt,
    list_url,
    person,
    require,
    row_url,
)
from tiers.choices import PartnershipType
from tiers.models import Program


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as the page of a version shows it."""

    question: Question
    name: str
    help: str
    kind: Any
    types: str
    may_rise: bool
    may_sink: bool
    is_fixed: bool


@dataclass(frozen=True, slots=True)
class ProgramForms:
    """A program with the versions of its form, newest first."""

    program: Program
    versions: list[FormVersion]

    @property
    def draft(self) -> FormVersion | None:
        return next((each for each in self.versions if each.state == FormState.DRAFT), None)

    @property
    def in_use(self) -> FormVersion | None:
        return next((each for each in self.versions if each.state == FormState.PUBLISHED), None)


@admin.register(FormVersion)
class FormVersionAdmin(BackOfficeAdmin):
    """Versions of application forms."""

    sees = "see_partners"
    list_select_related = ("program", "published_by")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that begin, write, show, publish and throw away a version."""
        view, both = self.admin_site.admin_view, require_http_methods(["GET", "POST"])
        name = "partners_formversion_"
        own = [
            path("begin/<int:program_pk>/", view(both(self.begin)), name=f"{name}begin"),
            path("<int:pk>/preview/", view(require_safe(self.preview)), name=f"{name}preview"),
            path("<int:pk>/publish/", view(both(self.publish)), name=f"{name}publish"),
            path("<int:pk>/discard/", view(both(self.discard)), name=f"{name}discard"),
        ]
        return [*own, *QuestionPages(self).urls(), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[FormVersion]:
        """Read the program with each version."""
        return super().get_queryset(request).select_related("program", "published_by")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the versions by program."""
        require(request, self.sees)
        return self.page(
            request,
            "admin/partners/formversion/programs.html",
            title=_("Application forms"),
            programs=_by_program(self.get_queryset(request)),
            may_edit=policy.may(request.user, CAPABILITY),
        )

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show a version: a draft with what can be done to it, a published one to read."""
        if object_id is None or not object_id.isdigit():
            return None
        require(request, self.sees)
        version = get_object_or_404(self.get_queryset(request), pk=object_id)
        return self._version_page(request, version)

    def begin(self, request: HttpRequest, program_pk: int) -> HttpResponse:
        """Begin a new version with the form in use or the standard one."""
        require(request, CAPABILITY)
        program = get_object_or_404(Program, pk=program_pk)
        form = StartForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            by, at = person(request), timezone.now()
            if form.cleaned_data["start"] == IN_USE:
                start = read(publishing.in_use(program, at=at).definition)
            else:
                start = standard_for(program)
            made = attempt(
                request, lambda: publishing.draft(program, definition=start, by=by, at=at), form=form
            )
            if made is not None:
                messages.success(
                    request, _("The draft is ready. Applicants do not see it until it is published.")
                )
                return HttpResponseRedirect(row_url(made))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("New form for %(program)s") % {"program": program.name},
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            parent_url=list_url(FormVersion),
            consequences=[
                _("A draft is made that only staff can see."),
                _("Applicants are asked what the form in use asks until the draft is published."),
            ],
            verb=_("Make the draft"),
        )

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show every step as applicants see it; nothing can be sent from here."""
        require(request, self.sees)
        version = get_object_or_404(self.get_queryset(request), pk=pk)
        return self.page(
            request,
            "admin/partners/formversion/preview.html",
            title=_("Preview"),
            parent=name_of(version),
            parent_url=row_url(version),
            version=version,
            **preview.context(version, request.GET, at=timezone.now()),
        )

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a draft into use, after saying what that does and what it asks differently."""
        require(request, CAPABILITY)
        version = get_object_or_404(self.get_queryset(request).filter(state=FormState.DRAFT), pk=pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: publishing.publish(version, by=by, at=at)) is not None:
                messages.success(request, _("%(form)s is in use.") % {"form": name_of(version)})
            return HttpResponseRedirect(row_url(version))
        definition, language = read(version.definition), get_language() or "en"
        before = FormVersion.objects.in_use().filter(program=version.program_id).first()
        compared = read(before.definition) if before else standard_for(version.program)
        return self.page(
            request,
            "admin/partners/formversion/publish.html",
            title=_("Publish version %(number)s") % {"number": version.number},
            parent=name_of(version),
            parent_url=row_url(version),
            version=version,
            before=before,
            differences=differences.differences(compared, definition, language=language),
            findings=differences.findings(definition, language=language),
            consequences=_consequences(definition, before),
        )

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw a draft away, after saying what that does."""
        require(request, CAPABILITY)
        version = get_object_or_404(self.get_queryset(request).filter(state=FormState.DRAFT), pk=pk)
        name = name_of(version)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: publishing.discard(version, by=by, at=at)):
                messages.success(request, _("%(form)s is thrown away.") % {"form": name})
            return HttpResponseRedirect(list_url(FormVersion))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Throw the draft away"),
            parent=name,
            parent_url=row_url(version),
            consequences=[
                _("The draft and everything written in it is gone."),
                _("The form in use stays as it is."),
            ],
            verb=_("Throw it away"),
        )

    def _version_page(self, request: HttpRequest, version: FormVersion) -> HttpResponse:
        definition, language = read(version.definition), get_language() or "en"
        is_draft = version.state == FormState.DRAFT
        labels = dict(PartnershipType.choices)
        return self.page(
            request,
            "admin/partners/formversion/version.html",
            title=name_of(version),
            version=version,
            is_draft=is_draft,
            may_edit=is_draft and policy.may(request.user, CAPABILITY),
            definition=definition,
            steps=list(_steps(definition, language)),
            types=[labels[PartnershipType(each)] for each in definition.partnership_types],
            call_to_action=words_in(definition.call_to_action, language),
            introduction=words_in(definition.introduction, language),
            findings=differences.findings(definition, language=language) if is_draft else [],
            not_asked=[
                (key, editing.name_of(editing.ours(key), language)) for key in editing.not_asked(definition)
            ],
            applications=Application.objects.filter(form=version)
            .exclude(state=ApplicationState.DRAFT)
            .count(),
        )


def _by_program(versions: QuerySet[FormVersion]) -> list[ProgramForms]:
    found: dict[int, list[FormVersion]] = {}
    for version in versions.defer("definition").order_by("-number"):
        found.setdefault(version.program_id, []).append(version)
    return [ProgramForms(each, found.get(each.pk, [])) for each in Program.objects.order_by("name", "pk")]


def _steps(definition: Definition, language: str) -> Iterable[tuple[Any, list[Shown]]]:
    labels = dict(PartnershipType.choices)
    for step, title in STEP_NAMES.items():
        asked = [each for each in definition.questions if each.step == step]
        yield (
            title,
            [
                Shown(
                    question=each,
                    name=editing.name_of(each, language),
                    help=words_in(help_of(each), language),
                    kind=KIND_NAMES[each.kind],
                    types=", ".join(str(labels[PartnershipType(kind)]) for kind in each.types),
                    may_rise=place > 0,
                    may_sink=place < len(asked) - 1,
                    is_fixed=each.key in TRIO,
                )
                for place, each in enumerate(asked)
            ],
        )


def _consequences(definition: Definition, before: FormVersion | None) -> list[str]:
    asked = len(definition.questions)
    said = [
        ngettext(
            "Whoever begins to apply from now on is asked %(count)d question.",
            "Whoever begins to apply from now on is asked up to %(count)d questions.",
            asked,
        )
        % {"count": asked}
    ]
    if before is not None:
        begun = Application.objects.filter(form=before, state=ApplicationState.DRAFT).count()
        if begun:
            said.append(
                ngettext(
                    "%(count)d application that was begun goes on with version %(number)d.",
                    "%(count)d applications that were begun go on with version %(number)d.",
                    begun,
                )
                % {"count": begun, "number": before.number}
            )
    said.append(_("Applications that were sent keep the questions they answered."))
    said.append(_("A published version can never be edited. A change is a new version."))
    return said
