"""The way into a program: answers, a look at them, and off they go. Answers are kept from page to page, a second click sends nothing
twice, and everybody gets the same answer in the same time."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from partners import applications
from partners import terms as terms_of
from partners.applications import Answers
from portal import countries
from portal.formats import active_locale
from portal.forms_apply import AcceptForm, ApplyForm
from portal.offer import Fact
from portal.views.public import shown, takes_applications
from portal.visitors import client_address
from prm.lib import ids
from prm.lib.errors import Refused
from tiers.models import Program

NEUTRAL_SECONDS = 0.4
DRAFT_SECONDS = 7 * 24 * 3600
_SALT = "portal.apply.draft"


@method_decorator(never_cache, name="dispatch")
class Apply(View):
    """Ask for the answers."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        program = shown(slug)
        if not takes_applications(program):
            return redirect("public:program", slug=slug)
        draft = _kept(request, program)
        return _form_page(request, program, ApplyForm(initial=draft.get("answers", {})))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        program = shown(slug)
        if not takes_applications(program):
            return redirect("public:program", slug=slug)
        form = ApplyForm(request.POST)
        if not form.is_valid():
            return _form_page(request, program, form, status=422)
        reference = _kept(request, program).get("reference") or ids.public_id("app")
        answers = {**form.cleaned_data, "trap": form.is_trap_sprung}
        _keep(request, program, {"reference": reference, "answers": answers})
        return redirect("public:apply_check", slug=slug)


@method_decorator(never_cache, name="dispatch")
class Check(View):
    """Show the answers, take the acceptance of the terms and send."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        program = shown(slug)
        draft = _kept(request, program)
        if not draft or not takes_applications(program):
            return redirect("public:apply", slug=slug)
        return _check_page(request, program, draft, AcceptForm())

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        began, program = time.monotonic(), shown(slug)
        draft = _read(request.POST.get("draft", ""), program) or _kept(request, program)
        if not draft:
            messages.warning(request, _("Your answers were no longer there. Please fill in the form again."))
            return redirect("public:apply", slug=slug)
        form = AcceptForm(request.POST)
        if not form.is_valid():
            return _check_page(request, program, draft, form, status=422)
        try:
            receipt = _send(request, program, draft, terms_id=form.cleaned_data["terms"])
        except Refused as refusal:
            form.add_error("accept" if refusal.field == "terms" else None, str(refusal))
            status = 429 if isinstance(refusal, applications.TooManyTries) else 409
            return _check_page(request, program, draft, form, status=status)
        request.session.pop(_key(program), None)
        request.session[_sent_key(program)] = [receipt.reference, receipt.decide_on.isoformat()]
        # Whether the mailbox was known or not, the answer takes as long.
        time.sleep(max(0.0, NEUTRAL_SECONDS - (time.monotonic() - began)))
        return redirect("public:apply_sent", slug=slug)


@never_cache
@require_safe
def sent(request: HttpRequest, slug: str) -> HttpResponse:
    """Say that the application is here, its reference and when it is decided."""
    program = shown(slug)
    kept = request.session.get(_sent_key(program))
    if not kept:
        return redirect("public:program", slug=slug)
    context = {
        "program": program,
        "reference": kept[0],
        "decide_on": date.fromisoformat(kept[1]),
        "steps": _steps(program, 3),
    }
    return render(request, "public/sent.html", context)


def _send(
    request: HttpRequest, program: Program, draft: dict[str, Any], *, terms_id: str
) -> applications.Receipt:
    at = timezone.now()
    values = dict(draft["answers"])
    if values.pop("trap", False):
        return applications.Receipt(draft["reference"], applications.decide_on(program, at))
    terms = terms_of.published(program).filter(public_id=terms_id).first()
    if terms is None:
        raise applications.TermsChanged
    return applications.receive(
        program,
        answers=Answers.read({**values, "language": request.LANGUAGE_CODE.split("-")[0]}),
        terms=terms,
        at=at,
        address=client_address(request),
        source="public form",
        reference=draft["reference"],
    )


def _form_page(request: HttpRequest, program: Program, form: ApplyForm, *, status: int = 200) -> HttpResponse:
    context = {
        "program": program,
        "form": form,
        "about_you": [form[name] for name in form.about_you],
        "about_audience": [form[name] for name in form.about_audience],
        "steps": _steps(program, 1),
    }
    return render(request, "public/apply.html", context, status=status)


def _check_page(
    request: HttpRequest, program: Program, draft: dict[str, Any], form: AcceptForm, *, status: int = 200
) -> HttpResponse:
    terms = terms_of.in_force(program, timezone.now())
    context = {
        "program": program,
        "form": form,
        "groups": _summary(draft["answers"]),
        "terms": terms,
        "sections": terms_of.sections(terms) if terms else [],
        "draft": signing.dumps({**draft, "program": program.pk}, salt=_SALT, compress=True),
        "steps": _steps(program, 2),
    }
    return render(request, "public/check.html", context, status=status)


def _summary(answers: dict[str, Any]) -> list[tuple[str, list[tuple[str, Fact]]]]:
    form = ApplyForm()

    def rows(names: tuple[str, ...]) -> list[tuple[str, Fact]]:
        return [(name, Fact(str(form.fields[name].label), _shown_value(name, answers))) for name in names]

    return [(_("About you"), rows(form.about_you)), (_("Your audience"), rows(form.about_audience))]


def _shown_value(name: str, answers: dict[str, Any]) -> str:
    value = str(answers.get(name, ""))
    if name == "country":
        return countries.name(value, active_locale())
    return value or _("Not given")


def _steps(program: Program, current: int) -> list[dict[str, Any]]:
    labels = (_("About you and your audience"), _("Check and send"), _("Sent"))
    href = reverse("public:apply", kwargs={"slug": program.slug})
    return [
        {
            "label": label,
            "done": number < current,
            "current": number == current,
            "href": href if number == 1 and current == 2 else "",
        }
        for number, label in enumerate(labels, start=1)
    ]


def _key(program: Program) -> str:
    return f"apply:{program.pk}"


def _sent_key(program: Program) -> str:
    return f"applied:{program.pk}"


def _kept(request: HttpRequest, program: Program) -> dict[str, Any]:
    kept: dict[str, Any] = request.session.get(_key(program)) or {}
    return kept


def _keep(request: HttpRequest, program: Program, draft: dict[str, Any]) -> None:
    request.session[_key(program)] = draft


def _read(text: str, program: Program) -> dict[str, Any]:
    """Return the draft a page carried along, so that a lost session loses no answers."""
    try:
        draft: dict[str, Any] = signing.loads(text, salt=_SALT, max_age=DRAFT_SECONDS)
    except signing.BadSignature:
        return {}
    return draft if draft.pop("program", None) == program.pk else {}
