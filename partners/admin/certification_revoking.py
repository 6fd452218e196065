"""Take a credential away, from a page that says beforehand what the partner's tier asks and what of it is no longer met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners.admin.certification_forms import RefuseForm
from partners.certification import consequences, credentials
from partners.checklists import in_language
from partners.models import Credential
from prm.accounts.back_office import BackOfficeAdmin, attempt, locale, person, require, row_url
from tiers.requirement_sentences import sentence
from tiers.requirement_words import figure_text

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object

CAPABILITY = "manage_courses"


class RevokePages(Desk):
    """The page that revokes, beside the table of credentials."""

    def revoke_urls(self) -> list[URLPattern]:
        """Return its address."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.revoke))
        return [path("<int:pk>/revoke/", view, name="partners_credential_revoke")]

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a credential away, after saying what that does to the partner's tier."""
        require(request, CAPABILITY)
        found, by, at = get_object_or_404(self.get_queryset(request), pk=pk), person(request), timezone.now()
        form = RefuseForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            if attempt(request, lambda: credentials.revoke(found, reason=reason, by=by, at=at), form=form):
                messages.success(request, _("The credential is revoked. The partner reads why."))
                return HttpResponseRedirect(row_url(found))
        return self.page(
            request,
            "admin/partners/certification/revoke.html",
            title=_("Revoke a credential"),
            status=422 if form.errors else 200,
            parent=found.staff.full_name,
            parent_url=row_url(found),
            form=form,
            errors=bool(form.errors),
            requirements=_requirements(found),
            consequences=_consequences(found),
        )


def _requirements(found: Credential) -> list[dict[str, Any]]:
    """Return what the partner's tier asks about certified people, with each figure now and without this credential."""
    program = found.certification.program
    rows = consequences.of_revoking(found, at=timezone.now())
    return [
        {
            "tier": row.tier.name,
            "asks": sentence(row.requirement, program, locale()),
            "before": figure_text(row.requirement.question, row.before, program.currency, locale()),
            "after": figure_text(row.requirement.question, row.after, program.currency, locale()),
            "falls": row.falls,
            "is_met": row.requirement.is_met_by(row.after),
        }
        for row in rows
    ]


def _consequences(found: Credential) -> list[str]:
    return [
        _("%(name)s no longer counts as certified in %(certification)s, from now on.")
        % {"name": found.staff.full_name, "certification": in_language(found.certification.name)},
        _(
            "The owners of %(partner)s read the reason, and the public page of the credential says that it is revoked."
        )
        % {"partner": found.staff.partner.name},
        _("No tier changes by this alone: the next review looks at the figures."),
        _("It stays on record and cannot be made valid again; grant another one when it was a mistake."),
    ]
