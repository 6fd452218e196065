"""Terms: what is in force and what is coming, what differs, who accepted what, questions about sections and amendments. The whole team reads, an
owner accepts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from partners import clause_questions, terms_archive, terms_asking
from partners import terms as terms_of
from partners.models import TermsVersion
from partners.terms.acceptance import Waiting, waits
from partners.terms_difference import Difference
from portal import roles
from portal.forms_terms import AgreeForm, ClauseForm
from portal.rooms import Room, enter, own_or_404, show
from portal.views.answers import explain_refusal
from portal.visitors import client_address
from prm import documents
from prm.lib.errors import Refused


@require_safe
@enter()
def terms(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the terms, and what waits to be accepted."""
    return _page(request, room)


@require_POST
@enter(roles.ACCEPT_TERMS)
def accept(request: HttpRequest, room: Room) -> HttpResponseBase:
    """Accept the text that was shown."""
    form = AgreeForm(request.POST)
    if not form.is_valid():
        return _page(request, room, agree=form, status=422)
    shown = form.cleaned_data["shown"]
    version = terms_of.published(room.program).filter(sha256=shown).first() if shown else None
    try:
        if version is None:
            raise terms_of.NotOffered
        terms_asking.agree(
            version,
            membership=room.membership,
            shown=shown,
            by=room.user,
            at=room.at,
            address=client_address(request),
        )
    except Refused as refusal:
        form.add_error("accept" if refusal.field == "terms" else None, str(refusal))
        return _page(request, room, agree=form, status=409)
    messages.success(request, _("The terms are accepted. Your name and the moment are on record."))
    return redirect("portal:terms")


@require_POST
@enter(roles.ASK_QUESTIONS)
def ask(request: HttpRequest, room: Room) -> HttpResponseBase:
    """Ask about a section of the version that waits, or of the one in force."""
    form = ClauseForm(request.POST)
    if not form.is_valid():
        return _page(request, room, clause=form, status=422)
    waiting = waits(room.membership, room.at)
    version = waiting.version if waiting else terms_of.for_member(room.membership, room.at)
    if version is None:
        raise Http404
    try:
        clause_questions.ask(room.membership, version=version, by=room.user, at=room.at, **form.cleaned_data)
    except Refused as refusal:
        explain_refusal(form, refusal)
        return _page(request, room, clause=form, status=409)
    messages.success(request, _("Your question is with us. While it is open, no deadline runs."))
    return redirect("portal:terms")


@require_POST
@enter(roles.ASK_QUESTIONS)
def withdraw_question(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Take a question back."""
    asked = clause_questions.waiting().filter(membership__isnull=False)
    question, there = own_or_404(request, room, asked, public_id, capability=roles.ASK_QUESTIONS)
    try:
        clause_questions.withdraw(question, by=there.user, at=there.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your question is withdrawn."))
    return redirect("portal:terms")


@require_safe
@enter()
def version(request: HttpRequest, room: Room, number: int) -> HttpResponse:
    """Show one version, alone or against another one."""
    found, others = _find(room, number), list(terms_of.published(room.program))
    against = _against(request, found, others)
    before, after = sorted((against, found), key=lambda each: each.number) if against else (None, None)
    return show(
        request,
        room,
        "portal/terms/version.html",
        nav="terms",
        version=found,
        sections=terms_of.sections(found),
        acceptance=terms_archive.acceptances_of(room.membership).filter(terms_version=found).first(),
        others=[each for each in others if each != found],
        against=against,
        before=before,
        after=after,
        difference=terms_of.compare(before, after) if before and after else None,
        can_print=documents.is_likely(),
    )


@require_safe
@enter()
def version_pdf(request: HttpRequest, room: Room, number: int) -> HttpResponseBase:
    """Send a version as PDF."""
    found = _find(room, number)
    try:
        content = terms_archive.version_pdf(found)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:terms_version", number=number)
    return attached(content, terms_archive.version_file_name(found))


@require_safe
@enter()
def agreement_pdf(request: HttpRequest, room: Room) -> HttpResponseBase:
    """Send everything that was agreed as one PDF."""
    try:
        content = terms_archive.agreement_pdf(room.membership, at=room.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:terms")
    return attached(content, terms_archive.agreement_file_name(room.membership))


def attached(content: bytes, name: str) -> HttpResponse:
    """Return a PDF as a download."""
    response = HttpResponse(content, content_type=documents.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _find(room: Room, number: int) -> TermsVersion:
    found = terms_of.published(room.program).select_related("program").filter(number=number).first()
    if found is None:
        raise Http404
    return found


def _against(request: HttpRequest, found: TermsVersion, others: list[TermsVersion]) -> TermsVersion | None:
    wanted = request.GET.get("against", "")
    return next((each for each in others if str(each.number) == wanted and each != found), None)


def _page(
    request: HttpRequest,
    room: Room,
    *,
    agree: AgreeForm | None = None,
    clause: ClauseForm | None = None,
    status: int = 200,
) -> HttpResponse:
    archive = terms_archive.archive_of(room.membership)
    waiting = waits(room.membership, room.at)
    current = terms_of.for_member(room.membership, room.at)
    coming = terms_of.coming(room.program, room.at, tier=terms_of.tier_of(room.membership, room.at))
    accepted = archive.by_version
    open_ones = [each for each in archive.questions if not each.answered_at and not each.withdrawn_at]
    return show(
        request,
        room,
        "portal/terms/terms.html",
        nav="terms",
        status=status,
        form=agree if agree is not None and agree.errors else clause,
        waiting=waiting,
        to_read=terms_of.sections(waiting.version) if waiting else [],
        difference=_difference(waiting, archive, current),
        current=current,
        current_sections=terms_of.sections(current) if current else [],
        coming=coming,
        coming_href=_coming_href(coming, current),
        archive=archive,
        rows=[(version, accepted.get(version.pk)) for version in archive.versions],
        agree=agree or (AgreeForm(initial={"shown": waiting.version.sha256}) if waiting else None),
        clause=clause or ClauseForm(),
        open_questions=open_ones,
        may_accept=room.may(roles.ACCEPT_TERMS),
        may_ask=room.may(roles.ASK_QUESTIONS) and current is not None,
        is_over=room.membership.ended_at is not None,
        can_print=documents.is_likely(),
    )


def _coming_href(coming: TermsVersion | None, current: TermsVersion | None) -> str:
    if coming is None:
        return ""
    address = reverse("portal:terms_version", args=[coming.number])
    return f"{address}?against={current.number}" if current else address


def _difference(waiting: Waiting | None, archive: terms_archive.Archive, current: Any) -> Difference | None:
    """Return what differs from what the team accepted last, or without that from what is in force."""
    if waiting is None:
        return None
    before = archive.acceptances[0].terms_version if archive.acceptances else current
    if before is None or before == waiting.version:
        return None
    return terms_of.compare(before, waiting.version)
