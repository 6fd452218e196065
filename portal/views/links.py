"""Links and codes: what a partner hands out, and what each brought. A link leads only where the program allows."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import roles
from portal.forms_links import ReplaceForm
from portal.rooms import Room, enter, own_or_404, show
from portal.views.answers import explain_refusal
from portal.views.link_rows import code_rows, links_page, marked
from prm.lib.errors import Refused
from referrals import links as link_verbs
from referrals.link_form import LinkForm, NewLinkForm, initial_of
from referrals.models import Link
from referrals.redirect import allowed_hosts

LONGEST_SEARCH = 80


@require_safe
@enter()
def links(request: HttpRequest, room: Room) -> HttpResponse:
    """List the links and codes of the current membership."""
    asked = request.GET
    page = links_page(
        room.membership,
        at=room.at,
        q=asked.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH],
        after=asked.get("after", "")[:40].replace("\0", ""),
        before=asked.get("before", "")[:40].replace("\0", ""),
    )
    response = show(
        request,
        room,
        "portal/links/links.html",
        nav="links",
        page=page,
        links=page.rows,
        codes=code_rows(room.membership, at=room.at),
        may_change=room.may(roles.MANAGE_LINKS),
    )
    return marked(response, room)


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.MANAGE_LINKS)
def new_link(request: HttpRequest, room: Room) -> HttpResponse:
    """Make a link."""
    form = NewLinkForm(request.POST or None, initial={"destination_url": room.program.destination_url})
    if request.method == "POST" and form.is_valid():
        facts = link_verbs.vars_of(form.facts(room.zone))
        try:
            link = link_verbs.make(
                room.membership, slug=form.cleaned_data["slug"], **facts, at=room.at, by=room.user
            )
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("The link “%(label)s” is ready to share.") % {"label": link.label})
            return redirect("portal:link", link.public_id)
    return _form_page(request, room, "portal/links/new.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.MANAGE_LINKS)
def change_link(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Let a link say and lead to something else."""
    link, there = own_or_404(request, room, _rows(), public_id, capability=roles.MANAGE_LINKS)
    form = LinkForm(request.POST or None, initial=initial_of(link, there.zone))
    if request.method == "POST" and form.is_valid():
        try:
            link_verbs.change(link, form.facts(there.zone), by=there.user, at=there.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("Saved. The next visitor is sent where the link leads now."))
            return redirect("portal:link", link.public_id)
    return _form_page(request, there, "portal/links/change.html", form, link=link)


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.MANAGE_LINKS)
def replace_link(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Send a link's visitors to another one."""
    link, there = own_or_404(request, room, _rows(), public_id, capability=roles.MANAGE_LINKS)
    others = Link.objects.active().filter(membership=link.membership, replacement=None).exclude(pk=link.pk)
    form = ReplaceForm(request.POST or None, links=others.order_by("label", "pk"))
    if request.method == "POST" and form.is_valid():
        target = get_object_or_404(others, public_id=form.cleaned_data["by_link"])
        try:
            link_verbs.replace(link, target, by=there.user, at=there.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            text = _("Visitors of “%(label)s” go to “%(other)s” from now on.")
            messages.success(request, text % {"label": link.label, "other": target.label})
            return redirect("portal:link", link.public_id)
    return _form_page(request, there, "portal/links/replace.html", form, link=link)


@require_POST
@enter(roles.MANAGE_LINKS)
def end_replacement(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Let a link lead where it says again."""
    link, there = own_or_404(request, room, _rows(), public_id, capability=roles.MANAGE_LINKS)
    try:
        link_verbs.replace(link, None, by=there.user, at=there.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, _("The link “%(label)s” leads to its own page again.") % {"label": link.label}
        )
    return redirect("portal:link", link.public_id)


@require_POST
@enter(roles.MANAGE_LINKS)
def link_switch(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Switch a link on or off."""
    link, there = own_or_404(request, room, _rows(), public_id, capability=roles.MANAGE_LINKS)
    on = request.POST.get("on") == "1"
    try:
        link_verbs.switch(link, on=on, by=there.user, at=there.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        text = (
            _("The link “%(label)s” is on.")
            if on
            else _("The link “%(label)s” is off. Clicks on it earn nothing.")
        )
        messages.success(request, text % {"label": link.label})
    return redirect("portal:link", link.public_id)


def _rows() -> QuerySet[Link]:
    return Link.objects.select_related("membership__program__tracking", "membership__partner", "replacement")


def _form_page(
    request: HttpRequest, room: Room, template: str, form: Form, *, link: Link | None = None
) -> HttpResponse:
    domains = sorted(allowed_hosts(room.program.destination_url, room.program.allowed_domains))
    status = 422 if form.errors else 200
    return show(request, room, template, nav="links", form=form, link=link, domains=domains, status=status)
