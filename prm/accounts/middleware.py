"""Watch over who is signed in: sessions end when nobody is there, and staff without a second factor only get to add one."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# Where a member of staff may go meanwhile: setting up, confirming the password for it, signing out.
_OPEN_PREFIXES = ("/accounts/", "/i18n/", "/static/", "/livez", "/readyz", "/statusz")


BEGAN, SEEN = "session_began", "session_seen"
WRITE_EVERY_SECONDS = 60


class SessionLimitMiddleware:
    """Signs people out who were away too long, staff sooner than partners, and everybody after twelve hours.

    Only being seen is written, once a minute at most: a page read does not become a row written.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request as the person, or as a stranger when the session is over."""
        if request.user.is_authenticated:
            now = int(timezone.now().timestamp())
            if self._is_over(request, now=now):
                logout(request)
                messages.info(request, _("You were away for a while, so we signed you out."))
            else:
                self._note(request, now=now)
        return self.get_response(request)

    def _is_over(self, request: HttpRequest, *, now: int) -> bool:
        minutes = settings.PRM_STAFF_IDLE_MINUTES if request.user.is_staff else settings.PRM_IDLE_MINUTES
        seen, began = request.session.get(SEEN, now), request.session.get(BEGAN, now)
        return bool(now - seen > minutes * 60 or now - began > settings.SESSION_COOKIE_AGE)

    def _note(self, request: HttpRequest, *, now: int) -> None:
        if request.path.endswith("/card/") and request.headers.get("HX-Request"):
            return  # a progress card asks by itself, with nobody in front of it
        request.session.setdefault(BEGAN, now)
        if now - request.session.get(SEEN, 0) >= WRITE_EVERY_SECONDS:
            request.session[SEEN] = now


class StaffMfaMiddleware:
    """Sends staff without a second factor to the page where they add one, as long as `PRM_STAFF_MFA` is on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request, or answer with the way to the second factor."""
        if self._must_set_up(request):
            return HttpResponseRedirect(reverse("mfa_index"))
        return self.get_response(request)

    def _must_set_up(self, request: HttpRequest) -> bool:
        if not settings.PRM_STAFF_MFA or request.path.startswith(_OPEN_PREFIXES):
            return False
        user = request.user
        if not user.is_authenticated or not user.is_staff:
            return False
        return not Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).exists()
