"""Who would move under a draft of what tiers ask: counts before and after, movers from tier to tier with their figures, and the way to what it
would cost. Nobody is moved by looking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from partners import metrics
from partners.admin.tier_words import Wording
from partners.models import Membership
from partners.tier_reviews import what_if
from partners.tier_reviews.ladders import Ladders
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Panel,
    add_panels,
    attempt,
    locale,
    panels_of,
    person,
    require,
)
from prm.accounts.models import User
from prm.lib import l10n
from prm.runs import cards
from tiers import schemes
from tiers.choices import SchemeState
from tiers.models import TierScheme
from tiers.qualify import evaluate

SHOWN, PER_PAGE = 10, 50


class WhatIfPages:
    """The pages of one draft, below the table of tier reviews."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the addresses: the report, one pair of it, and the button that measures."""
        wrap = self.desk.admin_site.admin_view
        return [
            path("what-if/<int:pk>/", wrap(require_safe(self.show)), name="partners_tier_what_if"),
            path("what-if/<int:pk>/movers/", wrap(require_safe(self.movers)), name="partners_tier_movers"),
            path("what-if/<int:pk>/measure/", wrap(require_POST(self.measure)), name="partners_tier_measure"),
        ]

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the report that stands with a draft, or how far the job is that makes it."""
        require(request, "see_partners")
        row, at, by = _scheme(pk), timezone.now(), person(request)
        run = what_if.latest_run(row)
        is_running = run is not None and run.is_open
        ladders, wording = Ladders(row.program), Wording(row.program)
        pairs = row.report.get("pairs", [])
        return self.desk.page(
            request,
            "admin/partners/tierboard/what_if.html",
            title=_("Who would move in %(program)s") % {"program": row.program.name},
            scheme=row,
            program=row.program,
            is_draft=row.state == SchemeState.DRAFT,
            is_stale=what_if.is_stale(row),
            report=row.report,
            measured_at=datetime.fromisoformat(row.report["at"]) if row.report else None,
            tiers=list(_counts(row, ladders)),
            pairs=[_pair(row, each, ladders, wording, most=SHOWN) for each in pairs],
            panels=panels_of("tier_what_if", row, by=by, at=at) if pairs else [],
            **(cards.context(run, at=at) if run is not None and (is_running or not row.report) else {}),
        )

    def movers(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show everybody who would go from one tier to another, some at a time."""
        require(request, "see_partners")
        row = _scheme(pk)
        before, after = request.GET.get("from", ""), request.GET.get("to", "")
        pairs = row.report.get("pairs", [])
        pair = next((each for each in pairs if (each["from"], each["to"]) == (before, after)), None)
        ladders = Ladders(row.program)
        if pair is None:
            raise Http404
        page = Paginator(pair["members"], PER_PAGE).get_page(request.GET.get("page"))
        shown = {**pair, "members": list(page)}
        here = f"{_movers_url(row, pair)}&page="
        return self.desk.page(
            request,
            "admin/partners/tierboard/movers.html",
            title=_("From %(from)s to %(to)s")
            % {"from": _name(ladders, before), "to": _name(ladders, after)},
            parent=_("Who would move"),
            parent_url=_url(row),
            pair=_pair(row, shown, ladders, Wording(row.program), most=PER_PAGE),
            page=page,
            previous_url=f"{here}{page.previous_page_number()}" if page.has_previous() else "",
            next_url=f"{here}{page.next_page_number()}" if page.has_next() else "",
        )

    def measure(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Set a worker to measure everybody under a draft."""
        require(request, "see_partners")
        row = _scheme(pk)
        if attempt(request, lambda: what_if.ask(row, by=person(request), at=timezone.now())) is not None:
            messages.success(request, _("Everybody is being measured under this draft."))
        return HttpResponseRedirect(_url(row))


def _scheme(pk: int) -> TierScheme:
    return get_object_or_404(TierScheme.objects.select_related("program"), pk=pk)


def _url(row: TierScheme) -> str:
    return reverse("admin:partners_tier_what_if", args=[row.pk])


def _movers_url(row: TierScheme, pair: dict[str, Any]) -> str:
    return f"{reverse('admin:partners_tier_movers', args=[row.pk])}?from={pair['from']}&to={pair['to']}"


def _name(ladders: Ladders, key: str) -> str:
    tier = ladders.named(key)
    return tier.name if tier is not None else key


def _counts(row: TierScheme, ladders: Ladders) -> Iterator[dict[str, Any]]:
    """Yield how many stand in each tier now, and would then; a tier that would be too full says so."""
    counted = {each["tier"]: each for each in row.report.get("tiers", [])}
    for tier in sorted(ladders.tiers, key=lambda each: (each.track, -each.rank)):
        each = counted.get(tier.key)
        if each is None:
            continue
        is_over = tier.capacity is not None and each["after"] > tier.capacity
        yield {**each, "tier": tier, "is_over": is_over, "change": each["after"] - each["before"]}


def _pair(
    row: TierScheme, pair: dict[str, Any], ladders: Ladders, wording: Wording, *, most: int
) -> dict[str, Any]:
    """Return one pair of tiers with its first movers, each with what decides."""
    chosen = pair["members"][:most]
    found = Membership.objects.filter(pk__in=chosen).select_related("partner").in_bulk()
    scheme, ladder = schemes.scheme_of(row), ladders.in_use(_track(ladders, pair["from"]))
    movers = []
    for pk in chosen:
        kept = pair["figures"].get(str(pk))
        why: list[str] = []
        if kept is not None and any(rung.key == pair["from"] for rung in ladder):
            why = wording.short(evaluate(scheme, ladder, metrics.loaded(kept), current=pair["from"]))
        if pk in found:
            movers.append({"membership": found[pk], "name": found[pk].partner.name, "why": why})
    return {
        "before": ladders.named(pair["from"]),
        "after": ladders.named(pair["to"]),
        "outcome": pair["outcome"],
        "count": pair["count"],
        "anyway": pair["anyway"],
        "because": pair["count"] - pair["anyway"],
        "movers": movers,
        "more": pair["count"] - len(chosen),
        "url": _movers_url(row, pair),
        "id": f"{pair['from']}-{pair['to']}",
    }


def _track(ladders: Ladders, key: str) -> str:
    tier = ladders.named(key)
    return tier.track if tier is not None else ""


def panel_of(row: TierScheme, by: User, at: datetime) -> Iterator[Panel]:
    """Say on the page of a version who would move, or offer to look."""
    is_draft = row.state == SchemeState.DRAFT
    if not policy.may(by, "see_partners") or (not is_draft and not row.report):
        return
    ladders = Ladders(row.program)
    yield Panel(
        title=_("Who would move"),
        template="admin/partners/tierboard/panel.html",
        context={
            "url": _url(row),
            "measure_url": reverse("admin:partners_tier_measure", args=[row.pk]) if is_draft else "",
            "lines": [_line(each, ladders) for each in row.report.get("pairs", [])],
            "is_measured": bool(row.report),
            "is_stale": is_draft and what_if.is_stale(row),
        },
    )


def _line(pair: dict[str, Any], ladders: Ladders) -> str:
    text = ngettext(
        "%(count)s partner would go from %(before)s to %(after)s.",
        "%(count)s partners would go from %(before)s to %(after)s.",
        pair["count"],
    )
    count = l10n.number_text(pair["count"], locale())
    return text % {
        "count": count,
        "before": _name(ladders, pair["from"]),
        "after": _name(ladders, pair["to"]),
    }


add_panels("tierscheme", panel_of)
