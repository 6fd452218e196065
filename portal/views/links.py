"""Links and codes: what a partner hands out, and what each brought. A link leads only where the program allows."""

from __future__ import annotations

import io

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payouts.explained.subject import link_url
from portal import roles
from portal.forms import LinkForm
from portal.rooms import Room, enter, own_or_404, show
from portal.views.answers import explain_refusal
from portal.views.link_rows import code_rows, link_rows
from prm.lib.errors import Refused
from referrals import links as link_verbs
from referrals.models import Link
from referrals.redirect import allowed_hosts


@require_safe
@enter()
def links(request: HttpRequest, room: Room) -> HttpResponse:
    """List the links and codes of the current membership."""
    return show(
        request,
        room,
        "portal/links/links.html",
        nav="links",
        links=link_rows(room.membership, at=room.at),
        codes=code_rows(room.membership, at=room.at),
        may_change=room.may(roles.MANAGE_LINKS),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.MANAGE_LINKS)
def new_link(request: HttpRequest, room: Room) -> HttpResponse:
    """Make a link."""
    form = LinkForm(request.POST or None, initial={"destination_url": room.program.destination_url})
    if request.method == "POST" and form.is_valid():
        try:
            link = link_verbs.make(room.membership, at=room.at, by=room.user, **form.cleaned_data)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("The link “%(label)s” is ready to share.") % {"label": link.label})
            return redirect("portal:links")
    domains = sorted(allowed_hosts(room.program.destination_url, room.program.allowed_domains))
    status = 422 if form.errors else 200
    return show(
        request, room, "portal/links/new.html", nav="links", form=form, domains=domains, status=status
    )


@require_POST
@enter(roles.MANAGE_LINKS)
def link_switch(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Switch a link on or off."""
    link = get_object_or_404(Link.objects.filter(membership=room.membership), public_id=public_id)
    on = request.POST.get("on") == "1"
    try:
        link_verbs.switch(link, on=on, by=room.user, at=room.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        text = (
            _("The link “%(label)s” is on.")
            if on
            else _("The link “%(label)s” is off. Clicks on it earn nothing.")
        )
        messages.success(request, text % {"label": link.label})
    return redirect("portal:links")


@require_safe
@enter()
def link_qr(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Draw a link's QR code."""
    link, _room = own_or_404(request, room, Link.objects.all(), public_id)
    return HttpResponse(qr_svg(link_url(link)), content_type="image/svg+xml")


def qr_svg(text: str) -> bytes:
    """Return a QR code on a white ground, with the quiet zone scanners need."""
    target = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        target, kind="svg", scale=8, border=4, dark="#000", light="#fff", svgns=True
    )
    return target.getvalue()
