"""Take the address of somebody who wants to hear when a program opens. The answer is the same whether the mailbox waited already or not."""

from __future__ import annotations

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners import launching, waiting_list
from portal.forms_waiting import WaitingForm
from portal.views.public import program_page, shown
from portal.visitors import client_address

_LIMITS = {"ask": "10/h/ip"}


@require_http_methods(["GET", "HEAD", "POST"])
def wait(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep an address for one mail; while the program is open there is nothing to wait for."""
    program, at = shown(slug), timezone.now()
    if request.method != "POST" or launching.takes_applications(program, at=at):
        return redirect("public:program", slug=slug)
    form = WaitingForm(request.POST)
    if not form.is_valid():
        return program_page(request, program, at=at, form=form, status=422)
    if _is_too_often(request):
        form.add_error(None, _("Too many tries from your network. Try again in an hour."))
        return program_page(request, program, at=at, form=form, status=429)
    if not form.is_trap_sprung:
        language = request.LANGUAGE_CODE.split("-")[0]
        waiting_list.ask(program, email=form.cleaned_data["email"], language=language, at=at)
    said = _("Thank you. We write to you once, when %(program)s takes applications.")
    messages.success(request, said % {"program": program.name})
    return redirect("public:program", slug=slug)


def _is_too_often(request: HttpRequest) -> bool:
    """Count this try, and say whether its network has had its share for the hour."""
    if client_address(request) is None:
        return False
    return not ratelimit.consume(request, app="portal.waiting", action="ask", config=_LIMITS)
