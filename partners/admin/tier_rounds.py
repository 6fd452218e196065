"""Rounds of tier reviews: what was looked at when, how far the job is, and what came out. One can be opened by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.admin.tier_forms import RoundForm
from partners.choices import ReviewOutcome, ReviewState
from partners.models import ReviewRound, TierReview
from partners.tier_reviews import rounds
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    list_url,
    locale,
    person,
    require,
    row_url,
    state_column,
    when_column,
)
from prm.lib import l10n
from prm.runs import cards
from prm.runs.models import Run
from tiers.models import Program

CAPABILITY = "decide_reviews"
RUNNING_SHOWN = 5


@admin.register(ReviewRound)
class ReviewRoundAdmin(BackOfficeAdmin):
    """Rounds, the newest first."""

    section = gettext_lazy("Rounds of tier reviews")
    sees, adds = "see_partners", CAPABILITY
    list_display = (
        "due_on",
        "program",
        "kind",
        state_column("review_round", gettext_lazy("state")),
        "looked_at",
        "rising",
        "falling",
        "still_open",
        when_column("finished_at", gettext_lazy("finished")),
    )
    list_filter = ("program", "kind", "state")
    list_select_related = ("program",)
    ordering = ("-due_on", "-pk")
    date_hierarchy = "due_on"

    change_list_template = "admin/partners/reviewround/change_list.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show how far the jobs are that are under way, above the list."""
        at = timezone.now()
        running = Run.objects.open().filter(kind=rounds.RUN_KIND).newest_first()[:RUNNING_SHOWN]
        extra = {
            "jobs": [cards.context(run, at=at) for run in running],
            "may_open": policy.may(request.user, CAPABILITY),
        }
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReviewRound]:
        """Count with the rows what is still open in them."""
        still = Count("reviews", filter=Q(reviews__state__in=ReviewState.open()))
        return ReviewRound.objects.select_related("program").annotate(still=still)

    @admin.display(description=gettext_lazy("looked at"))
    def looked_at(self, row: ReviewRound) -> str:
        """Return how many memberships were looked at."""
        return l10n.number_text(sum(row.counts.values()), locale()) if row.counts else "–"

    @admin.display(description=gettext_lazy("up"))
    def rising(self, row: ReviewRound) -> str:
        """Return how many rises were proposed."""
        return _count(row, ReviewOutcome.UP)

    @admin.display(description=gettext_lazy("down"))
    def falling(self, row: ReviewRound) -> str:
        """Return how many falls were proposed."""
        return _count(row, ReviewOutcome.DOWN)

    @admin.display(description=gettext_lazy("still open"))
    def still_open(self, row: ReviewRound) -> str:
        """Return how many cases of it are open."""
        return l10n.number_text(getattr(row, "still", 0), locale())

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show one round, or open one by hand."""
        return self._show(request, object_id) if object_id else self._open(request)

    def _show(self, request: HttpRequest, object_id: str) -> HttpResponse:
        require(request, self.sees)
        rows = ReviewRound.objects.select_related("program", "scheme", "opened_by")
        row, at = get_object_or_404(rows, pk=object_id), timezone.now()
        run = rounds.latest_run(row)
        return self.page(
            request,
            "admin/partners/reviewround/round.html",
            title=_("Tier review of %(program)s, %(date)s")
            % {"program": row.program.name, "date": l10n.date_text(row.due_on, locale())},
            round=row,
            facts=list(_facts(row)),
            table=_table(row),
            cases_url=list_url(TierReview, round__id__exact=row.pk),
            **(cards.context(run, at=at) if run is not None else {}),
        )

    def _open(self, request: HttpRequest) -> HttpResponse:
        require(request, CAPABILITY)
        wanted = request.GET.get("program", "")
        form = RoundForm(request.POST or None, initial={"program": wanted if wanted.isdecimal() else None})
        if request.method == "POST" and form.is_valid():
            program = form.cleaned_data["program"]
            made = attempt(request, lambda: _begin(request, program), form=form)
            if made is not None:
                messages.success(request, _("The review of %(name)s has begun.") % {"name": program.name})
                return HttpResponseRedirect(row_url(made))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Look at the tiers of a program now"),
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            verb=_("Begin the review"),
            parent_url=list_url(ReviewRound),
            consequences=[
                _("Every active partner is measured by the figures up to the beginning of today."),
                _("Rises and falls are proposed; open cases are overtaken by new ones."),
                _(
                    "What the program decides by itself is decided, and what a person decides waits in the queue."
                ),
                _("A program can be looked at by hand once a day."),
            ],
        )


def _begin(request: HttpRequest, program: Program) -> ReviewRound:
    by, at = person(request), timezone.now()
    with transaction.atomic():
        row = rounds.open_by_hand(program, by=by, at=at)
        rounds.start(row, by=by, at=at)
    return row


def _count(row: ReviewRound, outcome: str) -> str:
    return l10n.number_text(row.counts.get(outcome, 0), locale()) if row.counts else "–"


def _facts(row: ReviewRound) -> Any:
    zone = row.program.zone
    yield Fact(_("Program"), row.program.name)
    yield Fact(_("Why"), row.get_kind_display())
    yield Fact(_("Figures before"), l10n.datetime_text(row.measured_at, zone, locale()))
    yield Fact(_("What tiers ask"), _("Version %(number)s") % {"number": row.scheme.number})
    by = row.opened_by.full_name or row.opened_by.email if row.opened_by else _("the calendar")
    yield Fact(_("Opened by"), by)
    if row.finished_at is not None:
        yield Fact(_("Finished"), l10n.datetime_text(row.finished_at, zone, locale()))


def _table(row: ReviewRound) -> list[dict[str, Any]]:
    """Return how many cases there are of each outcome and state, each with the way to them."""
    found = row.reviews.order_by().values_list("outcome", "state").annotate(n=Count("pk"))
    order = {value: place for place, value in enumerate((*ReviewOutcome.values, *ReviewState.values))}
    outcomes = dict(ReviewOutcome.choices)
    return [
        {
            "outcome": outcomes[outcome],
            "state": state,
            "count": count,
            "url": list_url(
                TierReview,
                round__id__exact=row.pk,
                outcome__exact=outcome,
                state__exact=state,
                waiting="all",
            ),
        }
        for outcome, state, count in sorted(found, key=lambda each: (order[each[0]], order[each[1]]))
    ]
