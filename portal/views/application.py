"""The applicant's own page, reached by the link in our mail and by nothing else. Whoever holds the link reads the mailbox it was sent
to; changes are made by buttons, never by opening a link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from partners import applications, references, uploads
from partners.application_forms import asking
from partners.choices import ApplicationState
from partners.models import Application
from portal import status
from portal.formats import date_text
from portal.forms_apply import ReplyForm
from portal.offer import Fact
from portal.templatetags.portal import daytime
from portal.views.apply import language
from portal.views.draft import expired, private
from prm.lib.errors import Refused


@method_decorator(never_cache, name="dispatch")
class Status(View):
    """Show where an application stands; take the confirmation of the address and answers."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        application = applications.by_token(token, at=timezone.now())
        return _page(request, token, application, ReplyForm()) if application else expired(request)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        at = timezone.now()
        application = applications.by_token(token, at=at)
        if application is None:
            return expired(request)
        if request.POST.get("action") == "confirm":
            confirmed = applications.confirm_email(token, at)
            if confirmed is not None and confirmed.email_confirmed_at is not None:
                messages.success(request, _("Your e-mail address is confirmed."))
            return redirect("public:application", token=token)
        form = ReplyForm(request.POST)
        if not form.is_valid():
            return _page(request, token, application, form, code=422)
        try:
            applications.reply(application, form.cleaned_data["text"], at)
        except Refused as refusal:
            form.add_error("text", str(refusal))
            return _page(request, token, application, form, code=409)
        messages.success(request, _("Your message is with us."))
        return redirect("public:application", token=token)


@method_decorator(never_cache, name="dispatch")
class Withdraw(View):
    """Say what withdrawing means, and do it."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        application = applications.by_token(token, at=timezone.now())
        if application is None:
            return expired(request)
        if application.state not in ApplicationState.undecided():
            return redirect("public:application", token=token)
        return private(render(request, "public/withdraw.html", {"application": application, "token": token}))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        at = timezone.now()
        application = applications.by_token(token, at=at)
        if application is None:
            return expired(request)
        try:
            applications.withdraw(application, at)
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Your application is withdrawn."))
        return redirect("public:application", token=token)


@never_cache
@require_safe
def file(request: HttpRequest, token: str, file_id: str) -> HttpResponseBase:
    """Hand out a file of the application to whoever gave it."""
    application = applications.by_token(token, at=timezone.now())
    if application is None:
        return expired(request)
    found = application.files.filter(public_id=file_id).first()
    if found is None:
        raise Http404
    return uploads.attachment(found)


def _page(
    request: HttpRequest, token: str, application: Application, form: ReplyForm, *, code: int = 200
) -> HttpResponse:
    at = timezone.now()
    is_open = application.state in ApplicationState.undecided()
    thread = list(application.messages.order_by("written_at", "pk"))
    context = {
        "application": application,
        "program": application.program,
        "token": token,
        "word": status.word("application", application.state),
        "is_open": is_open,
        "wants_confirmation": is_open and application.email_confirmed_at is None,
        "asks_us": application.state == ApplicationState.INFO_REQUESTED,
        "is_approved": application.state == ApplicationState.APPROVED,
        "is_rejected": application.state == ApplicationState.REJECTED,
        "is_expired": application.state == ApplicationState.EXPIRED,
        "steps": _timeline(application, thread, is_open=is_open),
        "thread": thread,
        "facts": _facts(application),
        "files": application.files.order_by("pk"),
        "references": _references(application, at),
        "form": form,
    }
    return private(render(request, "public/application.html", context, status=code))


def _timeline(application: Application, thread: list[Any], *, is_open: bool) -> list[dict[str, Any]]:
    zone = application.program.zone
    sent = _("Entered on your behalf") if application.entered_at else _("Application received")
    steps: list[dict[str, Any]] = [_step(application.submitted_at, zone, sent)]
    if application.email_confirmed_at:
        steps.append(_step(application.email_confirmed_at, zone, _("E-mail address confirmed")))
    elif is_open:
        steps.append({"at": _("Waiting for you"), "what": _("Confirm your e-mail address"), "done": False})
    for message in thread:
        what = _("You wrote to us") if message.written_by_id is None else _("We asked you something")
        steps.append(_step(message.written_at, zone, what))
    if application.decided_at:
        is_rejected = application.state == ApplicationState.REJECTED
        done = _step(application.decided_at, zone, _("Declined") if is_rejected else _("Approved"))
        return [*steps, {**done, "problem": is_rejected}]
    if not is_open:
        closed = _step(application.changed_at, zone, application.get_state_display())
        return [*steps, {**closed, "problem": True}]
    return [*steps, {"at": _promise(application), "what": _("Decision"), "done": False}]


def _promise(application: Application) -> str:
    since = application.counts_since
    if since is None:
        return _("After you have confirmed")
    return _("By %(date)s") % {"date": date_text(applications.decide_on(application.program, since))}


def _step(at: datetime | None, zone: Any, what: str) -> dict[str, Any]:
    return {"at": daytime(at, zone) if at else "", "what": what, "done": True}


def _facts(application: Application) -> list[Fact]:
    told = [Fact(_("Reference"), application.public_id)]
    answers = asking.answers_shown(application, language())
    told += [
        Fact(each.label, each.value) for each in answers if not each.is_file and each.key != "references"
    ]
    return [fact for fact in told if fact.value]


def _references(application: Application, at: datetime) -> list[Fact]:
    """Return where each reference stands, and nothing of what it said."""
    words = {
        "not_asked": _("Not asked"),
        "asked": _("Asked, no answer yet"),
        "no_answer": _("Asked, no answer"),
        "answered": _("Answered"),
    }
    return [
        Fact(each.full_name, words[references.state_of(each, at=at)])
        for each in application.references.order_by("pk")
    ]
