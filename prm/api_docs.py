"""The description of the API and the page that shows it. Both are for everybody: they say how to ask, and nothing about anybody."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny


class ApiSchema(SpectacularAPIView):
    """The OpenAPI description."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class ApiDocs(SpectacularSwaggerSplitView):
    """A page to read it, with its script in a file of its own as the content policy wants."""

    template_name = "api_docs.html"
    authentication_classes = ()
    permission_classes = (AllowAny,)


class BearerKey(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the description names our API keys."""

    target_class = "prm.accounts.api_auth.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme of `Authorization: Bearer prm_live_…`."""
        return {"type": "http", "scheme": "bearer"}
