"""The way into a program, one topic per page: what is answered is kept with every step, whoever leaves may come back, and going back loses
nothing. A draft goes on with the form it was begun with."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache

from partners import drafts, uploads
from partners.application_forms import asking, publishing
from partners.application_forms.asking import StepForm
from partners.application_forms.definition import AUDIENCE, CHECK, TYPE, YOU, Definition, read, words_in
from partners.applications import TooManyTries
from partners.models import Application
from partners.uploads import Upload
from portal import drafting
from portal.offer_sentence import sentence_of
from portal.views.answers import explain_refusal
from portal.views.public import shown, takes_applications
from portal.visitors import client_address, refuse_too_many, source_of, tries_too_often
from prm.lib.errors import Refused
from tiers.models import Program

NEUTRAL_SECONDS = 0.4
MOST_BYTES = 34 * 1024 * 1024  # three files of ten megabytes and what is around them
TRAP = "leave_empty"
LINKS_AN_HOUR = 10  # one draft could name a thousand mailboxes, one after the other


@method_decorator(never_cache, name="dispatch")
class Apply(View):
    """Open the step that comes next."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        program = shown(slug)
        if not takes_applications(program):
            return redirect("public:program", slug=slug)
        source_of(request, program)
        draft = drafting.draft(request, program)
        return redirect(step_url(program, next_step(definition_for(program, draft), draft)))


@method_decorator(never_cache, name="dispatch")
class Step(View):
    """Ask the questions of one step, and keep what was answered."""

    most_bytes = MOST_BYTES

    def get(self, request: HttpRequest, slug: str, step: str) -> HttpResponse:
        program = shown(slug)
        if not takes_applications(program):
            return redirect("public:program", slug=slug)
        source_of(request, program)
        draft = drafting.draft(request, program)
        definition = definition_for(program, draft)
        if _comes_too_early(definition, draft, step):
            return redirect(step_url(program, next_step(definition, draft)))
        return _page(request, program, draft, definition, step, _form(definition, draft, program, step))

    def post(self, request: HttpRequest, slug: str, step: str) -> HttpResponse:
        began, program = time.monotonic(), shown(slug)
        if not takes_applications(program):
            return redirect("public:program", slug=slug)
        draft = drafting.draft(request, program)
        definition = definition_for(program, draft)
        if _comes_too_early(definition, draft, step):
            messages.warning(request, _("Your answers were no longer there. Please fill in the form again."))
            return redirect(step_url(program, next_step(definition, draft)))
        if draft is not None and request.POST.get("remove"):
            return _take_file_back(request, program, draft, definition, step)
        form = _form(definition, draft, program, step, request=request)
        given = uploads.looked_at(form, request.FILES)
        if not form.is_valid():
            _keep_what_can_be_kept(draft, form, given)
            return _page(request, program, draft, definition, step, form, status=422)
        try:
            draft = _save(request, program, draft, definition, step, form, given)
        except Refused as refusal:
            explain_refusal(form, refusal)
            status = 429 if isinstance(refusal, TooManyTries) else 409
            return _page(request, program, draft, definition, step, form, status=status)
        if "later" in request.POST:
            return _go_on_later(request, program, draft, definition, step, form, began=began)
        return redirect(_after(request, program, definition, draft, step))


def definition_for(program: Program, draft: Application | None) -> Definition:
    """Return the form a draft goes on with, or the one a new draft begins with."""
    form = draft.form if draft is not None else None
    return read((form or publishing.in_use(program, at=timezone.now())).definition)


def next_step(definition: Definition, draft: Application | None) -> str:
    """Return the first step that is not done."""
    steps = definition.steps()
    return steps[min(draft.furthest_step if draft is not None else 0, len(steps) - 1)]


def step_url(program: Program, step: str) -> str:
    """Return where a step is answered."""
    if step == CHECK:
        return reverse("public:apply_check", args=[program.slug])
    return reverse("public:apply_step", args=[program.slug, step])


def stepper(
    program: Program, definition: Definition, current: str, draft: Application | None
) -> list[dict[str, Any]]:
    """Return the steps as the stepper shows them; those that can be opened are links."""
    words = {TYPE: _("Type"), YOU: _("About you"), AUDIENCE: _("Your audience"), CHECK: _("Check and send")}
    steps = definition.steps()
    here = steps.index(current) if current in steps else len(steps)
    done = draft.furthest_step if draft is not None else 0
    return [
        {
            "label": words[step],
            "done": number < max(here, done) and number != here,
            "current": number == here,
            "href": step_url(program, step) if draft is not None and number <= done else "",
        }
        for number, step in enumerate(steps)
    ]


def language() -> str:
    """Return the language of the page, without its region."""
    return (get_language() or "en").split("-")[0]


def _comes_too_early(definition: Definition, draft: Application | None, step: str) -> bool:
    """Tell whether steps before this one are still to be done.

    Raises: Http404 when the form has no such step.
    """
    steps = definition.steps()
    if step not in steps or step == CHECK:
        raise Http404
    return steps.index(step) > (draft.furthest_step if draft is not None else 0)


def _form(
    definition: Definition,
    draft: Application | None,
    program: Program,
    step: str,
    *,
    request: HttpRequest | None = None,
) -> StepForm:
    kind = (draft.partnership_type if draft is not None else "") or definition.partnership_types[0]
    return asking.form_for(
        definition,
        step=step,
        partnership_type=kind,
        language=language(),
        data=request.POST if request is not None else None,
        files=request.FILES if request is not None else None,
        initial=asking.values_of(draft, definition) if draft is not None else None,
    )


def _keep_what_can_be_kept(
    draft: Application | None, form: StepForm, given: Mapping[str, Sequence[Upload]]
) -> None:
    """Keep good files although another answer is wrong: a browser does not show a chosen file again."""
    if draft is None:
        return
    for name, files in given.items():
        for each in files if name not in form.errors else ():
            try:
                uploads.attach(draft, name, each, timezone.now())
            except Refused as refusal:  # with those of another question it is one too many
                form.add_error(name, str(refusal))
                break


def _save(
    request: HttpRequest,
    program: Program,
    draft: Application | None,
    definition: Definition,
    step: str,
    form: StepForm,
    given: Mapping[str, Sequence[Upload]],
) -> Application:
    at = timezone.now()
    if draft is None:
        refuse_too_many(request, program, "begin", most=drafts.BEGUN_AN_HOUR, at=at)
        draft, word = drafts.begin(
            program,
            at=at,
            language=language(),
            address=client_address(request),
            link=source_of(request, program),
        )
        drafting.hold(request, program, word)
    if request.POST.get(TRAP):
        drafting.spring_trap(request, program)
    return drafts.save(
        draft,
        definition=definition,
        step=step,
        cleaned=form.cleaned_data,
        files=given,
        language=language(),
        at=at,
    )


def _take_file_back(
    request: HttpRequest, program: Program, draft: Application, definition: Definition, step: str
) -> HttpResponse:
    file_id = request.POST["remove"].replace("\0", "")
    drafts.take_file_back(draft, file_id, definition=definition, at=timezone.now())
    messages.success(request, _("The file is removed."))
    return redirect(step_url(program, step))


def _go_on_later(
    request: HttpRequest,
    program: Program,
    draft: Application,
    definition: Definition,
    step: str,
    form: StepForm,
    *,
    began: float,
) -> HttpResponse:
    if tries_too_often(request, "links", most=LINKS_AN_HOUR):
        form.add_error(None, _("Too many tries from your network. Try again in an hour."))
        return _page(request, program, draft, definition, step, form, status=429)
    try:
        if not drafting.is_trapped(request, program):
            drafts.mail_link(draft, at=timezone.now())
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, program, draft, definition, step, form, status=409)
    time.sleep(max(0.0, NEUTRAL_SECONDS - (time.monotonic() - began)))
    said = _("Your answers are saved. We have sent a link to %(email)s with which you can go on at any time.")
    messages.success(request, said % {"email": draft.email})
    return redirect("public:apply", slug=program.slug)


def _after(
    request: HttpRequest, program: Program, definition: Definition, draft: Application, step: str
) -> str:
    steps = definition.steps()
    if request.POST.get("back") == CHECK and draft.furthest_step >= len(steps) - 1:
        return step_url(program, CHECK)
    return step_url(program, steps[steps.index(step) + 1])


def _page(
    request: HttpRequest,
    program: Program,
    draft: Application | None,
    definition: Definition,
    step: str,
    form: StepForm,
    *,
    status: int = 200,
) -> HttpResponse:
    steps = definition.steps()
    before = steps[steps.index(step) - 1] if steps.index(step) else ""
    titles = {TYPE: _("What do you want to be?"), YOU: _("About you"), AUDIENCE: _("Your audience")}
    files = draft.files.order_by("pk") if draft is not None and form.has_files else []
    context = {
        "program": program,
        "form": form,
        "files": files,
        "title": titles[step],
        "call_to_action": words_in(definition.call_to_action, language()),
        "introduction": words_in(definition.introduction, language()),
        "sentence": sentence_of(program, timezone.now()),
        "steps": stepper(program, definition, step, draft),
        "number": steps.index(step) + 1,
        "count": len(steps),
        "back_url": step_url(program, before) if before else "",
        "back": request.POST.get("back") or request.GET.get("back", ""),
        "may_leave": step != TYPE and (step == YOU or (draft is not None and bool(draft.email))),
        "is_first": step == steps[0],
        "has_trap": step == YOU,
    }
    return render(request, "public/apply.html", context, status=status)
