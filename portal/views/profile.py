"""Profile: who the partner is to us and to customers. Everybody of the team reads it, owners change it, and its history stands below."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partners import profiles
from portal import countries, roles
from portal.formats import active_locale
from portal.forms_profile import OPTIONAL, ProfileForm
from portal.rooms import Room, enter, show
from portal.views.answers import explain_refusal
from portal.views.pages import Fact
from prm.lib.errors import Refused

GROUPS = (
    ("name", "legal_name", "legal_form", "vat_number"),
    ("street", "building_number", "postcode", "town", "region", "country"),
    ("website", "email", "phone", "language"),
    ("languages", "specialities"),
)


@require_safe
@enter()
def profile(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the profile and what was changed of it."""
    headings = (_("Who you are"), _("Address"), _("How to reach you"), _("What you do"))
    return show(
        request,
        room,
        "portal/profile/profile.html",
        nav="profile",
        groups=[
            (f"group-{number}", heading, list(_facts(room, names)))
            for number, (heading, names) in enumerate(zip(headings, GROUPS, strict=True))
        ],
        missing=[profiles.label_of(name) for name in profiles.missing(room.partner)],
        history=profiles.history(room.partner),
        may_change=room.may(roles.CHANGE_PROFILE),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.CHANGE_PROFILE)
def change_profile(request: HttpRequest, room: Room) -> HttpResponse:
    """Take what changed, and say what follows from it."""
    form = ProfileForm(request.POST or None, partner=room.partner, at=room.at)
    if request.method == "POST" and form.is_valid():
        before = tuple(getattr(room.partner, name) for name in profiles.IDENTITY)
        try:
            changed = profiles.change(room.partner, form.cleaned_data, by=room.user, at=room.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(request, _("The profile is saved."))
            if any(before) and before != tuple(getattr(changed, name) for name in profiles.IDENTITY):
                messages.warning(
                    request,
                    _(
                        "Legal name or country changed: please look at your tax details again. Finance sees it."
                    ),
                )
            return redirect("portal:profile")
    return show(
        request,
        room,
        "portal/profile/change.html",
        nav="profile",
        status=422 if form.errors else 200,
        form=form,
        optional=OPTIONAL,
        is_vat_elsewhere="vat_number" in form.kept_elsewhere,
    )


def _facts(room: Room, names: tuple[str, ...]) -> Iterator[Fact]:
    for name in names:
        text = profiles.text_of(name, getattr(room.partner, name))
        if name == "country" and text:
            text = countries.name(text, active_locale())
        yield Fact(capfirst(profiles.label_of(name)), text or "–")
