"""Change the tier of one membership by hand: what it earns then, what stays, whose terms count, and the mail, before anything happens. With a
day it is a decision that ends by itself, and reviews go on for information meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners import placement
from partners.admin.tier_case_facts import last_day
from partners.admin.tier_effects import Effects, Mail, of_customers, rehearse
from partners.admin.tier_forms import ChangeTierForm
from partners.choices import ReviewState
from partners.models import Membership, Placement, TierReview
from partners.tier_reviews import by_hand, overrides
from prm.accounts.back_office import BackOfficeAdmin, Fact, attempt, locale, person, require, row_url
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.errors import Refused
from tiers.models import Tier

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object

CAPABILITY = "place_in_tiers"


class ChangeTierPages(Desk):
    """A mixin of the memberships' table: the page that changes a tier."""

    def tier_urls(self) -> list[URLPattern]:
        """Return the address of the page."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.change_tier))
        return [path("<int:pk>/tier/", view, name="partners_membership_tier")]

    def change_tier(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Place a membership in another tier, after saying what that does."""
        require(request, CAPABILITY)
        membership = get_object_or_404(self.get_queryset(request), pk=pk)
        at, by = timezone.now(), person(request)
        standing = Placement.objects.open().filter(membership=membership).select_related("tier").first()
        before = standing.tier if standing is not None else None
        effects = Effects(membership.program, at=at)
        form = ChangeTierForm(
            request.POST if request.method == "POST" else None,
            membership=membership,
            standing=before,
            rates=effects.rates,
        )
        is_sent = request.method == "POST" and "preview" not in request.POST
        if is_sent and form.is_valid():
            given = form.cleaned_data
            done = attempt(request, lambda: _act(membership, given, by=by, at=at), form=form)
            if done is not None:
                messages.success(request, _done(membership, given))
                return HttpResponseRedirect(row_url(membership.partner))
        mails, hindrance = _rehearsed(membership, form, by=by, at=at)
        chosen = form.cleaned_data.get("tier") if form.is_bound and form.is_valid() else None
        return self.page(
            request,
            "admin/partners/membership/tier.html",
            title=_("Change the tier of %(partner)s") % {"partner": membership.partner.name},
            status=422 if form.errors else 200,
            parent=str(membership.partner),
            parent_url=row_url(membership),
            membership=membership,
            form=form,
            errors=bool(form.errors),
            facts=_facts(membership, before, effects, at=at),
            consequences=list(_consequences(membership, before, chosen, form, effects, at=at)),
            mails=mails,
            hindrance=hindrance if not form.errors else "",
        )


def _act(membership: Membership, given: dict[str, Any], *, by: User, at: datetime) -> object:
    tier, because, until = given["tier"], given["because"], given.get("until")
    if until is None:
        return by_hand.change(membership, tier=tier, because=because, by=by, at=at)
    try:
        return overrides.override(membership, tier=tier, reason=because, until=until, by=by, at=at)
    except Refused as refusal:
        if refusal.field == "reason":
            refusal.field = "because"
        raise


def _done(membership: Membership, given: dict[str, Any]) -> str:
    told = {"partner": membership.partner.name, "tier": given["tier"].name}
    if given.get("until") is None:
        return _("%(partner)s stands in %(tier)s from now on.") % told
    day = l10n.date_text(given["until"], locale(), "long")
    return _("%(partner)s stands in %(tier)s until the end of %(date)s.") % {**told, "date": day}


def _rehearsed(
    membership: Membership, form: ChangeTierForm, *, by: User, at: datetime
) -> tuple[list[Mail] | None, str]:
    """Return the mails that would be sent, None before that can be said; and why it would be refused."""
    if not (form.is_bound and form.is_valid()):
        return None, ""
    try:
        return rehearse(lambda: _act(membership, form.cleaned_data, by=by, at=at)), ""
    except Refused as refusal:
        return None, str(refusal)


def _facts(membership: Membership, before: Tier | None, effects: Effects, *, at: datetime) -> list[Fact]:
    found = [
        Fact(_("Program"), membership.program.name),
        Fact(_("Stands in"), before.name if before else _("no tier")),
        Fact(_("Earns now"), effects.rate(before)),
    ]
    holding = overrides.holding(at=at).filter(membership=membership).select_related("tier").first()
    if holding is not None:
        day = last_day(holding.expires_at, membership.program)
        told = {"kind": holding.get_kind_display(), "date": day}
        found.append(Fact(_("Decided by hand"), _("%(kind)s until %(date)s") % told, holding.reason))
    return found


def _consequences(
    membership: Membership,
    before: Tier | None,
    chosen: Tier | None,
    form: ChangeTierForm,
    effects: Effects,
    *,
    at: datetime,
) -> Iterator[str]:
    """Yield what happens: in general until a tier is chosen, then for this one."""
    if chosen is None:
        yield _("New sales earn by the new tier from now on.")
        yield _("Commission that is booked already does not change, whatever its state.")
        for tier in Tier.objects.filter(program=membership.program_id).in_use().by_rank():
            yield from effects.of_terms(None, tier)
    else:
        yield from effects.of(membership, before, chosen)
        if before is not None and placement.is_fall(before, chosen):
            kept = by_hand.kept_customers(membership, before, chosen, at=at)
            until = kept.get("customers_keep_ends_at")
            yield of_customers(bool(kept), until, before, membership.program)
        if form.cleaned_data.get("until"):
            yield _("Reviews go on for information; when the day is over, the figures are looked at again.")
        else:
            yield _("The next review looks at the figures as always.")
    case = TierReview.objects.open().filter(membership=membership).first()
    if case is not None:
        state = ReviewState(case.state).label
        yield _("A review is open (%(state)s): it is overtaken by this decision.") % {"state": state}
    yield _("The change, its reason and your name stay on record.")
