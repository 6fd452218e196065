"""The last step: every answer with the way back to it, the terms and their acceptance, and off it goes. A second click sends nothing twice,
and everybody gets the same answer in the same time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache

from partners import applications, clause_questions, drafts, sending
from partners import terms as terms_of
from partners.application_forms import asking
from partners.application_forms.definition import AUDIENCE, CHECK, TYPE, YOU
from partners.models import Application, TermsVersion
from portal import drafting
from portal.forms_apply import AcceptForm, AskForm
from portal.views.answers import explain_refusal
from portal.views.apply import (
    LINKS_AN_HOUR,
    NEUTRAL_SECONDS,
    definition_for,
    language,
    next_step,
    step_url,
    stepper,
)
from portal.views.public import shown, takes_applications
from portal.visitors import client_address, refuse_too_many, tries_too_often
from prm.lib import ids
from prm.lib.errors import Refused
from tiers.models import Program

AGAIN_AFTER = timedelta(seconds=60)


@method_decorator(never_cache, name="dispatch")
class Check(View):
    """Show the answers, take questions about the terms and their acceptance, and send."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        program = shown(slug)
        draft = drafting.draft(request, program)
        if draft is None or not takes_applications(program):
            return redirect("public:apply", slug=slug)
        step = next_step(definition_for(program, draft), draft)
        if step != CHECK:
            return redirect(step_url(program, step))
        return _page(request, program, draft)

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        program = shown(slug)
        draft = drafting.draft(request, program)
        match request.POST.get("action"):
            case "ask" if draft is not None:
                return _ask(request, program, draft)
            case "withdraw_question" if draft is not None:
                return _withdraw_question(request, program, draft)
            case "link" if draft is not None:
                return _mail_link(request, program, draft)
        return _send(request, program, draft)


@method_decorator(never_cache, name="dispatch")
class Sent(View):
    """Say that the application is here, its reference and when it is decided; send the mail again."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        program = shown(slug)
        kept = request.session.get(_sent_key(program))
        if not kept:
            return redirect("public:program", slug=slug)
        context = {
            "program": program,
            "reference": kept["reference"],
            "email": kept["email"],
            "is_confirmed": kept["is_confirmed"],
            "decide_on": date.fromisoformat(kept["decide_on"]),
            "steps": stepper(program, definition_for(program, None), "", None),
        }
        return render(request, "public/sent.html", context)

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        began, program, at = time.monotonic(), shown(slug), timezone.now()
        kept = request.session.get(_sent_key(program))
        if not kept:
            return redirect("public:program", slug=slug)
        # The session keeps the time, so the answer is the same whether or not there is an application.
        if at < datetime.fromisoformat(kept["mailed_at"]) + AGAIN_AFTER:
            messages.warning(request, _("The last mail left less than a minute ago. Wait a little longer."))
            return redirect("public:apply_sent", slug=slug)
        applications.ask_to_confirm_again(program, kept["reference"], at=at)
        request.session[_sent_key(program)] = {**kept, "mailed_at": at.isoformat()}
        _wait(began)
        messages.success(request, _("We have sent the mail again."))
        return redirect("public:apply_sent", slug=slug)


def _send(request: HttpRequest, program: Program, draft: Application | None) -> HttpResponse:
    began = time.monotonic()
    word = drafting.word(request, program)
    if draft is not None:
        form = AcceptForm(request.POST)
        if not form.is_valid():
            return _page(request, program, draft, form=form, status=422)
    try:
        receipt = _receipt(request, program, draft, word)
    except drafts.DraftGone as refusal:
        if request.session.get(_sent_key(program)):
            return redirect("public:apply_sent", slug=program.slug)
        messages.warning(request, str(refusal))
        return redirect("public:apply", slug=program.slug)
    except sending.NotComplete as refusal:
        messages.warning(request, str(refusal))
        return redirect("public:apply", slug=program.slug)
    except Refused as refusal:
        if draft is None:
            raise
        form.add_error("accept" if refusal.field == "terms" else None, str(refusal))
        status = 429 if isinstance(refusal, applications.TooManyTries) else 409
        return _page(request, program, draft, form=form, status=status)
    drafting.let_go(request, program)
    if draft is not None:
        request.session[_sent_key(program)] = {
            "reference": receipt.reference,
            "decide_on": receipt.decide_on.isoformat(),
            "email": draft.email,
            "is_confirmed": draft.email_confirmed_at is not None,
            "mailed_at": timezone.now().isoformat(),
        }
    _wait(began)
    return redirect("public:apply_sent", slug=program.slug)


def _receipt(request: HttpRequest, program: Program, draft: Application | None, word: str) -> sending.Receipt:
    at = timezone.now()
    if draft is not None and drafting.is_trapped(request, program):
        drafts.discard(draft)
        return sending.Receipt(ids.public_id("app"), applications.decide_on(program, at))
    if draft is not None:
        refuse_too_many(request, program, "send", most=sending.TRIES_AN_HOUR, at=at)
    terms = terms_of.published(program).filter(public_id=_terms_id(request)).first()
    return sending.receive(word, terms=terms, at=at, address=client_address(request))


def _ask(request: HttpRequest, program: Program, draft: Application) -> HttpResponse:
    form, at = AskForm(request.POST), timezone.now()
    terms = terms_of.for_newcomers(program, at)
    if draft.email_confirmed_at is None or terms is None:
        return redirect("public:apply_check", slug=program.slug)
    if not form.is_valid():
        return _page(request, program, draft, ask=form, status=422)
    try:
        clause_questions.ask_as_applicant(draft, version=terms, at=at, **form.cleaned_data)
    except Refused as refusal:
        explain_refusal(form, refusal)
        return _page(request, program, draft, ask=form, status=409)
    messages.success(
        request, _("Your question is with us. The answer comes by e-mail; your answers stay here.")
    )
    return redirect("public:apply_check", slug=program.slug)


def _withdraw_question(request: HttpRequest, program: Program, draft: Application) -> HttpResponse:
    question = clause_questions.of(draft).filter(pk=_number(request.POST.get("question", ""))).first()
    if question is not None:
        try:
            clause_questions.withdraw(question, at=timezone.now(), application=draft)
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Your question is withdrawn."))
    return redirect("public:apply_check", slug=program.slug)


def _mail_link(request: HttpRequest, program: Program, draft: Application) -> HttpResponse:
    began = time.monotonic()
    if tries_too_often(request, "links", most=LINKS_AN_HOUR):
        messages.warning(request, _("Too many tries from your network. Try again in an hour."))
        return redirect("public:apply_check", slug=program.slug)
    try:
        if not drafting.is_trapped(request, program):
            drafts.mail_link(draft, at=timezone.now())
    except Refused as refusal:
        messages.warning(request, str(refusal))
        return redirect("public:apply", slug=program.slug)
    _wait(began)
    said = _("Your answers are saved. We have sent a link to %(email)s with which you can go on at any time.")
    messages.success(request, said % {"email": draft.email})
    return redirect("public:apply_check", slug=program.slug)


def _page(
    request: HttpRequest,
    program: Program,
    draft: Application,
    *,
    form: AcceptForm | None = None,
    ask: AskForm | None = None,
    status: int = 200,
) -> HttpResponse:
    terms = terms_of.for_newcomers(program, timezone.now())
    questions = list(clause_questions.of(draft).filter(withdrawn_at=None))
    context = {
        "program": program,
        "form": form or AcceptForm(),
        "ask": ask or AskForm(),
        "wrong": ask if ask is not None and ask.errors else form,
        "groups": groups_of(draft, program),
        "terms": terms,
        "sections": terms_of.sections(terms) if terms else [],
        "changes": _changes(request, program, terms),
        "questions": questions,
        "may_ask": draft.email_confirmed_at is not None,
        "is_waiting": any(each.answered_at is None for each in questions),
        "steps": stepper(program, definition_for(program, draft), CHECK, draft),
    }
    return render(request, "public/check.html", context, status=status)


def groups_of(draft: Application, program: Program) -> list[tuple[str, str, list[asking.Answer]]]:
    """Return the answers by step: its title, the way back to it, and what was said."""
    titles = {TYPE: _("Type"), YOU: _("About you"), AUDIENCE: _("Your audience")}
    shown_answers = asking.answers_shown(draft, language())
    found: list[tuple[str, str, list[asking.Answer]]] = []
    for step, title in titles.items():
        answers = [each for each in shown_answers if each.step == step]
        if answers:
            found.append((title, step_url(program, step), answers))
    return found


def _changes(request: HttpRequest, program: Program, terms: TermsVersion | None) -> Sequence[Any]:
    """Return the sections that differ from the version the applicant had before their eyes."""
    read_id = _terms_id(request)
    if terms is None or not read_id or read_id == terms.public_id:
        return ()
    before = terms_of.published(program).filter(public_id=read_id).first()
    if before is None:
        return ()
    return [each for each in terms_of.compare(before, terms) if each.is_changed]


def _terms_id(request: HttpRequest) -> str:
    return request.POST.get("terms", "")[:40].replace("\0", "")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _wait(began: float) -> None:
    """Let the answer take as long, whether or not the mailbox was known."""
    time.sleep(max(0.0, NEUTRAL_SECONDS - (time.monotonic() - began)))


def _sent_key(program: Program) -> str:
    return f"applied:{program.pk}"
