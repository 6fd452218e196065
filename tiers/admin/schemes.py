"""Schemes of tiers, in versions. A draft is written on its page and the pages below it; publishing is a page of its own that says what will
happen, and what is published is only read."""

from __future__ import annotations

from collections.abc import Iterator
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
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Panel,
    add_panels,
    attempt,
    list_url,
    locale,
    pages_of,
    panels_of,
    person,
    require,
    row_url,
)
from prm.accounts.models import User
from prm.lib import l10n
from tiers import scheme_lint, schemes
from tiers.admin import scheme_view
from tiers.admin.scheme_draft import NAME, draft_of, name_of
from tiers.admin.scheme_pages import RequirementPages
from tiers.admin.scheme_process_forms import SchemePublishForm
from tiers.admin.scheme_process_pages import ProcessPages
from tiers.choices import SchemeState
from tiers.models import Program, TierScheme


@dataclass(frozen=True, slots=True)
class ProgramSchemes:
    """A program with the versions of its scheme, newest first."""

    program: Program
    versions: list[TierScheme]
    in_force: TierScheme | None

    @property
    def draft(self) -> TierScheme | None:
        return next((each for each in self.versions if each.state == SchemeState.DRAFT), None)


@admin.register(TierScheme)
class TierSchemeAdmin(BackOfficeAdmin):
    """Versions of what tiers ask."""

    section = gettext_lazy("What tiers ask")
    sees = "see_partners"

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that begin, write, publish and throw away a version."""
        view, both = self.admin_site.admin_view, require_http_methods(["GET", "POST"])
        own = [
            path("begin/<int:program_pk>/", view(both(self.begin)), name=f"{NAME}begin"),
            path("<int:pk>/publish/", view(both(self.publish)), name=f"{NAME}publish"),
            path("<int:pk>/discard/", view(both(self.discard)), name=f"{NAME}discard"),
        ]
        below = [*RequirementPages(self).urls(), *ProcessPages(self).urls(), *pages_of("tierscheme", self)]
        return [*own, *below, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TierScheme]:
        """Read the program with each version."""
        return super().get_queryset(request).select_related("program", "published_by")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the versions by program."""
        require(request, self.sees)
        return self.page(
            request,
            "admin/tiers/scheme/programs.html",
            title=_("What tiers ask"),
            programs=_by_program(self.get_queryset(request), at=timezone.now()),
            may_edit=policy.may(request.user, schemes.CAPABILITY),
        )

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show a version: a draft with what can be done to it, a published one to read."""
        if object_id is None or not object_id.isdigit():
            return None
        require(request, self.sees)
        row = get_object_or_404(self.get_queryset(request), pk=object_id)
        at = timezone.now()
        about = scheme_view.context(row, at=at)
        return self.page(
            request,
            "admin/tiers/scheme/version.html",
            title=name_of(row),
            may_edit=about["is_draft"] and policy.may(request.user, schemes.CAPABILITY),
            panels=panels_of("tierscheme", row, by=person(request), at=at),
            **about,
        )

    def begin(self, request: HttpRequest, program_pk: int) -> HttpResponse:
        """Begin a draft with what the newest version asks."""
        require(request, schemes.CAPABILITY)
        program = get_object_or_404(Program, pk=program_pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            made = attempt(request, lambda: schemes.draft(program, by=by, at=at))
            return HttpResponseRedirect(row_url(made) if made else list_url(TierScheme))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("New version for %(program)s") % {"program": program.name},
            parent_url=list_url(TierScheme),
            consequences=[
                _("A draft is made that begins with what the newest version asks. Only staff can see it."),
                _("Reviews follow the version in force until the draft is published."),
            ],
            verb=_("Make the draft"),
        )

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a draft in force, after saying what that does and what it asks differently."""
        row, now = draft_of(request, pk), timezone.now()
        posted = request.POST if request.method == "POST" else None
        plain = SchemePublishForm(posted, program=row.program, asks=False)
        begins = max(plain.effective_at(now=now), now) if plain.is_valid() else now
        found = scheme_view.looks(row, at=begins)
        asks = any(each.finding.code == scheme_lint.WINDOWS for each in found)
        form = SchemePublishForm(posted, program=row.program, asks=asks)
        if form.is_valid() and _nothing_is_wrong(form, found):
            done = self._published(request, row, form, now)
            if done is not None:
                return done
        before = scheme_view.compared(row, at=now)
        return self.page(
            request,
            "admin/tiers/scheme/publish.html",
            title=_("Publish version %(number)s") % {"number": row.number},
            status=422 if form.errors else 200,
            errors=bool(form.errors),
            parent=name_of(row),
            parent_url=row_url(row),
            scheme=row,
            form=form,
            before=before,
            differences=scheme_view.different(before, row) if before is not None else [],
            looks=found,
            panels=panels_of("tierscheme", row, by=person(request), at=now),
            consequences=_consequences(row, at=now),
        )

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw a draft away, after saying what that does."""
        row = draft_of(request, pk)
        name = name_of(row)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: schemes.discard(row, by=by, at=at)):
                messages.success(request, _("%(scheme)s is thrown away.") % {"scheme": name})
            return HttpResponseRedirect(list_url(TierScheme))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Throw the draft away"),
            parent=name,
            parent_url=row_url(row),
            consequences=[
                _("The draft and everything written in it is gone."),
                _("The version in force stays as it is."),
            ],
            verb=_("Throw it away"),
        )

    def _published(
        self, request: HttpRequest, row: TierScheme, form: SchemePublishForm, now: datetime
    ) -> HttpResponse | None:
        by, effective_at = person(request), form.effective_at(now=now)
        meant = [scheme_lint.WINDOWS] if form.cleaned_data.get("windows_meant") else []
        done = attempt(
            request,
            lambda: schemes.publish(row, effective_at=effective_at, by=by, at=now, meant=meant),
            form=form,
        )
        if done is None:
            return None
        when = l10n.datetime_text(effective_at, row.program.zone, locale())
        said = _("%(scheme)s is published, in force from %(when)s.")
        messages.success(request, said % {"scheme": name_of(row), "when": when})
        return HttpResponseRedirect(row_url(done))


def _nothing_is_wrong(form: SchemePublishForm, found: list[scheme_view.Look]) -> bool:
    """Say whether a draft may be published, with every error on the page; the verb itself would name the first alone."""
    meant = {scheme_lint.WINDOWS} if form.cleaned_data.get("windows_meant") else set()
    errors = [each.finding for each in found if each.finding.severity == "error"]
    for finding in errors:
        if finding.code not in meant:
            form.add_error("windows_meant" if finding.code == scheme_lint.WINDOWS else None, finding.message)
    return not form.errors


def _by_program(rows: QuerySet[TierScheme], *, at: datetime) -> list[ProgramSchemes]:
    found: dict[int, list[TierScheme]] = {}
    for row in rows.defer("definition", "report").order_by("-number"):
        found.setdefault(row.program_id, []).append(row)
    return [
        ProgramSchemes(each, found.get(each.pk, []), _in_force(found.get(each.pk, []), at=at))
        for each in Program.objects.order_by("name", "pk")
    ]


def _in_force(versions: list[TierScheme], *, at: datetime) -> TierScheme | None:
    begun = [
        each
        for each in versions
        if each.state != SchemeState.DRAFT and each.effective_at is not None and each.effective_at <= at
    ]
    return max(begun, key=lambda each: (each.effective_at, each.number), default=None)


def _consequences(row: TierScheme, *, at: datetime) -> list[str]:
    members = row.program.memberships.filter(ended_at=None).count()
    said = [
        ngettext(
            "Reviews from its date on follow it, for %(count)s membership of %(program)s.",
            "Reviews from its date on follow it, for %(count)s memberships of %(program)s.",
            members,
        )
        % {"count": members, "program": row.program.name},
        _("Nobody moves by publishing: tiers change by reviews and decisions."),
        _("Reviews that were held keep the version they were held by, with every figure."),
        _("Partners read the new requirements from that date on."),
        _("A published version can never be edited. A change is a new version."),
    ]
    before = schemes.in_force(row.program, at=at)
    if before is not None:
        said.insert(1, _("Version %(number)s is superseded on that date.") % {"number": before.number})
    return said


def panel_of(program: Program, by: User, at: datetime) -> Iterator[Panel]:
    """Lead from a program to what its tiers ask."""
    if not policy.may(by, "see_partners"):
        return
    rows = list(TierScheme.objects.filter(program=program).defer("definition", "report").order_by("-number"))
    about = ProgramSchemes(program, rows, _in_force(rows, at=at))
    yield Panel(
        title=_("What tiers ask"),
        template="admin/tiers/scheme/_panel.html",
        context={"schemes": about, "may_edit": policy.may(by, schemes.CAPABILITY)},
    )


add_panels("program", panel_of)
