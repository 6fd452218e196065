"""The page on which one application is decided: what the applicant said and what was checked at the left, the decision with its
consequences and its letter at the right. After it the next in the queue opens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from partners import (
    amendments,
    approval,
    assignment,
    mails_decisions,
    negotiation,
    references,
    screening,
    uploads,
)
from partners.admin.applications_facts import answers_of, consequences_of, facts_of, partner_of, waiting_words
from partners.admin.forms import APPROVE, ASK, DecisionForm, OwnerForm
from partners.admin.history import history_of
from partners.application_forms import asking
from partners.choices import ApplicationState
from partners.mails_decisions import Letter
from partners.models import Application, ApplicationFile, Membership, Reference
from partners.tier_rates import rates_of
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require, row_url

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object


class ReviewPages(Desk):
    """The page of one application and its buttons, beside the queue."""

    def review_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        pages: list[tuple[str, str, Callable[..., HttpResponseBase]]] = [
            ("<int:pk>/start/", "start", require_POST(self.start)),
            ("<int:pk>/take/", "take", require_POST(self.take)),
            ("<int:pk>/assign/", "assign", require_POST(self.assign)),
            ("<int:pk>/references/<int:reference>/ask/", "reference", require_POST(self.ask_reference)),
            ("<int:pk>/files/<str:file>/", "file", require_GET(self.file)),
        ]
        return [
            path(address, self.admin_site.admin_view(view), name=f"partners_application_{name}")
            for address, name, view in pages
        ]

    def review(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show an application with its decision; carry the decision out, or show its letter first."""
        application = get_object_or_404(
            self.get_queryset(request).select_related("decided_by", "form"), pk=object_id
        )
        is_open, at = application.state in ApplicationState.undecided(), timezone.now()
        form = self._form(request, application, is_open=is_open, at=at)
        letter: Letter | None = None
        if request.method == "POST":
            require(request, "decide_applications")
            if form.is_valid():
                letter = letter_of(application, form.cleaned_data, at=at)
                if "preview" not in request.POST:
                    gone_to = self._decide(request, application, form, at=at)
                    if gone_to is not None:
                        return gone_to
        return self._page(request, application, form, letter, is_open=is_open, at=at)

    def start(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Note that somebody has begun to look at an application."""
        application, by = self._application(request, pk), person(request)
        attempt(request, lambda: approval.start_review(application, by=by, at=timezone.now()))
        return HttpResponseRedirect(row_url(application))

    def take(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Look after an application oneself."""
        return self._assign(request, self._application(request, pk), person(request).pk)

    def assign(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let somebody look after an application."""
        form = OwnerForm(request.POST)
        application = self._application(request, pk)
        if not form.is_valid():
            messages.error(request, _("Choose a person."))
            return HttpResponseRedirect(row_url(application))
        return self._assign(request, application, form.cleaned_data["manager"].pk)

    def ask_reference(self, request: HttpRequest, pk: int, reference: int) -> HttpResponse:
        """Ask somebody an applicant named whether they know the applicant."""
        application, by = self._application(request, pk), person(request)
        row = get_object_or_404(Reference, pk=reference, application=application)
        if attempt(request, lambda: references.ask(row, by=by, at=timezone.now())) is not None:
            messages.success(
                request, _("%(name)s gets a mail with a link to answer.") % {"name": row.full_name}
            )
        return HttpResponseRedirect(row_url(application))

    def file(self, request: HttpRequest, pk: int, file: str) -> FileResponse:
        """Hand out a file of an applicant, on record."""
        application = self._application(request, pk)
        found = get_object_or_404(ApplicationFile, public_id=file, application=application)
        audit.record(
            person(request), "application.file_opened", application, at=timezone.now(), file=found.public_id
        )
        return uploads.attachment(found)

    def _application(self, request: HttpRequest, pk: int) -> Application:
        require(request, self.sees)
        found: Application = get_object_or_404(self.get_queryset(request), pk=pk)
        return found

    def _assign(self, request: HttpRequest, application: Application, manager_id: int) -> HttpResponse:
        by = person(request)
        manager = assignment.managers().filter(pk=manager_id).first() or by
        done = attempt(
            request, lambda: assignment.assign(application, manager=manager, by=by, at=timezone.now())
        )
        if done is not None:
            said = _("%(name)s looks after %(application)s.")
            names = {"name": manager.full_name or manager.email, "application": application}
            messages.success(request, said % names)
        return HttpResponseRedirect(row_url(application))

    def _form(
        self, request: HttpRequest, application: Application, *, is_open: bool, at: datetime
    ) -> DecisionForm:
        return DecisionForm(
            request.POST or None,
            application=application,
            rates=rates_of(application.program, at=at) if is_open else {},
            proposed=asking.proposed_tier(application) if is_open else "",
            may_agree=policy.may(request.user, "publish_plans"),
        )

    def _decide(
        self, request: HttpRequest, application: Application, form: DecisionForm, *, at: datetime
    ) -> HttpResponse | None:
        """Carry the decision out; None when the verb refused, with its words in the form."""
        by, given, name = person(request), form.cleaned_data, str(application)
        done: Any
        if given["decision"] == APPROVE:
            done = attempt(request, lambda: _approve(application, given, by=by, at=at), form=form)
            said = _("%(name)s is approved and gets an e-mail.")
        elif given["decision"] == ASK:
            done = attempt(
                request,
                lambda: approval.ask_for_more(application, text=given["text"], by=by, at=at),
                form=form,
            )
            said = _("%(name)s gets your question by e-mail.")
        else:
            done = attempt(request, lambda: _decline(application, given, by=by, at=at), form=form)
            said = _("%(name)s is declined and gets an e-mail.")
        if done is None:
            return None
        messages.success(request, said % {"name": name})
        if given["decision"] == APPROVE and given.get("own_terms"):
            draft = negotiation.versions_of(done).first()
            if draft is not None:
                return HttpResponseRedirect(row_url(draft))
        return self.after(request, application)

    def after(self, request: HttpRequest, decided: Application) -> HttpResponseRedirect:
        """Say where to go after a decision."""
        raise NotImplementedError

    def _page(
        self,
        request: HttpRequest,
        application: Application,
        form: DecisionForm,
        letter: Letter | None,
        *,
        is_open: bool,
        at: datetime,
    ) -> HttpResponse:
        named = application.references.select_related("asked_by").order_by("pk")
        given = list(named)
        for reference in given:
            reference.standing = references.state_of(reference, at=at)  # type: ignore[attr-defined]
        may_decide = is_open and policy.may(request.user, "decide_applications")
        shown = (letter or _letter_at_first(application, form, at=at)) if may_decide else None
        subject, text = shown.read() if shown is not None else ("", "")
        return self.page(
            request,
            "admin/partners/application/review.html",
            title=str(application),
            status=422 if form.errors else 200,
            application=application,
            program=application.program,
            is_open=is_open,
            counts=application.counts_since is not None,
            may_decide=may_decide,
            form=form,
            errors=bool(form.errors),
            owner_form=OwnerForm(initial={"manager": application.manager_id}),
            waiting=waiting_words(application, at=at),
            facts=facts_of(application),
            answers=answers_of(application),
            references=given,
            files=list(application.files.order_by("pk")),
            signals=screening.signals(application),
            thread=application.messages.select_related("written_by").order_by("written_at", "pk"),
            history=history_of(application),
            consequences=consequences_of(application),
            letter_subject=subject,
            letter_text=text,
            partner=partner_of(application),
            is_previewed=letter is not None,
        )


def letter_of(application: Application, given: dict[str, Any], *, at: datetime) -> Letter:
    """Return the letter a decision would send."""
    text = given.get("text", "")
    if given["decision"] == APPROVE:
        return mails_decisions.approval(application, given["tier"], note=text, at=at)
    if given["decision"] == ASK:
        return mails_decisions.question(application, None, text=text)
    return mails_decisions.refusal(
        application, reason=given["reason"], reapply_on=given["reapply_on"], note=text, by_rule=False
    )


def _letter_at_first(application: Application, form: DecisionForm, *, at: datetime) -> Letter | None:
    """Return the letter of an approval into the tier the form opens with."""
    tiers = form.fields["tier"].queryset  # type: ignore[attr-defined]
    tier = tiers.filter(pk=form.initial.get("tier")).first() or tiers.first()
    if form.is_bound or tier is None:
        return None
    return mails_decisions.approval(application, tier, note="", at=at)


@transaction.atomic
def _approve(application: Application, given: dict[str, Any], *, by: Any, at: datetime) -> Membership:
    membership = approval.approve(application, tier=given["tier"], by=by, at=at, note=given["text"])
    if given.get("addendum", "").strip():
        amendments.propose(
            membership,
            title=_("Agreed on joining"),
            text=given["addendum"].strip(),
            effective_on=None,
            by=by,
            at=at,
        )
    if given.get("own_terms"):
        negotiation.begin(membership, by=by, at=at)
    return membership


def _decline(application: Application, given: dict[str, Any], *, by: Any, at: datetime) -> Application:
    return approval.reject(
        application,
        reason=given["reason"],
        by=by,
        at=at,
        note=given["text"],
        reapply_on=given["reapply_on"],
    )
