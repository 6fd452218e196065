"""The description of the API and the page that shows it. Both are for everybody: they say how to ask, and nothing about anybody."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from prm.lib.api import problem_response


class ApiSchema(SpectacularAPIView):
    """The OpenAPI description."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class ApiDocs(SpectacularSwaggerSplitView):
    """A page to read it, with its script in a file of its own as the content policy wants."""

    template_name = "api_docs.html"
    authentication_classes = ()
    permission_classes = (AllowAny,)


@csrf_exempt
def nowhere(request: HttpRequest, rest: str) -> JsonResponse:
    """Answer programs that call an address of the API that is none in their own language."""
    return problem_response(code="not_found", detail="The API has no such address.", status_code=404)


class BearerKey(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the description names our API keys."""

    target_class = "prm.accounts.api_auth.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme of `Authorization: Bearer prm_live_…`."""
        return {"type": "http", "scheme": "bearer"}
