"""The back office's own admin site: the stock one with our navigation on every page and Today in place of the index. Who may not do
something is told which role may."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from prm.accounts import policy
from prm.accounts.models import User
from prm.admin_site.nav import groups
from prm.admin_site.today import today


def _in_own_time(view: Callable[..., Any], request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
    """Answer with every instant in the reader's time zone, the page drawn before the zone is left again."""
    zone = request.user.time_zone if isinstance(request.user, User) else None
    with timezone.override(zone):
        response = view(request, *args, **kwargs)
        if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
            response = response.render()
    return response


class BackOffice(AdminSite):
    """The one admin site; `admin.site` is it."""

    index_title = _("Today")
    site_title = _("Back office")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page needs, the navigation included."""
        context = super().each_context(request)
        if self.has_permission(request):
            context["nav_groups"] = groups(request)
        return context

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show Today."""
        user = request.user
        assert isinstance(user, User)  # noqa: S101 - the site lets nobody else in
        page = today(user, at=timezone.now())
        return super().index(request, {"today": page, "title": page.heading, **(extra_context or {})})

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Wrap a view so that the policy's refusals become answers that name the role."""

        @wraps(view)
        def answer(*args: Any, **kwargs: Any) -> Any:
            try:
                return _in_own_time(view, *args, **kwargs)
            except policy.Forbidden as refusal:
                raise PermissionDenied(str(refusal)) from refusal

        return super().admin_view(answer, cacheable)
