"""Terms of programs in versions. A draft can be written and rewritten; publishing is a page of its own, and what is published stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners import terms, terms_archive, terms_asking
from partners.admin.forms_terms import CompareForm, DraftTermsForm, InForceForm, NewTermsForm
from partners.admin.terms_publishing import moment_of, preview_of, pricing_of, proposed_day
from partners.choices import TermsState
from partners.models import Acceptance, TermsNotice, TermsVersion
from partners.terms.publishing import SETTINGS
from partners.terms.versions import TEXTS
from prm import documents
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    locale,
    person,
    require,
    row_url,
    state_column,
    when_column,
)
from prm.lib import l10n
from prm.lib.periods import local_day


@admin.register(TermsVersion)
class TermsVersionAdmin(BackOfficeAdmin):
    """Versions of terms."""

    section = gettext_lazy("Terms")
    sees, adds, changes = "see_partners", "publish_terms", "publish_terms"
    change_form_template = "admin/partners/termsversion/change_form.html"
    list_display = (
        "which",
        "tier",
        state_column("terms", gettext_lazy("state")),
        when_column("effective_at", gettext_lazy("in force from")),
        when_column("published_at", gettext_lazy("published")),
        "published_by",
    )
    list_filter = ("program", "state")
    list_select_related = ("program", "tier", "published_by")
    search_fields = ("program__name", "public_id")
    ordering = ("program__name", "-number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TermsVersion]:
        """Read the program with each version."""
        return super().get_queryset(request).select_related("program", "tier", "published_by")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that publish, compare, draft and print."""
        wrap = self.admin_site.admin_view
        pages: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("publish", "publish", require_http_methods(["GET", "HEAD", "POST"])(self.publish)),
            ("compare", "compare", require_safe(self.compare)),
            ("draft", "draft", require_POST(self.draft_next)),
            ("pricing", "pricing", require_POST(self.pricing)),
            ("pdf", "pdf", require_safe(self.pdf)),
        ]
        own = [
            path(f"<int:pk>/{address}/", wrap(view), name=f"partners_termsversion_{name}")
            for address, name, view in pages
        ]
        return [*own, *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: TermsVersion | None = None) -> bool:
        """Change drafts only."""
        return super().has_change_permission(request, obj) and (obj is None or obj.state == TermsState.DRAFT)

    def get_form(
        self, request: HttpRequest, obj: TermsVersion | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Ask for the program of a new version only, and for the tier of every draft."""
        kwargs["form"] = NewTermsForm if obj is None else DraftTermsForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: TermsVersion | None = None) -> Any:
        """Show the texts, and what the version asks of members."""
        texts = ("tier", *TEXTS) if obj is not None else ("program", "tier", *TEXTS)
        return ((None, {"fields": texts}), (gettext_lazy("What it asks of members"), {"fields": SETTINGS}))

    @admin.display(description=gettext_lazy("terms"), ordering="program__name")
    def which(self, version: TermsVersion) -> str:
        """Return the program and the version's number."""
        return name_of(version)

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show what is published, which nobody edits."""
        if object_id is None or not object_id.isdigit():
            return None
        version = self.get_queryset(request).exclude(state=TermsState.DRAFT).filter(pk=object_id).first()
        if version is None:
            return None
        require(request, self.sees)
        return self.page(
            request,
            "admin/partners/termsversion/version.html",
            title=name_of(version),
            version=version,
            facts=_facts(version),
            summary=version.summary,
            sections=terms.sections(version),
            form=CompareForm(
                initial={"before": _before(version), "after": version.pk}, program=version.program
            ),
            has_others=TermsVersion.objects.filter(program=version.program_id).count() > 1,
            may_publish=policy.may(request.user, "publish_terms"),
            can_print=documents.is_likely(),
        )

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer to publish a draft, or say what it lacks."""
        version = kwargs.get("obj")
        if version is not None:
            newest = terms.published_for(version.program, version.tier_id).first()
            context.update(
                {
                    "title": name_of(version),
                    "subtitle": None,
                    "version": version,
                    "empty": terms.empty_sections(version),
                    "newest": newest,
                    "may_publish": policy.may(request.user, "publish_terms"),
                }
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: TermsVersion, form: Any, change: bool) -> None:
        """Draft a new version, or save a draft."""
        by, at = person(request), timezone.now()
        given = {name: form.cleaned_data[name] for name in (*TEXTS, *SETTINGS)}
        tier = form.cleaned_data["tier"]
        if change:
            given["tier"] = tier
            saved = terms.edit(TermsVersion.objects.get(pk=obj.pk), values=given, by=by, at=at)
        else:
            saved = terms.draft(obj.program, sections=given, by=by, at=at, tier=tier)
        # The admin goes on with the object it was given, which now is the stored one.
        obj.__dict__.update(saved.__dict__)

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Publish a draft from a date on, after saying what that does."""
        require(request, "publish_terms")
        version = get_object_or_404(self.get_queryset(request), pk=pk)
        now = timezone.now()
        if version.state != TermsState.DRAFT:
            return HttpResponseRedirect(row_url(version))
        asked = request.POST if request.method == "POST" else request.GET
        form = InForceForm(asked if "effective_on" in asked else None)
        if not form.is_bound:
            form = InForceForm(initial={"effective_on": proposed_day(version, at=now)})
        if request.method == "POST" and form.is_valid():
            effective_at = moment_of(version, form.cleaned_data["effective_on"], at=now)
            by = person(request)
            done = attempt(
                request, lambda: terms.publish(version, effective_at=effective_at, by=by, at=now), form=form
            )
            if done is not None:
                said = _("%(terms)s: in force from %(date)s on.")
                when = l10n.date_text(local_day(effective_at, version.program.zone), locale())
                messages.success(request, said % {"terms": name_of(version), "date": when})
                return HttpResponseRedirect(row_url(version))
        elif form.is_bound and form.is_valid():
            day = form.cleaned_data["effective_on"]
            attempt(
                request,
                lambda: terms.refuse_date(version, effective_at=moment_of(version, day, at=now), at=now),
                form=form,
            )
        day = form.cleaned_data.get("effective_on") if form.is_bound else form.initial["effective_on"]
        return self.page(
            request,
            "admin/partners/termsversion/publish.html",
            title=_("Publish %(terms)s") % {"terms": name_of(version)},
            status=422 if form.is_bound and form.errors else 200,
            version=version,
            form=form,
            errors=form.is_bound and bool(form.errors),
            empty=terms.empty_sections(version),
            **preview_of(version, effective_at=moment_of(version, day, at=now), at=now),
        )

    def compare(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Lay two versions beside each other, word by word."""
        require(request, self.sees)
        version = get_object_or_404(self.get_queryset(request), pk=pk)
        form = CompareForm(request.GET or None, program=version.program)
        if request.GET and form.is_valid():
            before, after = form.cleaned_data["before"], form.cleaned_data["after"]
        else:
            before = TermsVersion.objects.get(pk=_before(version) or version.pk)
            after = version
        if not request.GET:
            form = CompareForm(initial={"before": before.pk, "after": after.pk}, program=version.program)
        return self.page(
            request,
            "admin/partners/termsversion/compare.html",
            title=_("Compare versions of %(program)s") % {"program": version.program.name},
            version=version,
            parent=name_of(version),
            parent_url=row_url(version),
            form=form,
            before=before,
            after=after,
            difference=terms.compare(before, after),
        )

    def draft_next(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin the next version from what is published, and go to where it is written."""
        version = get_object_or_404(self.get_queryset(request), pk=pk)
        by, at = person(request), timezone.now()
        made = attempt(
            request, lambda: terms.draft_from_current(version.program, by=by, at=at, tier=version.tier)
        )
        return HttpResponseRedirect(row_url(made or version))

    def pricing(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put what the plan in force says before the text about pricing."""
        version = get_object_or_404(self.get_queryset(request), pk=pk)
        by, at = person(request), timezone.now()
        said = pricing_of(version.program, at=at)
        if not said:
            messages.error(request, _("No plan is in force in this program yet."))
        elif said in version.pricing:
            messages.info(request, _("The text about pricing says it already."))
        else:
            text = f"{said}\n\n{version.pricing}".strip()
            done = attempt(request, lambda: terms.edit(version, values={"pricing": text}, by=by, at=at))
            if done is not None:
                messages.success(
                    request, _("The plan's sentences stand at the beginning of the text about pricing.")
                )
        return HttpResponseRedirect(row_url(version))

    def pdf(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a published version as PDF."""
        require(request, self.sees)
        version = get_object_or_404(self.get_queryset(request), pk=pk)
        content = attempt(request, lambda: terms_archive.version_pdf(version))
        if content is None:
            return HttpResponseRedirect(row_url(version))
        return attached(content, terms_archive.version_file_name(version))


def attached(content: bytes, name: str) -> HttpResponse:
    """Return a PDF as a download."""
    response = HttpResponse(content, content_type=documents.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def name_of(version: TermsVersion) -> str:
    """Return the version as people call it."""
    told = {"program": version.program.name, "number": version.number}
    if version.tier is not None:
        return _("%(program)s, terms version %(number)s for %(tier)s") % {**told, "tier": version.tier.name}
    return _("%(program)s, terms version %(number)s") % told


def _before(version: TermsVersion) -> int | None:
    """Return the version most people will compare with: the published one before it."""
    others = terms.published_for(version.program, version.tier_id).exclude(pk=version.pk)
    if version.effective_at is not None:
        others = others.filter(effective_at__lte=version.effective_at)
    found = others.first()
    return found.pk if found else None


def _facts(version: TermsVersion) -> list[Fact]:
    zone = version.program.zone
    members = terms_asking.members_to_ask(version, at=timezone.now()).order_by().count()
    overdue = TermsNotice.objects.filter(
        terms_version=version, settled_at=None, overdue_at__isnull=False, membership__ended_at=None
    ).count()
    accepted = Acceptance.objects.filter(terms_version=version).count()
    begins = l10n.datetime_text(version.effective_at, zone, locale()) if version.effective_at else ""
    published = l10n.datetime_text(version.published_at, zone, locale()) if version.published_at else ""
    asks = _("Yes") if version.asks_members else _("No")
    for_whom = version.tier.name if version.tier is not None else _("Every tier that has no terms of its own")
    return [
        Fact(_("State"), version.get_state_display()),
        Fact(_("For"), for_whom),
        Fact(_("In force from"), begins),
        Fact(_("Published"), published, str(version.published_by or "")),
        Fact(_("Members have to accept it again"), asks),
        Fact(_("Days to accept"), version.accept_within_days, version.get_consequence_display()),
        Fact(_("Accepted by"), accepted),
        Fact(_("Members who have not accepted it yet"), members if version.asks_members else "–"),
        Fact(_("Overdue"), overdue),
        Fact(_("Hash of the text"), version.sha256),
    ]
