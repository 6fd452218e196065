"""Terms of programs in versions. A draft can be written and rewritten; publishing is a page of its own, and what is published stays."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners import terms
from partners.admin.forms import InForceForm, NewTermsForm
from partners.choices import TermsState
from partners.models import TermsVersion
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, attempt, locale, person, require, row_url
from prm.lib import l10n
from prm.lib.periods import local_day

TEXTS = ("summary", *terms.SECTIONS)


@admin.register(TermsVersion)
class TermsVersionAdmin(BackOfficeAdmin):
    """Versions of terms."""

    sees, adds, changes = "see_partners", "publish_terms", "publish_terms"
    change_form_template = "admin/partners/termsversion/change_form.html"
    list_display = ("which", "state", "effective_at", "published_at", "published_by")
    list_filter = ("program", "state")
    list_select_related = ("program", "published_by")
    search_fields = ("program__name", "public_id")
    ordering = ("program__name", "-number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TermsVersion]:
        """Read the program with each version."""
        return super().get_queryset(request).select_related("program", "published_by")

    def get_urls(self) -> list[URLPattern]:
        """Add the page that publishes."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.publish))
        return [path("<int:pk>/publish/", view, name="partners_termsversion_publish"), *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: TermsVersion | None = None) -> bool:
        """Change drafts only."""
        return super().has_change_permission(request, obj) and (obj is None or obj.state == TermsState.DRAFT)

    def get_form(
        self, request: HttpRequest, obj: TermsVersion | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Ask for the program of a new version only."""
        if obj is None:
            kwargs["form"] = NewTermsForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: TermsVersion | None = None) -> Any:
        """Show the texts, with dates once there are any."""
        if obj is None:
            return ("program", *TEXTS)
        return TEXTS if obj.state == TermsState.DRAFT else ("effective_at", *TEXTS)

    @admin.display(description=gettext_lazy("terms"), ordering="program__name")
    def which(self, version: TermsVersion) -> str:
        """Return the program and the version's number."""
        return name_of(version)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer to publish a draft."""
        version = kwargs.get("obj")
        if version is not None:
            is_draft = version.state == TermsState.DRAFT
            context.update(
                {
                    "title": name_of(version),
                    "subtitle": None,
                    "version": version,
                    "may_publish": is_draft and policy.may(request.user, "publish_terms"),
                }
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: TermsVersion, form: Any, change: bool) -> None:
        """Draft a new version, or save the texts of a draft."""
        by, at = person(request), timezone.now()
        given = {name: form.cleaned_data[name] for name in TEXTS}
        if not change:
            drafted = terms.draft(obj.program, sections=given, by=by, at=at)
            # The admin goes on with the object it was given, which now is the stored one.
            obj.__dict__.update(drafted.__dict__)
            return
        policy.require(by, "publish_terms")
        obj.save(update_fields=list(TEXTS))
        audit.record(by, "terms.edited", obj, at=at, fields=sorted(form.changed_data))

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Publish a draft from a date on, after saying what that does."""
        require(request, "publish_terms")
        version = get_object_or_404(self.get_queryset(request), pk=pk)
        zone, now = version.program.zone, timezone.now()
        form = InForceForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            day, by = form.cleaned_data["effective_on"], person(request)
            effective_at = datetime.combine(day, time(0), tzinfo=zone) if day else now
            done = attempt(
                request, lambda: terms.publish(version, effective_at=effective_at, by=by, at=now), form=form
            )
            if done is not None:
                said = _("%(terms)s: in force from %(date)s on.")
                when = l10n.date_text(local_day(effective_at, zone), locale())
                messages.success(request, said % {"terms": name_of(version), "date": when})
                return HttpResponseRedirect(row_url(version))
        return self.page(
            request,
            "admin/partners/termsversion/publish.html",
            title=_("Publish %(terms)s") % {"terms": name_of(version)},
            version=version,
            form=form,
            errors=bool(form.errors),
            consequences=[
                _("Whoever applies from that date on accepts this version."),
                _("Partners who are in already keep what they accepted."),
                _("A published version can never be edited. A new text is a new version."),
            ],
        )


def name_of(version: TermsVersion) -> str:
    """Return the version as people call it."""
    return _("%(program)s, terms version %(number)s") % {
        "program": version.program.name,
        "number": version.number,
    }
