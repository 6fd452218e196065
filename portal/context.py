"""What every template may say about the site itself: the operator's name and the line under it. It asks no database."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


def brand(request: HttpRequest) -> dict[str, Any]:
    """Return the operator's name for templates."""
    return {
        "brand_name": settings.PRM_BRAND_NAME,
        "brand_line": _("Partner program"),
    }
