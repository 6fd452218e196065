"""Keep staff without a second factor out of everything but the page where they set one up."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# Where a member of staff may go meanwhile: setting up, confirming the password for it, signing out.
_OPEN_PREFIXES = ("/accounts/", "/i18n/", "/static/", "/livez", "/readyz", "/statusz")


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
