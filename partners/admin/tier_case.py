"""The page of one case, with its evidence, and a page for each decision that says what it does and shows the mail first. After a decision the
next case of the queue opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partners.admin import tier_case_facts as facts
from partners.admin.history import history_of
from partners.admin.tier_effects import Mail, rehearse
from partners.admin.tier_steps import STEPS, Step, steps_for
from partners.choices import ReviewState
from partners.engagement import figures
from partners.models import TierReview
from partners.tier_reviews import waiting
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, attempt, list_url, panels_of, person, require, row_url
from prm.lib.errors import Refused
from tiers import requirement_sentences as sentences

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object

CAPABILITY = "decide_reviews"
ROWS_PER_PAGE = 50


class CasePages(Desk):
    """The page of one case and its buttons, beside the queue."""

    def case_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap = self.admin_site.admin_view
        evidence = wrap(require_safe(self.evidence))
        return [
            path("<int:pk>/evidence/", evidence, name="partners_tierreview_evidence"),
            *(
                path(
                    f"<int:pk>/{step.key}/",
                    wrap(require_http_methods(["GET", "POST"])(self._page_of(step))),
                    name=f"partners_tierreview_{step.key.replace('-', '_')}",
                )
                for step in STEPS
            ),
        ]

    def case(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show a case: what was measured, what happened, and what can be decided."""
        require(request, self.sees)
        case, at, by = self._case(object_id), timezone.now(), person(request)
        found = facts.read(case)
        appeal, overrides = getattr(case, "appeal", None), facts.overrides_of(case)
        may_decide = policy.may(by, CAPABILITY)
        steps = steps_for(case, at=at) if may_decide else []
        following = waiting.following(case, at=at)
        return self.page(
            request,
            "admin/partners/tierreview/case.html",
            title=case.membership.partner.name,
            case=case,
            program=found.program,
            appeal=appeal,
            facts=list(facts.facts_of(found)),
            notes=facts.notes_of(case, overrides, at=at),
            rungs=facts.rungs_of(found),
            has_again=found.again is not None,
            evidence_url=row_url(case, "evidence"),
            steps=facts.steps_of(found, appeal, at=at),
            former=facts.former_of(case),
            placements=facts.placements_of(case),
            overrides=overrides,
            history=history_of(case),
            buttons=[(_step_url(case, step), _button(step)) for step in steps],
            may_decide=may_decide,
            is_open=case.state in ReviewState.open(),
            panels=panels_of("tierreview", case, by=by, at=at),
            next_url=row_url(following) if following is not None else "",
        )

    def evidence(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the rows behind one figure, some at a time."""
        require(request, self.sees)
        case = self._case(str(pk))
        found = facts.read(case)
        question = facts.question_of(found, request.GET.get("question", ""))
        if question is None:
            raise Http404
        rows, more, is_kept = facts.evidence_of(found, question)
        page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
        here = f"{request.path}?{request.GET.urlencode().split('&page=')[0]}"
        return self.page(
            request,
            "admin/partners/tierreview/evidence.html",
            title=_("%(metric)s of %(partner)s")
            % {"metric": sentences.metric_name(question.metric), "partner": case.membership.partner.name},
            parent=case.membership.partner.name,
            parent_url=row_url(case),
            window=sentences.window_text(question.window),
            program=found.program,
            rows=[
                facts.row_of(each, question, found.program)
                for each in figures.in_words(case.membership_id, page)
            ],
            page=page,
            more=more,
            is_kept=is_kept,
            previous_url=f"{here}&page={page.previous_page_number()}" if page.has_previous() else "",
            next_url=f"{here}&page={page.next_page_number()}" if page.has_next() else "",
        )

    def _page_of(self, step: Step) -> Callable[[HttpRequest, int], HttpResponse]:
        def page(request: HttpRequest, pk: int) -> HttpResponse:
            return self._step_page(request, pk, step)

        return page

    def _step_page(self, request: HttpRequest, pk: int, step: Step) -> HttpResponse:
        """Say what a decision does and show its mail, or carry it out."""
        require(request, CAPABILITY)
        case, by, at = self._case(str(pk)), person(request), timezone.now()
        if not step.is_for(case, at):
            messages.info(request, _("That cannot be decided any more: the case has moved on."))
            return HttpResponseRedirect(row_url(case))
        form, named = _form(step, request, case), {"partner": case.membership.partner.name}
        asks_first = "preview" in request.POST
        if request.method == "POST" and not asks_first and (form is None or form.is_valid()):
            done = attempt(request, lambda: step.does(case, form, _given(form), by, at), form=form)
            if done is not None:
                messages.success(request, step.done % named)
                return self._onwards(case, at=at)
        found = facts.read(case)
        mails, hindrance = _mails(step, case, form, by=by, at=at)
        return self.page(
            request,
            "admin/partners/tierreview/step.html",
            title=step.title % named,
            status=422 if form is not None and form.errors else 200,
            parent=case.membership.partner.name,
            parent_url=row_url(case),
            form=form,
            errors=bool(form is not None and form.errors),
            step=step,
            appeal=getattr(case, "appeal", None) if step.key == "answer" else None,
            program=found.program,
            consequences=list(step.says(found, at)),
            mails=mails,
            hindrance=hindrance,
            verb=step.verb,
        )

    def _onwards(self, case: TierReview, *, at: datetime) -> HttpResponse:
        """Stay at a case in which something is still to be decided, else go on to the next of the queue."""
        case = TierReview.objects.get(pk=case.pk)
        if TierReview.objects.filter(waiting.for_us(at=at), pk=case.pk).exists():
            return HttpResponseRedirect(row_url(case))
        following = waiting.following(case, at=at)
        return HttpResponseRedirect(row_url(following) if following is not None else list_url(TierReview))

    def _case(self, pk: str) -> TierReview:
        rows = TierReview.objects.select_related(
            "membership__partner__account_manager",
            "membership__program",
            "round__scheme",
            "from_tier",
            "measured_tier",
            "to_tier",
            "appeal__opened_by",
            "appeal__answered_by",
            "decided_by",
        )
        found = get_object_or_404(rows, pk=pk)
        found.round.scheme.program = found.membership.program
        return found


def _step_url(case: TierReview, step: Step) -> str:
    return reverse(f"admin:partners_tierreview_{step.key.replace('-', '_')}", args=[case.pk])


def _button(step: Step) -> str:
    words = {
        "answer": _("Answer the appeal"),
        "notify": _("Send the notice"),
        "carry-out": _("Change the tier"),
        "keep": _("Keep the tier"),
        "waive": _("Waive until a day"),
        "look-again": _("Look again now"),
    }
    return words[step.key]


def _form(step: Step, request: HttpRequest, case: TierReview) -> Any:
    if step.form is None:
        return None
    return step.form(
        request.POST if request.method == "POST" else None,
        program=case.membership.program,  # type: ignore[call-arg]  # every form of a case takes it
    )


def _given(form: forms.Form | None) -> Mapping[str, Any]:
    return form.cleaned_data if form is not None else {}


def _mails(
    step: Step, case: TierReview, form: Any, *, by: Any, at: datetime
) -> tuple[list[Mail] | None, str]:
    """Return the mails the decision would send as typed in so far, None before that can be said; and why it would be refused."""
    asked = form
    if form is not None and step.form is not None and not form.is_bound:
        # What need not be typed in can be shown before anything is.
        asked = step.form({}, program=case.membership.program)  # type: ignore[call-arg]
    if asked is not None and not asked.is_valid():
        return None, ""
    try:
        return rehearse(lambda: step.does(case, asked, _given(asked), by, at)), ""
    except Refused as refusal:
        return None, str(refusal)
