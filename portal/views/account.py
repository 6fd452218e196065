"""Account: how the portal speaks to one person. Sign-in itself is kept on the pages of the front door."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal import roles
from portal.forms import AccountForm
from portal.rooms import Room, enter, show

FIELDS = ("full_name", "language", "time_zone")


@require_http_methods(["GET", "HEAD", "POST"])
@enter()
def account(request: HttpRequest, room: Room) -> HttpResponse:
    """Show and change the own name, language and time zone."""
    user = room.user
    form = AccountForm(request.POST or None, initial={name: getattr(user, name) for name in FIELDS})
    if request.method == "POST" and form.is_valid():
        for name in FIELDS:
            setattr(user, name, form.cleaned_data[name])
        user.save(update_fields=FIELDS)
        with translation.override(user.language):
            messages.success(request, _("Your account is changed."))
        response = redirect("portal:account")
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            user.language,
            max_age=365 * 24 * 3600,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            samesite="Lax",
        )
        return response
    return show(
        request,
        room,
        "portal/account/account.html",
        nav="account",
        form=form,
        may_leave=room.may(roles.MANAGE_TEAM) and room.membership.ended_at is None,
        status=422 if form.errors else 200,
    )
