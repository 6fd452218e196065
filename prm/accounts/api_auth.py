"""Let servers into the API with `Authorization: Bearer prm_live_…`. A request without the scope a view names is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from prm.accounts import api_keys, api_limits
from prm.accounts.models import ApiKey

if TYPE_CHECKING:
    # rest_framework.views imports this module while it is being imported itself.
    from rest_framework.views import APIView


class KeyCaller(AnonymousUser):
    """The caller of a request made with an API key: nobody in the portal or the admin, known to the API."""

    def __init__(self, key: ApiKey) -> None:
        super().__init__()
        self.key = key
        self.pk = None

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]
        """A key that was accepted has told who is calling."""
        return True


class ApiKeyAuthentication(BaseAuthentication):
    """Reads the bearer key; `request.auth` is the `ApiKey`."""

    def authenticate(self, request: Request) -> tuple[KeyCaller, ApiKey] | None:
        """Return the caller, None when no bearer key was sent, or refuse a key that opens nothing."""
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        text = parts[1].decode("latin-1") if len(parts) == 2 else ""
        key = api_keys.authenticate(text, at=timezone.now())
        if key is None:
            if api_limits.fails_too_often(request):
                raise Throttled(wait=api_limits.seconds_left() - 1)
            raise AuthenticationFailed(_("This API key is not valid."), code="invalid_api_key")
        return KeyCaller(key), key

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that makes a missing key a 401."""
        return 'Bearer realm="api"'


class HasScope(BasePermission):
    """Lets a key through that carries the scope the view names in `scope` (one text, or one per method)."""

    message: ClassVar[Any] = _("This API key does not carry the scope this call needs.")
    code = "missing_scope"

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Say whether the key of the request carries the view's scope; a view that names none lets nobody in.

        Raises: MethodNotAllowed, for a key that is good and a method nobody may use.
        """
        if isinstance(request.auth, ApiKey) and request.method not in view.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        named = getattr(view, "scope", None)
        scope = named.get(request.method) if isinstance(named, dict) else named
        return isinstance(scope, str) and isinstance(request.auth, ApiKey) and request.auth.allows(scope)
