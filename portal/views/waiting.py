"""Take the address of somebody who wants to hear when a program opens. The answer is the same whether the mailbox waited already or not."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners import launching, tokens, waiting_list
from portal.forms_waiting import WaitingForm
from portal.views.public import program_page, shown
from portal.visitors import client_network

TRIES_AN_HOUR = 10


@require_http_methods(["GET", "HEAD", "POST"])
def wait(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep an address for one mail; while the program is open there is nothing to wait for."""
    program, at = shown(slug), timezone.now()
    if request.method != "POST" or launching.takes_applications(program, at=at):
        return redirect("public:program", slug=slug)
    form = WaitingForm(request.POST)
    if not form.is_valid():
        return program_page(request, program, at=at, form=form, status=422)
    if _is_too_often(request, at):
        form.add_error(None, _("Too many tries from your network. Try again in an hour."))
        return program_page(request, program, at=at, form=form, status=429)
    if not form.is_trap_sprung:
        language = request.LANGUAGE_CODE.split("-")[0]
        waiting_list.ask(program, email=form.cleaned_data["email"], language=language, at=at)
    said = _("Thank you. We write to you once, when %(program)s takes applications.")
    messages.success(request, said % {"program": program.name})
    return redirect("public:program", slug=slug)


def _is_too_often(request: HttpRequest, at: datetime) -> bool:
    """Count this try, and say whether its network has had its share of this hour."""
    network = client_network(request)
    if network is None:
        return False
    key = f"waiting:{tokens.digest(network)}:{at:%Y%m%d%H}"
    cache.add(key, 0, timeout=3600)
    try:
        return cache.incr(key) > TRIES_AN_HOUR
    except ValueError:  # forgotten in between, so this is the first
        return False
