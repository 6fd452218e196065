"""The operator's own books: which account of theirs each of ours is, and the journal of a month under those codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from payouts import bookkeeping
from payouts.choices import AccountKind
from payouts.exports import journal
from payouts.models import AccountCode, Period
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, attempt, list_url, locale, pages_of, person, require
from prm.lib import l10n
from prm.lib.periods import Month
from tiers.models import LegalEntity

_MONTHS = 24


class CodesForm(forms.Form):
    """One row of two fields for each kind of account."""

    def __init__(self, *args: Any, known: dict[str, AccountCode], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in AccountKind:
            row = known.get(kind.value)
            named = {"account": kind.label}
            self.fields[f"code_{kind.value}"] = forms.CharField(
                label=_("Code of %(account)s") % named,
                max_length=20,
                required=False,
                initial=row.code if row else "",
                widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": kind.value}),
            )
            self.fields[f"name_{kind.value}"] = forms.CharField(
                label=_("Name of %(account)s") % named,
                max_length=80,
                required=False,
                initial=row.name if row else "",
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row of the table for each kind."""
        for kind in AccountKind:
            code, name = self[f"code_{kind.value}"], self[f"name_{kind.value}"]
            yield {"account": kind.label, "code": code, "name": name, "errors": [*code.errors, *name.errors]}

    def codes(self) -> dict[AccountKind, tuple[str, str]]:
        """Return what was filled in."""
        given = self.cleaned_data
        return {kind: (given[f"code_{kind.value}"], given[f"name_{kind.value}"]) for kind in AccountKind}


@admin.register(AccountCode)
class AccountCodeAdmin(BackOfficeAdmin):
    """Accounting: codes and journals, entity by entity."""

    section = gettext_lazy("Accounting")
    sees = "see_ledger"

    def get_urls(self) -> list[URLPattern]:
        """Add the journal, the form for the codes, and what other modules put here."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        return [
            path("<int:entity_pk>/codes/", wrap(both(self.codes)), name="payouts_accountcode_codes"),
            path(
                "<int:entity_pk>/journal/<str:text>/",
                wrap(require_safe(self.journal)),
                name="payouts_accountcode_journal",
            ),
            *pages_of("accounting", self),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show every entity's codes and journals."""
        require(request, self.sees)
        may_change = policy.may(request.user, "close_periods")
        return self.page(
            request,
            "admin/payouts/accountcode/accounting.html",
            title=_("Accounting"),
            may_see_yearly=policy.may(request.user, "manage_tax"),
            entities=[
                {
                    "entity": entity,
                    "codes": _codes(entity),
                    "months": list(_months(entity)),
                    "url": reverse("admin:payouts_accountcode_codes", args=[entity.pk]) if may_change else "",
                }
                for entity in LegalEntity.objects.order_by("name", "pk")
            ],
        )

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Lead to the page of all codes; one is never looked at alone."""
        require(request, self.sees)
        return HttpResponseRedirect(list_url(AccountCode))

    def codes(self, request: HttpRequest, entity_pk: int) -> HttpResponse:
        """Show the form for an entity's codes, or keep what was filled in."""
        require(request, "close_periods")
        entity = get_object_or_404(LegalEntity, pk=entity_pk)
        known = {row.account_kind: row for row in AccountCode.objects.filter(legal_entity=entity)}
        form = CodesForm(request.POST or None, known=known)
        if request.method == "POST" and form.is_valid():
            by, at = person(request), timezone.now()
            changed = attempt(
                request, lambda: bookkeeping.set_codes(entity, form.codes(), by=by, at=at), form=form
            )
            if changed is not None:
                messages.success(request, _of_changed(changed))
                return HttpResponseRedirect(list_url(AccountCode))
        return self.page(
            request,
            "admin/payouts/accountcode/codes.html",
            title=_("Account codes of %(entity)s") % {"entity": entity.name},
            form=form,
            rows=list(form.rows()),
            back=list_url(AccountCode),
        )

    def journal(self, request: HttpRequest, entity_pk: int, text: str) -> HttpResponseBase:
        """Send the journal of a month, however long it is."""
        require(request, self.sees)
        entity = get_object_or_404(LegalEntity, pk=entity_pk)
        try:
            month = Month.parse(text)
        except ValueError as error:
            raise Http404 from error
        pieces = bookkeeping.take_journal(entity, month, by=person(request), at=timezone.now())
        response = StreamingHttpResponse(
            (piece.encode() for piece in pieces), content_type=journal.CONTENT_TYPE
        )
        name = bookkeeping.journal_name(entity, month)
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response


def _codes(entity: LegalEntity) -> list[dict[str, Any]]:
    """Return what each kind of account is called in the entity's books, and whether anybody said so."""
    mapped = {row.account_kind: row for row in AccountCode.objects.filter(legal_entity=entity)}
    found = []
    for kind in AccountKind:
        row = mapped.get(kind.value)
        code, name = (row.code, row.name) if row else (kind.value, "")
        found.append({"account": kind.label, "code": code, "name": name, "is_mapped": row is not None})
    return found


def _months(entity: LegalEntity) -> Iterator[dict[str, Any]]:
    """Yield the months in which something was booked, the newest first."""
    found = Period.objects.filter(program__legal_entity=entity).order_by("-year", "-month")
    for year, number in found.values_list("year", "month").distinct()[:_MONTHS]:
        month = Month(year, number)
        yield {
            "name": l10n.month_text(month, locale()),
            "url": reverse("admin:payouts_accountcode_journal", args=[entity.pk, str(month)]),
        }


def _of_changed(count: int) -> str:
    if not count:
        return _("Nothing was changed.")
    text = ngettext("%(count)s code is changed.", "%(count)s codes are changed.", count)
    return text % {"count": l10n.number_text(count, locale())}
