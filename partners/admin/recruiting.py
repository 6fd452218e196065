"""Who recruited a partner, in the back office: named once, on a page that says what follows. The verb decides; the page asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners import recruiting
from partners.admin.forms import RecruiterForm
from partners.models import Membership
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, Fact, attempt, link_to, person, require, row_url

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object


class RecruiterPages(Desk):
    """The page that names a recruiter, beside the table of memberships."""

    def recruiter_urls(self) -> list[URLPattern]:
        """Return the page's address."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.name_recruiter))
        return [path("<int:pk>/recruiter/", view, name="partners_membership_recruiter")]

    @admin.display(description=gettext_lazy("recruited by"))
    def recruited_by(self, membership: Membership) -> str:
        """Return who recruited it, as a link."""
        above = membership.recruiter
        return "–" if above is None else link_to(above, above.partner.name)

    def name_recruiter(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Name who recruited a partner, after saying what that does."""
        require(request, "manage_partners")
        membership = get_object_or_404(self.get_queryset(request), pk=pk)
        form = RecruiterForm(request.POST or None, membership=membership)
        if request.method == "POST" and form.is_valid():
            above, by, at = form.cleaned_data["recruiter"], person(request), timezone.now()
            named = attempt(
                request, lambda: recruiting.name_recruiter(membership, above, by=by, at=at), form=form
            )
            if named is not None:
                said = _("%(recruiter)s is named as who recruited %(partner)s.")
                names = {"recruiter": above.partner.name, "partner": membership.partner.name}
                messages.success(request, said % names)
                return HttpResponseRedirect(row_url(membership))
        return self._recruiter_page(request, membership, form)

    def _recruiter_page(
        self, request: HttpRequest, membership: Membership, form: RecruiterForm
    ) -> HttpResponse:
        names: dict[str, Any] = {"partner": membership.partner.name}
        above = membership.recruiter
        return self.page(
            request,
            "admin/partners/membership/recruiter.html",
            title=_("Who recruited %(partner)s") % names,
            status=422 if form.errors else 200,
            form=form,
            is_open=above is None,
            facts=[
                Fact(_("Program"), membership.program.name),
                Fact(_("Recruited by"), above.partner.name if above else _("nobody named")),
            ],
            consequences=[
                _("From now on the recruiter earns what the plan's override says when %(partner)s sells.")
                % names,
                _("Sales from before earn the recruiter nothing, even when they come in late."),
                _("This cannot be changed later. Your name stays on record."),
            ],
        )


def may_name_recruiter(request: HttpRequest, membership: Membership) -> bool:
    """Say whether to offer the page."""
    return membership.recruiter_id is None and policy.may(request.user, "manage_partners")
