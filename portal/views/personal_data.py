"""Your data as a file: what is in it, and a button that makes it. It is made while one waits, for people who have just said who they are."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners import personal_data as data
from portal.rooms import Room, enter, show
from prm.lib.errors import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@enter()
def personal_data(request: HttpRequest, room: Room) -> HttpResponseBase:
    """Ask who is there once more, then hand out the archive."""
    if get_adapter(request).must_sign_in_anew():
        logout(request)
        messages.info(request, _("To get your data, sign in once more. We mail you a code."))
        return redirect_to_login(reverse("portal:personal_data"))
    response: HttpResponseBase = _hand_out(request, room)
    return response


@reauthentication_required  # type: ignore[untyped-decorator]
def _hand_out(request: HttpRequest, room: Room) -> HttpResponseBase:
    error = ""
    if request.method == "POST":
        try:
            made = data.export_for(room.user, by=room.user, at=room.at)
        except Refused as refusal:
            error = str(refusal)
        else:
            name = f"{room.user.public_id}-{room.at:%Y-%m-%d}.zip"
            return FileResponse(made, as_attachment=True, filename=name, content_type="application/zip")
    return _page(request, room, error)


def _page(request: HttpRequest, room: Room, error: str) -> HttpResponse:
    owned = [str(partner) for partner in data.partners_of(data.subject_of(room.user))]
    return show(
        request,
        room,
        "portal/personal_data/personal_data.html",
        nav="account",
        owned=owned,
        most=data.MOST_IN_AN_HOUR,
        error=error,
        status=429 if error else 200,
    )
