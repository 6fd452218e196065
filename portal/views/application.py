"""The applicant's own page, reached by the link in our mail and by nothing else. Whoever holds the link reads the mailbox it was sent
to; changes are made by buttons, never by opening a link."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache

from partners import applications
from partners.choices import ApplicationState
from partners.models import Application
from portal import countries, status
from portal.formats import active_locale, date_text
from portal.forms_apply import ReplyForm
from portal.offer import Fact
from portal.templatetags.portal import daytime
from prm.lib.errors import Refused


@method_decorator(never_cache, name="dispatch")
class Status(View):
    """Show where an application stands; take the confirmation of the address and answers."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return _page(request, token, _application(token), ReplyForm())

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        application, at = _application(token), timezone.now()
        if request.POST.get("action") == "confirm":
            applications.confirm_email(token, at)
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
        application = _application(token)
        if application.state not in ApplicationState.undecided():
            return redirect("public:application", token=token)
        return _private(render(request, "public/withdraw.html", {"application": application, "token": token}))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            applications.withdraw(_application(token), timezone.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Your application is withdrawn."))
        return redirect("public:application", token=token)


def _application(token: str) -> Application:
    found = applications.by_token(token)
    if found is None:
        raise Http404
    return found


def _page(
    request: HttpRequest, token: str, application: Application, form: ReplyForm, *, code: int = 200
) -> HttpResponse:
    is_open = application.state in ApplicationState.undecided()
    thread = list(application.messages.order_by("written_at", "pk"))
    context = {
        "application": application,
        "program": application.program,
        "token": token,
        "word": status.word("application", application.state),
        "is_open": is_open,
        "asks_us": application.state == ApplicationState.INFO_REQUESTED,
        "is_approved": application.state == ApplicationState.APPROVED,
        "is_rejected": application.state == ApplicationState.REJECTED,
        "decide_on": applications.decide_on(application.program, application.submitted_at or timezone.now()),
        "steps": _timeline(application, len(thread), is_open=is_open),
        "thread": thread,
        "facts": _facts(application),
        "form": form,
    }
    return _private(render(request, "public/application.html", context, status=code))


def _timeline(application: Application, messages_count: int, *, is_open: bool) -> list[dict[str, Any]]:
    zone = application.program.zone
    steps: list[dict[str, Any]] = [_step(application.submitted_at, zone, _("Application received"))]
    if application.email_confirmed_at:
        steps.append(_step(application.email_confirmed_at, zone, _("E-mail address confirmed")))
    elif is_open:
        steps.append({"at": _("Waiting for you"), "what": _("Confirm your e-mail address"), "done": False})
    for message in application.messages.order_by("written_at", "pk") if messages_count else ():
        what = _("You wrote to us") if message.written_by_id is None else _("We asked you something")
        steps.append(_step(message.written_at, zone, what))
    if application.decided_at:
        words = {ApplicationState.APPROVED: _("Approved"), ApplicationState.REJECTED: _("Declined")}
        done = _step(application.decided_at, zone, words[ApplicationState(application.state)])
        steps.append({**done, "problem": application.state == ApplicationState.REJECTED})
    elif is_open and application.submitted_at:
        day = applications.decide_on(application.program, application.submitted_at)
        steps.append(
            {"at": _("By %(date)s") % {"date": date_text(day)}, "what": _("Decision"), "done": False}
        )
    else:
        steps.append({"at": "", "what": application.get_state_display(), "done": True, "problem": True})
    return steps


def _step(at: Any, zone: Any, what: str) -> dict[str, Any]:
    return {"at": daytime(at, zone), "what": what, "done": True}


def _facts(application: Application) -> list[Fact]:
    told = [
        Fact(_("Reference"), application.public_id),
        Fact(_("Name"), application.full_name),
        Fact(_("E-mail address"), application.email),
        Fact(_("Phone"), application.phone),
        Fact(_("Company or creator name"), application.company),
        Fact(_("Country"), countries.name(application.country, active_locale())),
        Fact(_("Website or channel"), application.website),
        Fact(_("Audience"), application.audience),
        Fact(_("How you will promote us"), application.how_promote),
    ]
    return [fact for fact in told if fact.value]


def _private(response: HttpResponse) -> HttpResponse:
    """Keep a page behind a secret link out of search engines.

    The link stays out of other sites' logs by the site's own referrer policy, same-origin; no-referrer would make
    browsers send `Origin: null` with the forms here, which the check against forged requests refuses.
    """
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
