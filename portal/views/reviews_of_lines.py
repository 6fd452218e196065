"""Lines under review: why they wait, which they are, by when it is decided and what came of it. The partner writes its side here; evidence and other
partners stay with the operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from payouts import evidence
from payouts.models import Commission, RiskCase, RiskNote
from payouts.risk import cases
from portal import lines, roles
from portal.forms_reviews import AnswerForm
from portal.rooms import Room, enter, own_or_404, refuse, show
from portal.status import StatusWord, word
from portal.views.answers import explain_refusal
from prm.lib.errors import Refused
from prm.lib.money import Money
from prm.lib.periods import local_day

NAV = "reviews_of_lines"


@dataclass(frozen=True)
class CaseRow:
    """One case in the list; `decided_on` is missing while it is open."""

    href: str
    reason: str
    opened_on: date
    review_on: date
    decided_on: date | None
    waiting: Money
    status: StatusWord


@dataclass(frozen=True)
class Written:
    """What the partner's side wrote."""

    who: str
    text: str
    at: Any
    file_name: str
    file_href: str


@require_safe
@enter()
def reviews(request: HttpRequest, room: Room) -> HttpResponse:
    """List the cases about the current membership, the open one first."""
    found = _mine(room).filter(membership=room.membership).order_by("-opened_at", "-pk")
    rows = [_row(case, room) for case in found.distinct()]
    return show(request, room, "portal/reviews_of_lines/reviews.html", nav=NAV, rows=rows)


@require_safe
@enter()
def review(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show a case."""
    case, there = _find(request, room, public_id)
    return _page(request, there, case, AnswerForm())


@require_POST
@enter()
def answer(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Write the partner's side."""
    case, there = _find(request, room, public_id)
    if not there.may(roles.ASK_QUESTIONS):
        return refuse(request, there, roles.ASK_QUESTIONS)
    form = AnswerForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            cases.partner_answer(case, by=there.user, at=there.at, **form.cleaned_data)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("Sent. Whoever looks into it reads your answer."))
            return redirect("portal:review_of_lines", public_id=public_id)
    return _page(request, there, case, form, status=422)


@require_safe
@enter()
def answer_file(request: HttpRequest, room: Room, public_id: str, pk: int) -> HttpResponseBase:
    """Send a file the own side wrote with an answer."""
    case, _there = _find(request, room, public_id)
    note = get_object_or_404(RiskNote.objects.select_related("case__membership"), pk=pk, case=case)
    if not cases.wrote_partner(note):
        raise Http404  # what staff write stays with staff: it does not exist here
    return evidence.attachment(note.evidence, note.evidence_name)


def _mine(room: Room) -> QuerySet[RiskCase]:
    # Staff who are in a partner's team see here what the partner sees, and of that partner only.
    found = room.anywhere(RiskCase.objects.all())
    return found.select_related("membership__program", "membership__partner")


def _find(request: HttpRequest, room: Room, public_id: str) -> tuple[RiskCase, Room]:
    found, there = own_or_404(request, room, _mine(room), public_id)
    return found, there


def _row(case: RiskCase, room: Room) -> CaseRow:
    return CaseRow(
        href=reverse("portal:review_of_lines", args=[case.public_id]),
        reason=case.reason,
        opened_on=local_day(case.opened_at, room.zone),
        review_on=case.review_on,
        decided_on=local_day(case.decided_at, room.zone) if case.decided_at is not None else None,
        waiting=_waiting(case),
        status=word("review_of_lines", case.state),
    )


def _waiting(case: RiskCase) -> Money:
    rows = case.lines.filter(pause__isnull=False, pause__ended_at=None)
    return Money(
        sum(rows.values_list("commission__amount_minor", flat=True)), case.membership.program.currency
    )


def _page(
    request: HttpRequest, room: Room, case: RiskCase, form: AnswerForm, *, status: int = 200
) -> HttpResponse:
    found = lines.readable(Commission.objects.filter(risk_lines__case=case)).order_by("effective_at", "pk")
    return show(
        request,
        room,
        "portal/reviews_of_lines/review.html",
        nav=NAV,
        status=status,
        case=case,
        state=word("review_of_lines", case.state),
        is_open=case.decided_at is None,
        is_late=case.decided_at is None and case.review_on < local_day(room.at, room.zone),
        decided_on=local_day(case.decided_at, room.zone) if case.decided_at is not None else None,
        waiting=_waiting(case),
        rows=lines.rows(found, room.zone),
        written=list(_written(case)),
        form=form,
        may_write=room.may(roles.ASK_QUESTIONS),
    )


def _written(case: RiskCase) -> Iterator[Written]:
    """Yield what the partner's side wrote; what staff note is theirs."""
    for note in case.notes.select_related("written_by", "case__membership").order_by("pk"):
        if not cases.wrote_partner(note):
            continue
        href = reverse("portal:review_of_lines_file", args=[case.public_id, note.pk]) if note.evidence else ""
        who = note.written_by.get_full_name() or note.written_by.email
        yield Written(who, note.text, note.written_at, note.evidence_name, href)
