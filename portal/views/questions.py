"""Questions: ask about a line, read the answer, write back or take the question back. Each says by when an answer is promised, and the
promise is a whole day in the program's zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payouts import disputes, evidence
from payouts.choices import AdjustmentState, DisputeState
from payouts.disputes import clock
from payouts.disputes.about_credit import corrected_order
from payouts.explained import subject
from payouts.explained.line import READ_WITH
from payouts.models import Commission, Dispute, DisputeMessage
from portal import roles, why
from portal.formats import date_text
from portal.forms_questions import AskForm, ReplyForm
from portal.inquiry_rows import found_rows
from portal.rooms import Room, enter, own_or_404, refuse, show
from portal.status import StatusWord, word
from portal.views.answers import explain_refusal
from prm.lib.errors import Refused
from prm.lib.money import Money
from prm.lib.periods import local_day
from referrals.attribution import inquiry

_OPEN = (DisputeState.OPENED, DisputeState.ANSWERED, DisputeState.WAITING_PARTNER)


@dataclass(frozen=True)
class Asking:
    """What the page of a line says about asking: the question that is open, or until when one can be asked."""

    question_href: str = ""
    ask_href: str = ""
    until: date | None = None
    is_over: bool = False


@dataclass(frozen=True)
class QuestionRow:
    """One question in the list."""

    href: str
    about: str
    cause: str
    line_amount: Money | None
    asked_on: date
    promise: str
    status: StatusWord


@dataclass(frozen=True)
class Said:
    """One message of a thread."""

    who: str
    is_mine: bool
    text: str
    at: Any
    file_name: str
    file_href: str


@require_safe
@enter()
def questions(request: HttpRequest, room: Room) -> HttpResponse:
    """List the questions about the current membership, the newest first."""
    mine = Dispute.objects.visible_to(room.user).filter(membership=room.membership)
    found = _readable(mine).order_by("-opened_at", "-pk").distinct()
    rows = [_row(each, room) for each in found]
    return show(request, room, "portal/questions/questions.html", nav="questions", rows=rows)


@require_http_methods(["GET", "HEAD", "POST"])
@enter()
def ask(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Show the form of a question about a line, and ask it."""
    lines = why.readable(Commission.objects.visible_to(room.user)).distinct()
    line, there = own_or_404(request, room, lines, public_id)
    if not there.may(roles.ASK_QUESTIONS):
        return refuse(request, there, roles.ASK_QUESTIONS)
    asking = asking_about(line, there)
    if asking.question_href:
        return redirect(asking.question_href)
    form = AskForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = disputes.open(line, by=there.user, at=there.at, **form.cleaned_data)
        except disputes.AlreadyAsked:
            return redirect("portal:question_ask", public_id=public_id)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            day = date_text(clock.last_day(made.answer_by_at, there.program))
            messages.success(request, _("Asked. You get an answer by %(date)s.") % {"date": day})
            return redirect("portal:question", public_id=made.public_id)
    return show(
        request,
        there,
        "portal/questions/ask.html",
        nav="earnings",
        status=422 if form.errors else 200,
        form=form,
        asking=asking,
        why=why.explain(line, at=there.at),
        promised=clock.last_day(clock.answer_by(there.program, there.at), there.program),
        line=line,
    )


@require_safe
@enter()
def question(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show a question with its thread."""
    found, there = _find(request, room, public_id)
    return _page(request, there, found, ReplyForm())


@require_POST
@enter()
def reply(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Write back."""
    found, there = _find(request, room, public_id)
    if not there.may(roles.ASK_QUESTIONS):
        return refuse(request, there, roles.ASK_QUESTIONS)
    form = ReplyForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            disputes.reply(found, by=there.user, at=there.at, **form.cleaned_data)
        except disputes.AlreadyDecided as refusal:
            messages.error(request, str(refusal))
            return redirect("portal:question", public_id=public_id)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("Sent."))
            return redirect("portal:question", public_id=public_id)
    return _page(request, there, found, form, status=422)


@require_POST
@enter()
def withdraw(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Take a question back."""
    found, there = _find(request, room, public_id)
    if not there.may(roles.ASK_QUESTIONS):
        return refuse(request, there, roles.ASK_QUESTIONS)
    try:
        disputes.withdraw(found, by=there.user, at=there.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Withdrawn. The line stays as it is."))
    return redirect("portal:question", public_id=public_id)


@require_safe
@enter()
def evidence_file(request: HttpRequest, room: Room, public_id: str, pk: int) -> HttpResponseBase:
    """Send a file of the thread."""
    found, _there = _find(request, room, public_id)
    message = get_object_or_404(DisputeMessage, pk=pk, dispute=found)
    return evidence.attachment(message.evidence, message.evidence_name)


def asking_about(line: Commission, room: Room) -> Asking:
    """Return what a page about `line` says about asking."""
    mine = clock.open_about(line)
    if mine is not None:
        return Asking(question_href=reverse("portal:question", args=[mine.public_id]))
    until = clock.ask_until(line)
    day = clock.last_day(until, room.program) if until is not None else None
    if not clock.can_be_asked(line, at=room.at):
        return Asking(until=day, is_over=True)
    if not room.may(roles.ASK_QUESTIONS):
        return Asking(until=day)
    return Asking(ask_href=reverse("portal:question_ask", args=[line.public_id]), until=day)


def status_of(found: Dispute, room: Room) -> StatusWord:
    """Return where a question stands; one that is late says so."""
    plain = word("question", found.state)
    if found.state == DisputeState.OPENED and room.at >= found.answer_by_at:
        return replace(plain, label=_("Late"), icon="alert", tone="bad", help="")
    return plain


def _find(request: HttpRequest, room: Room, public_id: str) -> tuple[Dispute, Room]:
    found, there = own_or_404(
        request, room, _readable(Dispute.objects.visible_to(room.user)).distinct(), public_id
    )
    return found, there


def _readable(found: QuerySet[Dispute]) -> QuerySet[Dispute]:
    return found.select_related(
        "membership__program",
        "membership__partner",
        "opened_by",
        "conversion",
        *(f"commission__{name}" for name in READ_WITH),
    )


def _row(found: Dispute, room: Room) -> QuestionRow:
    return QuestionRow(
        href=reverse("portal:question", args=[found.public_id]),
        about=_about(found, room),
        # Why not me: perhaps nobody was credited, so that the cause would say too much.
        cause=found.get_cause_display() if found.commission_id else _("Who gets the credit"),
        line_amount=found.commission.amount if found.commission is not None else None,
        asked_on=local_day(found.opened_at, room.zone),
        promise=_promise(found, room),
        status=status_of(found, room),
    )


def _about(found: Dispute, room: Room) -> str:
    """Return what a question is about: its line, the order, or what was looked for."""
    if found.commission is not None:
        return subject.title_text(found.commission, room.zone)
    order = found.inquiry.get("asked", "") if found.inquiry.get("how") == inquiry.ORDER else ""
    if found.conversion is not None:
        order = found.conversion.external_id
    return _("Order %(order)s") % {"order": order} if order else _("Orders that were not found")


def _lines(found: Dispute) -> list[tuple[str, Money]]:
    """Return the lines an accepted question about credit has brought so far, each with its page."""
    order = corrected_order(found)
    if order is None:
        return []
    rows = Commission.objects.filter(membership=found.membership, conversion=order).order_by("pk")
    return [(reverse("portal:commission", args=[row.public_id]), row.amount) for row in rows]


def _promise(found: Dispute, room: Room) -> str:
    """Return by when an answer is promised, or when it was decided."""
    if found.decided_at is not None:
        return date_text(local_day(found.decided_at, room.zone))
    if found.state != DisputeState.OPENED:
        return ""
    day = date_text(clock.last_day(found.answer_by_at, room.program))
    return _("Answer by %(date)s") % {"date": day}


def _page(
    request: HttpRequest, room: Room, found: Dispute, form: ReplyForm, *, status: int = 200
) -> HttpResponse:
    is_open = found.state in _OPEN
    return show(
        request,
        room,
        "portal/questions/question.html",
        nav="questions",
        status=status,
        question=found,
        about=_about(found, room),
        line_href=reverse("portal:commission", args=[found.commission.public_id])
        if found.commission is not None
        else "",
        found=found_rows(inquiry.read(found.inquiry), room.membership) if found.inquiry else None,
        lines=_lines(found),
        state=status_of(found, room),
        promise=_promise(found, room) if is_open else "",
        thread=list(_thread(found, room)),
        outcomes=list(_outcomes(found)),
        form=form,
        may_write=is_open and room.may(roles.ASK_QUESTIONS),
        is_open=is_open,
    )


def _thread(found: Dispute, room: Room) -> Iterator[Said]:
    for message in found.messages.select_related("written_by").order_by("pk"):
        name = message.written_by.get_full_name() or message.written_by.email
        # Which member of staff wrote is for the operator to know; they speak with one voice.
        who = name if message.is_from_partner else room.program.legal_entity.name
        href = reverse("portal:question_file", args=[found.public_id, message.pk]) if message.evidence else ""
        yield Said(
            who, message.is_from_partner, message.text, message.written_at, message.evidence_name, href
        )


def _outcomes(found: Dispute) -> Iterator[tuple[Money, str]]:
    """Yield the corrections that follow, with what became of each."""
    for made in found.adjustments.order_by("pk"):
        if made.state == AdjustmentState.POSTED:
            yield made.amount, _("Booked; it is on the statement of that month.")
        elif made.state == AdjustmentState.PROPOSED:
            yield made.amount, _("Waits for a second person to confirm it.")
