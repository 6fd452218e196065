"""Decide on several cases on one page: every row with where it goes and what it earns then, what is skipped and why, what happens in numbers,
one button. Afterwards the same page says what became of each."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from partners.admin.tier_effects import Effects, Mail, rehearse
from partners.admin.tier_forms import BulkForm
from partners.choices import ReviewOutcome, ReviewState
from partners.models import TierReview
from partners.tier_reviews import bulk, decisions, waiting
from partners.tier_reviews.bulk import AT_ONCE, Bulk, Row
from prm import audit
from prm.accounts.back_office import BackOfficeAdmin, chosen_ids, person, require
from prm.accounts.models import User
from prm.lib.cells import formula_safe
from prm.lib.errors import Refused
from tiers.models import Tier

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object

CAPABILITY = "decide_reviews"
_FILE = ("case", "partner", "program", "from", "to", "earns_now", "earns_then", "outcome")
_READ_WITH = (
    "membership__partner",
    "membership__program",
    "round__scheme",
    "from_tier",
    "measured_tier",
    "to_tier",
    "appeal",
)
Given = Mapping[str, Any]


class BulkPages(Desk):
    """The page that decides on several cases, beside the queue."""

    def bulk_urls(self) -> list[URLPattern]:
        """Return the address of the page."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.bulk))
        return [path("together/<str:what>/", view, name="partners_tierreview_together")]

    def bulk_actions(self) -> dict[str, tuple[Callable[..., HttpResponse], str, Any]]:
        """Return what the list offers for the rows that are ticked."""
        labels = {
            Bulk.CARRY_OUT: gettext_lazy("Carry out what the cases ticked propose"),
            Bulk.NOTIFY: gettext_lazy("Send the notices of the cases ticked"),
            Bulk.KEEP: gettext_lazy("Keep the tiers of the cases ticked"),
        }
        return {str(what): (_goes_to(what), str(what), label) for what, label in labels.items()}

    def bulk(self, request: HttpRequest, what: str) -> HttpResponse:
        """Say what would happen to each row, or let it happen."""
        require(request, CAPABILITY)
        if what not in Bulk.values:
            raise Http404
        at, by, chosen = timezone.now(), person(request), _chosen(request)
        rows = bulk.look(_read(chosen), what, at=at)
        effects = _effects(rows, at=at)
        if request.method == "GET" and "csv" in request.GET:
            audit.record(by, "tier_review.file_taken", None, at=at, rows=len(rows))
            return _file(rows, effects, Bulk(what))
        going = [row for row in rows if row.goes]
        asks = {"asks_reason": what != Bulk.NOTIFY, "needs_reason": what == Bulk.KEEP}
        form = BulkForm(request.POST if request.method == "POST" else None, **asks)
        is_done = False
        is_sent = request.method == "POST" and "preview" not in request.POST
        if is_sent and going and form.is_valid():
            rows = bulk.carry_out(rows, _verb(Bulk(what), form.cleaned_data, by=by, at=at))
            is_done = True
        mails = [] if is_done or not going else _sample(Bulk(what), going[0], form, by=by, at=at)
        return self.page(
            request,
            "admin/partners/tierreview/together.html",
            title=_result_title(rows) if is_done else _title(Bulk(what), len(going)),
            status=422 if form.errors else 200,
            what=what,
            rows=[_shown(row, effects, Bulk(what), is_done=is_done) for row in rows],
            form=form if going else None,
            errors=bool(form.errors),
            is_done=is_done,
            ids=",".join(map(str, chosen)),
            csv_url=f"{request.path}?{urlencode({'ids': ','.join(map(str, chosen)), 'csv': 1})}",
            consequences=list(_consequences(Bulk(what), going, len(rows) - len(going), effects)),
            mails=mails,
            verb=_title(Bulk(what), len(going)),
        )


def _goes_to(what: Bulk) -> Callable[..., HttpResponse]:
    def action(_desk: Any, _request: HttpRequest, queryset: QuerySet[TierReview]) -> HttpResponse:
        ordered = waiting.in_order(queryset, at=timezone.now())
        pks = ordered.values_list("pk", flat=True)[:AT_ONCE]
        address = reverse("admin:partners_tierreview_together", args=[what.value])
        return HttpResponseRedirect(f"{address}?{urlencode({'ids': ','.join(map(str, pks))})}")

    return action


def _chosen(request: HttpRequest) -> list[int]:
    given = request.POST if request.method == "POST" else request.GET
    return chosen_ids(given.get("ids", ""), most=AT_ONCE)


def _read(chosen: Sequence[int]) -> list[TierReview]:
    found = TierReview.objects.filter(pk__in=chosen).select_related(*_READ_WITH)
    by_pk = {case.pk: case for case in found}
    return [by_pk[pk] for pk in dict.fromkeys(chosen) if pk in by_pk]


def _effects(rows: Sequence[Row], *, at: datetime) -> dict[int, Effects]:
    programs = {row.case.membership.program_id: row.case.membership.program for row in rows}
    return {pk: Effects(program, at=at) for pk, program in programs.items()}


def _verb(what: Bulk, given: Given, *, by: User, at: datetime) -> Callable[[TierReview], TierReview]:
    match what:
        case Bulk.CARRY_OUT:
            return lambda each: decisions.decide(each, by=by, at=at, note=given.get("note", ""))
        case Bulk.NOTIFY:
            return lambda each: decisions.notify(each, by=by, at=at)
        case Bulk.KEEP:
            return lambda each: decisions.keep(each, by=by, at=at, note=given["note"])


def _sample(what: Bulk, row: Row, form: BulkForm, *, by: User, at: datetime) -> list[Mail]:
    """Return the mails of the first case, as an example of all."""
    asked = (
        form
        if form.is_bound
        else BulkForm({}, asks_reason=what != Bulk.NOTIFY, needs_reason=what == Bulk.KEEP)
    )
    if not asked.is_valid():
        return []
    decide = _verb(what, asked.cleaned_data, by=by, at=at)
    try:
        return rehearse(lambda: decide(row.case))
    except Refused:
        return []


def _shown(row: Row, effects: Mapping[int, Effects], what: Bulk, *, is_done: bool) -> dict[str, Any]:
    case = row.case
    known = effects[case.membership.program_id]
    moves = what == Bulk.CARRY_OUT and case.outcome != ReviewOutcome.KEEP
    return {
        "case": case,
        "partner": case.membership.partner.name,
        "program": case.membership.program.name,
        "rates": known.rates_text(case.from_tier, case.to_tier) if moves else known.rate(case.from_tier),
        "outcome": row.hindrance or _outcome(row, what, is_done=is_done),
        "goes": row.goes,
    }


def _outcome(row: Row, what: Bulk, *, is_done: bool) -> str:
    if is_done and what == Bulk.CARRY_OUT and row.became == ReviewState.KEPT:
        return _("tier kept: the figures reach it again")
    will = {
        Bulk.CARRY_OUT: _("will be moved"),
        Bulk.NOTIFY: _("will be told"),
        Bulk.KEEP: _("will stay"),
    }
    was = {Bulk.CARRY_OUT: _("moved"), Bulk.NOTIFY: _("told"), Bulk.KEEP: _("stays")}
    return (was if is_done else will)[what]


def _title(what: Bulk, count: int) -> str:
    words = {
        Bulk.CARRY_OUT: ngettext("Apply %(count)s change", "Apply %(count)s changes", count),
        Bulk.NOTIFY: ngettext("Send %(count)s notice", "Send %(count)s notices", count),
        Bulk.KEEP: ngettext("Keep %(count)s tier", "Keep %(count)s tiers", count),
    }
    return words[what] % {"count": count}


def _result_title(rows: Sequence[Row]) -> str:
    done = sum(row.goes for row in rows)
    return _("%(done)s done, %(skipped)s left as they were") % {"done": done, "skipped": len(rows) - done}


def _consequences(
    what: Bulk, going: Sequence[Row], skipped: int, effects: Mapping[int, Effects]
) -> Iterator[str]:
    if what == Bulk.CARRY_OUT:
        yield from _moves(going)
        yield _("New sales earn by the new tier from now on; no commission that is booked changes.")
        yield from _places(going)
        yield from _new_terms(going, effects)
    if what == Bulk.NOTIFY:
        yield _("Each grace period begins now; nobody falls before it is over.")
    if what == Bulk.KEEP:
        yield _("The cases are closed; the next review looks at the figures of its own day.")
    mails = ngettext(
        "%(count)s team is written to, in its readers’ languages.",
        "%(count)s teams are written to, each in its readers’ languages.",
        len(going),
    )
    told = [row for row in going if what != Bulk.KEEP or row.case.notified_at is not None]
    if told:
        yield mails % {"count": len(told)}
    if skipped:
        text = ngettext("%(count)s row is left as it is.", "%(count)s rows are left as they are.", skipped)
        yield text % {"count": skipped}
    yield _("Each decision is made by itself and stays on record with your name.")


def _moves(going: Sequence[Row]) -> Iterator[str]:
    ways = Counter(row.case.outcome for row in going)
    rising, falling = ways[ReviewOutcome.UP], ways[ReviewOutcome.DOWN]
    if rising:
        text = ngettext("%(count)s partner rises.", "%(count)s partners rise.", rising)
        yield text % {"count": rising}
    if falling:
        text = ngettext(
            "%(count)s partner falls, unless its figures reach the tier again.",
            "%(count)s partners fall, unless their figures reach the tier again.",
            falling,
        )
        yield text % {"count": falling}


def _places(going: Sequence[Row]) -> Iterator[str]:
    """Say how many come into each tier that takes so many partners only."""
    coming: dict[Tier, int] = {}
    for row in going:
        if row.case.to_tier.capacity is not None:
            coming[row.case.to_tier] = coming.get(row.case.to_tier, 0) + 1
    for tier, count in coming.items():
        text = ngettext(
            "%(count)s place of %(most)s in %(tier)s is taken by them.",
            "%(count)s places of %(most)s in %(tier)s are taken by them.",
            count,
        )
        yield text % {"count": count, "most": tier.capacity, "tier": tier.name}


def _new_terms(going: Sequence[Row], effects: Mapping[int, Effects]) -> Iterator[str]:
    said: dict[str, None] = {}
    for row in going:
        case = row.case
        for text in effects[case.membership.program_id].of_terms(case.from_tier, case.to_tier):
            said[text] = None
    yield from said


def _file(rows: Sequence[Row], effects: Mapping[int, Effects], what: Bulk) -> HttpResponse:
    """Write what would happen as CSV; no cell can be taken for a formula."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="tier-reviews-{what.value}.csv"'
    response["Cache-Control"] = "no-store"
    writer = csv.writer(response)
    writer.writerow(_FILE)
    for row in rows:
        case = row.case
        known = effects[case.membership.program_id]
        cells = [
            case.public_id,
            case.membership.partner.name,
            case.membership.program.slug,
            case.from_tier.key,
            case.to_tier.key,
            known.rate(case.from_tier),
            known.rate(case.to_tier),
            row.hindrance or _outcome(row, what, is_done=False),
        ]
        writer.writerow([formula_safe(cell) for cell in cells])
    return response
