"""What every request and answer of the site has in common. A NUL byte in an address never reaches a view or the database, and what is
larger than a view takes is not read."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render

from prm.lib.api import problem_response

Next = Callable[[HttpRequest], HttpResponse]
API = "/api/"


class RefuseControlCharactersMiddleware:
    """Answer 400 when path or query contain a NUL, which PostgreSQL cannot store and would answer with an error page."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            if request.path.startswith(API):
                return problem_response(
                    code="bad_character", detail="The address contains a NUL character.", status_code=400
                )
            return HttpResponseBadRequest("Bad request", content_type="text/plain")
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Answer 413 when a body is larger than the `most_bytes` of the view's class, before anything reads it."""
        most = getattr(getattr(view, "view_class", None), "most_bytes", None)
        sent = request.META.get("CONTENT_LENGTH") or "0"
        if most is not None and (not sent.isdigit() or int(sent) > most):
            return render(request, "413.html", status=413)
        return None


class ResourcePolicyMiddleware:
    """Keep other sites from embedding our answers."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response
