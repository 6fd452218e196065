"""Tier reviews: the queue of cases. It opens with what staff decide on now, appeals first by the day an answer is promised; several cases can
be decided together."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from partners.admin.tier_board import TierBoard
from partners.admin.tier_bulk import BulkPages
from partners.admin.tier_case import CasePages
from partners.admin.tier_queue_filters import OwnerFilter, ProgramFilter, WaitingFilter
from partners.admin.tier_what_if import WhatIfPages
from partners.choices import ReviewOutcome, ReviewState
from partners.models import TierReview
from partners.tier_reviews import waiting
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, locale, person, require, state_column
from prm.lib import l10n
from prm.lib.cells import formula_safe
from prm.lib.periods import local_day

_FILE = (
    "case",
    "membership",
    "partner",
    "program",
    "round",
    "due_on",
    "outcome",
    "from",
    "to",
    "reached",
    "state",
    "evaluated_at",
    "told_at",
    "grace_ends_at",
    "answer_on",
    "effective_at",
    "owner",
)


@admin.register(TierReview)
class TierReviewAdmin(CasePages, BulkPages, BackOfficeAdmin):
    """Cases of tier reviews, what is most pressing first."""

    section = gettext_lazy("Tier reviews")
    sees = "see_partners"
    change_list_template = "admin/partners/tierreview/change_list.html"
    list_display = (
        "member",
        "move",
        state_column("tier_review", gettext_lazy("state")),
        "waiting",
        "deadline",
        "owner",
        "program",
    )
    list_display_links = ("member",)
    list_filter = (WaitingFilter, "state", "outcome", ProgramFilter, OwnerFilter)
    search_fields = ("membership__partner__name", "membership__partner__email", "public_id")
    search_help_text = gettext_lazy("Partner, address or id")
    list_per_page = 25

    def get_ordering(self, request: HttpRequest) -> Any:
        """Put what waits for us first."""
        at = timezone.now()
        answer = F("appeal__answer_on").asc(nulls_last=True)
        return (waiting.urgency(at=at).asc(), answer, "grace_ends_at", "evaluated_at", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TierReview]:
        """Read what the rows name; figures only where a case is shown."""
        found = TierReview.objects.select_related(
            "membership__partner__account_manager", "membership__program", "from_tier", "to_tier", "appeal"
        )
        return found.defer("figures", "last_figures")

    def get_urls(self) -> list[URLPattern]:
        """Add the board, the pages of one case and of several, and the file."""
        wrap = self.admin_site.admin_view
        return [
            *TierBoard(self).urls(),
            *WhatIfPages(self).urls(),
            *self.case_urls(),
            *self.bulk_urls(),
            path("file.csv", wrap(require_safe(self.file)), name="partners_tierreview_file"),
            *super().get_urls(),
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer decisions on several rows to those who decide."""
        return self.bulk_actions() if policy.may(request.user, "decide_reviews") else {}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the board, and to the file of exactly the rows that are shown."""
        query = request.GET.urlencode()
        file_url = reverse("admin:partners_tierreview_file")
        extra = {"file_url": f"{file_url}?{query}" if query else file_url}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def member(self, case: TierReview) -> str:
        """Return the partner's name."""
        return case.membership.partner.name

    @admin.display(description=gettext_lazy("program"), ordering="membership__program__name")
    def program(self, case: TierReview) -> str:
        """Return the program's name."""
        return case.membership.program.name

    @admin.display(description=gettext_lazy("proposes"), ordering="outcome")
    def move(self, case: TierReview) -> str:
        """Return from where to where, in words."""
        return move_text(case)

    @admin.display(description=gettext_lazy("waiting since"), ordering="evaluated_at")
    def waiting(self, case: TierReview) -> str:
        """Return since when the case waits, and how many days that is."""
        since = waits_since(case)
        if case.state not in ReviewState.open():
            return "–"
        days = (timezone.now() - since).days
        age = ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
        text = l10n.date_text(local_day(since, case.membership.program.zone), locale())
        return format_html('{}<span class="sub">{}</span>', text, age)

    @admin.display(description=gettext_lazy("next date"), ordering="grace_ends_at")
    def deadline(self, case: TierReview) -> str:
        """Return the day by which something is promised, or on which something ends."""
        return deadline_text(case)

    @admin.display(description=gettext_lazy("owner"))
    def owner(self, case: TierReview) -> str:
        """Return who looks after the partner."""
        manager = case.membership.partner.account_manager
        return (manager.full_name or manager.email) if manager is not None else "–"

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one case."""
        return self.case(request, object_id) if object_id else None

    def file(self, request: HttpRequest) -> HttpResponse:
        """Write the cases the list shows as CSV; no cell can be taken for a formula."""
        require(request, self.sees)
        rows = self.listed(request)
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="tier-reviews.csv"'
        writer = csv.writer(response)
        writer.writerow(_FILE)
        count = 0
        for case in rows.select_related("round", "measured_tier").iterator(500):
            writer.writerow([formula_safe(cell) for cell in _cells(case)])
            count += 1
        audit.record(person(request), "tier_review.file_taken", None, at=timezone.now(), rows=count)
        return response


def move_text(case: TierReview) -> str:
    """Say what a case proposes."""
    told = {"from": case.from_tier.name, "to": case.to_tier.name}
    if case.outcome == ReviewOutcome.UP:
        return _("Up: %(from)s to %(to)s") % told
    if case.outcome == ReviewOutcome.DOWN:
        return _("Down: %(from)s to %(to)s") % told
    return _("Keep: %(from)s") % told


def waits_since(case: TierReview) -> Any:
    """Return since when a case waits for somebody."""
    appeal = getattr(case, "appeal", None)
    if case.state == ReviewState.APPEALED and appeal is not None:
        return appeal.opened_at
    return case.notified_at or case.evaluated_at


def deadline_text(case: TierReview) -> str:
    """Return the next date of a case with what it means, and whether it is over."""
    zone, now, appeal = case.membership.program.zone, timezone.now(), getattr(case, "appeal", None)
    if case.state == ReviewState.APPEALED and appeal is not None:
        date = l10n.date_text(appeal.answer_on, locale())
        is_late = appeal.answer_on < local_day(now, zone)
        return (_("Answer was due %(date)s") if is_late else _("Answer by %(date)s")) % {"date": date}
    if case.state == ReviewState.IN_GRACE and case.grace_ends_at is not None:
        last = local_day(case.grace_ends_at - timedelta.resolution, zone)
        date = l10n.date_text(last, locale())
        is_over = case.grace_ends_at <= now
        return (_("Grace ended %(date)s") if is_over else _("Grace until %(date)s")) % {"date": date}
    if case.state == ReviewState.DECIDED and case.effective_at is not None:
        return _("From %(date)s") % {"date": l10n.date_text(local_day(case.effective_at, zone), locale())}
    return "–"


def _cells(case: TierReview) -> list[str]:
    manager, appeal = case.membership.partner.account_manager, getattr(case, "appeal", None)
    return [
        case.public_id,
        case.membership.public_id,
        case.membership.partner.name,
        case.membership.program.slug,
        case.round.kind,
        case.round.due_on.isoformat(),
        case.outcome,
        case.from_tier.key,
        case.to_tier.key,
        case.measured_tier.key,
        case.state,
        _iso(case.evaluated_at),
        _iso(case.notified_at),
        _iso(case.grace_ends_at),
        _iso(appeal.answer_on if appeal is not None else None),
        _iso(case.effective_at),
        (manager.full_name or manager.email) if manager is not None else "",
    ]


def _iso(moment: Any) -> str:
    return moment.isoformat() if moment is not None else ""
