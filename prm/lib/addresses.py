"""Write addresses of ours for people outside. They begin with the site's own name from the settings and never with what a request claims."""

from __future__ import annotations

from django.conf import settings


def absolute(path: str) -> str:
    """Return the address of a path of ours."""
    return f"{settings.SITE_URL.rstrip('/')}{path}"
