"""A Django project that only answers 302: no middleware, no database, one view. What the redirect is measured against."""

from __future__ import annotations

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path


def answer(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer the same address to everybody."""
    return HttpResponse(
        status=302, headers={"Location": "https://shop.halden.example/", "Content-Length": "0"}
    )


urlpatterns = [path("r/<slug:slug>", answer)]

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[], INSTALLED_APPS=[], SECRET_KEY="bench"
    )
    application = get_wsgi_application()
