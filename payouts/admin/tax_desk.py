"""What the tables about taxes share: whose rows they are, and a page that says what follows and makes one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from partners.models import Partner
from prm.accounts.back_office import (
    BackOfficeAdmin,
    attempt,
    link_to,
    row_url,
)

_BOTH = ["GET", "POST"]
_WHOSE = ("partner__id__exact",)


class TaxDesk(BackOfficeAdmin):
    """What the four tables share: whose they are, and a page that asks and does one thing."""

    sees = "manage_tax"
    change_list_template = "admin/payouts/taxprofile/change_list.html"
    list_select_related = ("partner",)
    search_fields = ("partner__name", "public_id")
    search_help_text = gettext_lazy("Partner or id")

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Allow the links the partner's page makes."""
        return lookup in _WHOSE or super().lookup_allowed(lookup, value, request)

    @admin.display(description=gettext_lazy("partner"))
    def whose(self, row: Any) -> str:
        """Return the partner as a link."""
        return link_to(row.partner)

    def wrapped(self, view: Callable[..., HttpResponseBase], *, reads: bool = False) -> Any:
        """Put a page behind the door of the back office."""
        methods = require_safe if reads else require_http_methods(_BOTH)
        return self.admin_site.admin_view(methods(view))

    def ask(
        self,
        request: HttpRequest,
        partner: Partner,
        *,
        title: str,
        verb: str,
        done: str,
        consequences: list[str],
        move: Callable[[forms.Form | None], models.Model],
        form: forms.Form | None = None,
        template: str = "admin/confirm.html",
    ) -> HttpResponse:
        """Say what will happen, and do it when that is confirmed."""
        if request.method == "POST" and (form is None or form.is_valid()):
            if attempt(request, lambda: move(form), form=form) is not None:
                messages.success(request, done)
            if form is None or not form.errors:
                return HttpResponseRedirect(row_url(partner))
        return self.page(
            request,
            template,
            title=title,
            verb=verb,
            form=form,
            consequences=consequences,
            parent=partner.name,
            parent_url=row_url(partner),
        )
