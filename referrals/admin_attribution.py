"""How programs give credit, in versions. A draft is written on its page and read back in words; publishing is a page of its own that says
what will happen, and what is published is only read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, attempt, list_url, locale, person, require, row_url
from prm.lib import l10n
from referrals import attribution_lint, attribution_notices, attribution_versions
from referrals.admin_attribution_forms import PublishForm, SettingsForm
from referrals.attribution.settings import Settings, read, standard
from referrals.attribution_sentences import sentences
from referrals.choices import AttributionState
from referrals.models import AttributionVersion
from tiers.models import Program

NAME = "referrals_attributionversion_"
CAPABILITY = attribution_versions.CAPABILITY


@dataclass(frozen=True, slots=True)
class ProgramVersions:
    """A program with the versions of its rules, newest first."""

    program: Program
    versions: list[AttributionVersion]
    in_force: AttributionVersion | None

    @property
    def draft(self) -> AttributionVersion | None:
        return next((each for each in self.versions if each.state == AttributionState.DRAFT), None)


@admin.register(AttributionVersion)
class AttributionVersionAdmin(BackOfficeAdmin):
    """Versions of how credit is given."""

    section = gettext_lazy("How credit is given")
    sees = "see_partners"

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that begin, write, publish and throw away a version."""
        view, both = self.admin_site.admin_view, require_http_methods(["GET", "POST"])
        own = [
            path("begin/<int:program_pk>/", view(both(self.begin)), name=f"{NAME}begin"),
            path("<int:pk>/edit/", view(both(self.edit)), name=f"{NAME}edit"),
            path("<int:pk>/publish/", view(both(self.publish)), name=f"{NAME}publish"),
            path("<int:pk>/discard/", view(both(self.discard)), name=f"{NAME}discard"),
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AttributionVersion]:
        """Read the program with each version."""
        return super().get_queryset(request).select_related("program", "published_by")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the versions by program."""
        require(request, self.sees)
        return self.page(
            request,
            "admin/referrals/attribution/programs.html",
            title=_("How credit is given"),
            programs=_by_program(self.get_queryset(request), at=timezone.now()),
            may_edit=policy.may(request.user, CAPABILITY),
        )

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show a version: a draft with what can be done to it, a published one to read."""
        if object_id is None or not object_id.isdigit():
            return None
        require(request, self.sees)
        row = get_object_or_404(self.get_queryset(request), pk=object_id)
        now = attribution_versions.in_force(row.program, at=timezone.now())
        gone, new = attribution_notices.changed(row, locale=locale())
        is_draft = row.state == AttributionState.DRAFT
        return self.page(
            request,
            "admin/referrals/attribution/version.html",
            title=_name(row),
            version=row,
            program=row.program,
            is_draft=is_draft,
            is_in_force=now is not None and now.pk == row.pk,
            may_edit=is_draft and policy.may(request.user, CAPABILITY),
            sentences=_said(row, read(row.definition)),
            findings=attribution_versions.findings(row),
            before=attribution_versions.before(row),
            gone=gone,
            new=new,
        )

    def begin(self, request: HttpRequest, program_pk: int) -> HttpResponse:
        """Begin a draft with what the newest version says."""
        require(request, CAPABILITY)
        program = get_object_or_404(Program, pk=program_pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            made = attempt(request, lambda: attribution_versions.draft(program, by=by, at=at))
            return HttpResponseRedirect(row_url(made) if made else list_url(AttributionVersion))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("New version for %(program)s") % {"program": program.name},
            parent_url=list_url(AttributionVersion),
            consequences=[
                _("A draft is made that begins with how credit is given now. Only staff can see it."),
                _("Events follow the rules in force until the draft is published."),
            ],
            verb=_("Make the draft"),
        )

    def edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write a draft; what is written can be read in words before it is saved."""
        row = self._draft(request, pk)
        form = SettingsForm(
            request.POST if request.method == "POST" else None,
            program=row.program,
            settings=read(row.definition),
        )
        wanted = form.wanted() if form.is_valid() else None
        if wanted is not None and "preview" not in request.POST:
            by, at = person(request), timezone.now()
            said = wanted
            if attempt(request, lambda: attribution_versions.edit(row, said, by=by, at=at), form=form):
                messages.success(request, _("The draft is saved."))
                return HttpResponseRedirect(row_url(row))
        return self.page(
            request,
            "admin/referrals/attribution/edit.html",
            title=_("Edit how credit is given"),
            status=422 if form.errors else 200,
            errors=bool(form.errors),
            parent=_name(row),
            parent_url=row_url(row),
            form=form,
            sections=list(form.sections()),
            sentences=_said(row, wanted) if wanted is not None else [],
            findings=attribution_lint.findings_of(wanted, row.program) if wanted is not None else [],
        )

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a draft in force, after saying what that does and what becomes different."""
        row, now = self._draft(request, pk), timezone.now()
        form = PublishForm(request.POST if request.method == "POST" else None, program=row.program)
        if form.is_valid():
            begins, by = form.effective_at(now=now), person(request)
            done = attempt(
                request,
                lambda: attribution_versions.publish(row, effective_at=begins, by=by, at=now),
                form=form,
            )
            if done is not None:
                when = l10n.datetime_text(begins, row.program.zone, locale())
                said = _("%(version)s is published, in force from %(when)s.")
                messages.success(request, said % {"version": _name(row), "when": when})
                return HttpResponseRedirect(row_url(done))
        gone, new = attribution_notices.changed(row, locale=locale())
        return self.page(
            request,
            "admin/referrals/attribution/publish.html",
            title=_("Publish version %(number)s") % {"number": row.number},
            status=422 if form.errors else 200,
            errors=bool(form.errors),
            parent=_name(row),
            parent_url=row_url(row),
            version=row,
            form=form,
            findings=attribution_versions.findings(row),
            gone=gone,
            new=new,
            consequences=_consequences(row, at=now),
        )

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw a draft away, after saying what that does."""
        row = self._draft(request, pk)
        name = _name(row)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: attribution_versions.discard(row, by=by, at=at)):
                messages.success(request, _("%(version)s is thrown away.") % {"version": name})
            return HttpResponseRedirect(list_url(AttributionVersion))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Throw the draft away"),
            parent=name,
            parent_url=row_url(row),
            consequences=[
                _("The draft and everything written in it is gone."),
                _("The rules in force stay as they are."),
            ],
            verb=_("Throw it away"),
        )

    def _draft(self, request: HttpRequest, pk: int) -> AttributionVersion:
        """Return a draft, for who may write it; any other version has no such page. Raises: PermissionDenied, Http404."""
        require(request, CAPABILITY)
        drafts = AttributionVersion.objects.select_related("program").filter(state=AttributionState.DRAFT)
        return get_object_or_404(drafts, pk=pk)


def _name(row: AttributionVersion) -> str:
    return _("%(program)s, credit version %(number)s") % {"program": row.program.name, "number": row.number}


def _said(row: AttributionVersion, settings: Settings) -> list[str]:
    return sentences(settings, currency=row.program.currency, locale=locale())


def _by_program(rows: QuerySet[AttributionVersion], *, at: datetime) -> list[ProgramVersions]:
    found: dict[int, list[AttributionVersion]] = {}
    for row in rows.order_by("-number"):
        found.setdefault(row.program_id, []).append(row)
    return [
        ProgramVersions(each, found.get(each.pk, []), _in_force(found.get(each.pk, []), at=at))
        for each in Program.objects.order_by("name", "pk")
    ]


def _in_force(versions: list[AttributionVersion], *, at: datetime) -> AttributionVersion | None:
    begun = [
        each
        for each in versions
        if each.state != AttributionState.DRAFT and each.effective_at is not None and each.effective_at <= at
    ]
    return max(begun, key=lambda each: (each.effective_at, each.number), default=None)


def _consequences(row: AttributionVersion, *, at: datetime) -> list[str]:
    members = row.program.memberships.filter(ended_at=None).count()
    said = [
        ngettext(
            "Events from its moment on are judged by it, for %(count)s membership of %(program)s.",
            "Events from its moment on are judged by it, for %(count)s memberships of %(program)s.",
            members,
        )
        % {"count": members, "program": row.program.name},
        _("What happened before keeps the rules of its time, however late it is recorded."),
        _("Active members are told by mail what changes and from when on, each in their language."),
        _(
            "The program's public page and the partners' portal say it in words, a coming change with its date."
        ),
        _("A published version can never be edited. A change is a new version."),
    ]
    before = attribution_versions.before(row)
    if before is not None:
        said.insert(1, _("Version %(number)s is superseded at that moment.") % {"number": before.number})
    else:
        said.insert(1, _("It replaces what holds for a program that published nothing."))
    clicks = row.program.cookie_days
    if before is None and read(row.definition).window_hours != standard(clicks).window_hours:
        said.append(_("From then on the program's cookie days no longer say how long a click counts."))
    return said
