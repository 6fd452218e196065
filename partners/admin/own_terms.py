"""Own terms of a membership in the back office: what it earns by now, what was agreed before, and the way from a draft to a proposal. The
rules of a draft are written where all drafts are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from partners import negotiation
from partners.admin.forms import ProposalForm
from partners.models import Membership
from partners.standing import names_for, plan_of, standing_of
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Panel,
    add_panels,
    attempt,
    locale,
    person,
    require,
    row_url,
)
from prm.accounts.models import User
from tiers import audience
from tiers.choices import VersionState
from tiers.models import PlanVersion

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object


class OwnTermsPages(Desk):
    """The pages of own terms, beside the table of memberships."""

    def terms_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        pages: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("terms/", "terms", require_GET(self.terms)),
            ("terms/draft/", "terms_draft", require_POST(self.draft_terms)),
            ("terms/propose/", "terms_propose", require_POST(self.propose_terms)),
            ("terms/withdraw/", "terms_withdraw", require_POST(self.withdraw_terms)),
        ]
        return [
            path(f"<int:pk>/{address}", self.admin_site.admin_view(view), name=f"partners_membership_{name}")
            for address, name, view in pages
        ]

    def terms(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what a membership earns by and what is agreed with it."""
        return self._terms_page(request, self._membership(request, pk), None)

    def draft_terms(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin a draft and go to where its rules are written."""
        membership, by, at = self._membership(request, pk), person(request), timezone.now()
        draft = attempt(request, lambda: negotiation.begin(membership, by=by, at=at))
        return HttpResponseRedirect(_terms_url(membership) if draft is None else row_url(draft))

    def propose_terms(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Propose the draft to the owners of the partner's team."""
        membership, by, now = self._membership(request, pk), person(request), timezone.now()
        draft = get_object_or_404(negotiation.versions_of(membership), state=VersionState.DRAFT)
        form = ProposalForm(request.POST, program=membership.program)
        if form.is_valid():
            begins = form.effective_at(now=now)
            done = attempt(
                request,
                lambda: negotiation.propose(draft, effective_at=begins, by=by, at=now),
                form=form,
            )
            if done is not None:
                messages.success(
                    request, _("The owners of the team are asked. Nothing changes until they accept.")
                )
                return HttpResponseRedirect(_terms_url(membership))
        return self._terms_page(request, membership, form, status=422)

    def withdraw_terms(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take the proposal back."""
        membership, by, at = self._membership(request, pk), person(request), timezone.now()
        waiting = get_object_or_404(negotiation.versions_of(membership), state=VersionState.PROPOSED)
        if attempt(request, lambda: negotiation.withdraw(waiting, by=by, at=at)) is not None:
            messages.success(request, _("The proposal is withdrawn; it is a draft again."))
        return HttpResponseRedirect(_terms_url(membership))

    def _membership(self, request: HttpRequest, pk: int) -> Membership:
        require(request, self.sees)
        membership: Membership = get_object_or_404(self.get_queryset(request), pk=pk)
        return membership

    def _terms_page(
        self, request: HttpRequest, membership: Membership, form: ProposalForm | None, *, status: int = 200
    ) -> HttpResponse:
        at, versions = timezone.now(), list(negotiation.versions_of(membership))
        open_one = next((each for each in versions if each.state == VersionState.DRAFT), None)
        names = {"partner": membership.partner.name, "program": membership.program.name}
        return self.page(
            request,
            "admin/partners/membership/terms.html",
            title=_("Own terms of %(partner)s in %(program)s") % names,
            status=status,
            membership=membership,
            sentences=_sentences(membership, at=at),
            rows=[_row(version) for version in versions],
            draft=open_one,
            draft_url=row_url(open_one) if open_one else "",
            waits=any(each.state == VersionState.PROPOSED for each in versions),
            may_publish=policy.may(request.user, "publish_plans"),
            form=form or ProposalForm(program=membership.program),
            consequences=[
                _("The owners of the team get a mail and read the terms beside what they have now."),
                _("Nothing changes until one of them accepts. A decline comes back to you with its reason."),
                _("While it waits, the version cannot be edited."),
            ],
        )


def _terms_url(membership: Membership) -> str:
    return reverse("admin:partners_membership_terms", args=[membership.pk])


def _sentences(membership: Membership, *, at: datetime) -> list[str]:
    plan = plan_of(membership, at=at)
    if plan is None:
        return []
    return audience.told(
        plan,
        standing_of(membership, at=at),
        currency=membership.program.currency,
        locale=locale(),
        names=names_for(membership),
    )


def _row(version: PlanVersion) -> dict[str, Any]:
    return {
        "name": _("Version %(number)s") % {"number": version.number},
        "url": row_url(version),
        "state": version.get_state_display(),
        "begins": version.effective_at,
        "proposed_by": version.proposed_by or "",
        "accepted_by": version.accepted_by or "",
    }


def whose_terms(version: PlanVersion, by: User, at: datetime) -> Iterator[Panel]:
    """Say on a version's page whose own terms it is, with the way to where it is proposed."""
    found = Membership.objects.filter(public_id=version.member_key).select_related("partner", "program")
    membership = found.first() if version.member_key else None
    if membership is None or not policy.may(by, "see_partners"):
        return
    yield Panel(
        title=_("For one partner only"),
        template="admin/partners/membership/whose_terms.html",
        context={
            "partner": membership.partner.name,
            "url": _terms_url(membership),
            "is_draft": version.state == VersionState.DRAFT,
        },
    )


add_panels("planversion", whose_terms)
