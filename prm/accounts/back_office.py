"""What the pages of the back office share: who may see them by capability, how a verb's refusal becomes words, and columns for money and
states. A page without its capability answers 403 and names the roles that have it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst

from prm.accounts import policy
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.errors import Refused
from prm.lib.money import Money

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    Desk = admin.ModelAdmin[Any]
else:
    Desk = admin.ModelAdmin

T = TypeVar("T")
_LONGEST_KEY = 18  # digits that every database holds
Column = Callable[[Any], Any]


class BackOfficeAdmin(Desk):
    """A table of the back office: `sees`, `adds` and `changes` name the capabilities; without one nobody may. Nothing is deleted."""

    section: StrOrPromise = ""
    sees = ""
    adds = ""
    changes = ""
    actions: Sequence[str] | None = None
    list_per_page = 50
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the table in lists to whoever may look."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those look who hold the capability."""
        return _may(request, self.sees)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those add who hold the capability."""
        return _may(request, self.adds)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those change who hold the capability."""
        return _may(request, self.changes)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Delete nothing here."""
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, or say which role it needs."""
        require(request, self.sees)
        context = {"title": self._section()["section_name"], **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Read what the address asks for; numbers no table holds and patterns are not asked of the database.

        Raises: IncorrectLookupParameters.
        """
        for name, values in request.GET.lists():
            texts = [text.strip() for value in values for text in value.split(",")]
            if name.endswith("regex") or (name != SEARCH_VAR and any(map(_is_too_large, texts))):
                raise IncorrectLookupParameters
        return super().get_changelist_instance(request)

    def listed(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows the list shows for an address, for a file of them.

        Raises: BadRequest.
        """
        try:
            found: QuerySet[Any] = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise BadRequest from error
        return found

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one row, or say which role it needs."""
        own = self.row_page(request, object_id)
        if own is not None:
            return own
        require(request, self.sees if object_id else self.adds)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Answer with a page of one's own for a row; None leaves it to the form. Such a page asks for its capability itself."""
        return None

    def page(
        self, request: HttpRequest, template: str, *, title: StrOrPromise, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """Answer with a page of our own inside the frame of the back office."""
        frame = self.admin_site.each_context(request)
        values = {**frame, "title": title, "opts": self.opts, **self._section(), **context}
        return TemplateResponse(request, template, values, status=status)

    def _section(self) -> dict[str, Any]:
        """Return the name and address of the section the page belongs to, as the navigation names it."""
        return {
            "section_name": self.section or capfirst(self.opts.verbose_name_plural),
            "section_url": list_url(self.model),
        }


def chosen_ids(text: str, *, most: int) -> list[int]:
    """Return the primary keys in a list parted by commas; what is none is left out."""
    return [int(each) for each in text.split(",") if each.isdecimal() and not _is_too_large(each)][:most]


def _is_too_large(text: str) -> bool:
    return len(text) > _LONGEST_KEY and text.removeprefix("-").isdecimal()


def person(request: HttpRequest) -> User:
    """Return who is asking; the back office lets nobody in who is not signed in."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def require(request: HttpRequest, capability: str) -> None:
    """Let the person through, or answer 403 with the roles that may.

    Raises: PermissionDenied.
    """
    if not capability:
        raise PermissionDenied
    try:
        policy.require(request.user, capability)
    except policy.Forbidden as refusal:
        raise PermissionDenied(str(refusal)) from refusal


def attempt(request: HttpRequest, move: Callable[[], T], *, form: forms.BaseForm | None = None) -> T | None:
    """Do what one button does; a refusal becomes a form error or a message, and None.

    Raises: PermissionDenied.
    """
    try:
        return move()
    except policy.Forbidden as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except Refused as refusal:
        if form is None:
            messages.error(request, str(refusal))
        else:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return None


def list_url(model: type[models.Model], **filters: Any) -> str:
    """Return the address of a table, filtered when asked."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def row_url(obj: models.Model, view: str = "change") -> str:
    """Return the address of one row's page."""
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_{view}", args=[obj.pk])


def link_to(obj: models.Model | None, text: object = None) -> str:
    """Return a link to a row's page; nothing for no row."""
    if obj is None:
        return ""
    return format_html('<a href="{}">{}</a>', row_url(obj), text if text is not None else obj)


def locale() -> str:
    """Return the locale of the language in force; English is British here, as everywhere in the product."""
    return l10n.active_locale()


def money_text(amount: Money) -> str:
    """Write an amount in the reader's language."""
    return l10n.money_text(amount, locale())


def money_column(minor: str, label: StrOrPromise, *, currency: str = "currency") -> Column:
    """Return a column that shows an amount held in minor units, aligned right; a dash for none."""

    def column(obj: Any) -> str:
        if getattr(obj, minor) is None:
            return "–"
        code = obj
        for name in currency.split("__"):
            code = getattr(code, name)
        return money_text(Money(getattr(obj, minor), code))

    # The style sheet aligns every column whose name begins like this.
    column.__name__ = f"money_{minor}"
    return admin.display(description=label, ordering=minor)(column)


def when_column(name: str, label: StrOrPromise) -> Column:
    """Return a column that shows an instant in the reader's zone, as dates are written everywhere."""

    def column(obj: Any) -> str:
        at = getattr(obj, name)
        if at is None:
            return "–"
        local = at.astimezone(timezone.get_current_timezone())
        return f"{l10n.date_text(local.date(), locale())}, {local:%H:%M}"

    column.__name__ = f"when_{name}"
    return admin.display(description=label, ordering=name)(column)


def state_column(kind: str, label: StrOrPromise, *, name: str = "state") -> Column:
    """Return a column with the badge of a state, in the words of the one vocabulary."""

    def column(obj: Any) -> str:
        return badge(getattr(obj, name), kind)

    column.__name__ = f"badge_{name}"
    return admin.display(description=label, ordering=name)(column)


def badge(state: str, kind: str) -> str:
    """Return the badge of a state."""
    return render_to_string("admin/badge.html", {"state": state, "kind": kind})


@dataclass(frozen=True)
class Fact:
    """One line of a list of facts."""

    label: StrOrPromise
    value: Any
    note: StrOrPromise = ""


@dataclass(frozen=True)
class Panel:
    """A part of a page that another app adds to it."""

    title: StrOrPromise
    template: str
    context: dict[str, Any]


Panels = Callable[[Any, User, datetime], Iterable[Panel]]
_panels: dict[str, list[Panels]] = {}


def add_panels(page: str, maker: Panels) -> None:
    """Let a downstream app add panels to an upstream page, so that the page need not know it."""
    _panels.setdefault(page, []).append(maker)


def panels_of(page: str, obj: Any, *, by: User, at: datetime) -> list[Panel]:
    """Return the panels every app adds to a page about `obj`, as far as `by` may see them."""
    return [panel for maker in _panels.get(page, []) for panel in maker(obj, by, at)]


Pages = Callable[["BackOfficeAdmin"], list[URLPattern]]
_pages: dict[str, list[Pages]] = {}


def add_pages(table: str, maker: Pages) -> None:
    """Let a downstream app put pages of its own below an upstream table, so that the table need not know them."""
    _pages.setdefault(table, []).append(maker)


def pages_of(table: str, desk: BackOfficeAdmin) -> list[URLPattern]:
    """Return the addresses every app adds below a table."""
    return [address for maker in _pages.get(table, []) for address in maker(desk)]


def _may(request: HttpRequest, capability: str) -> bool:
    return bool(capability) and policy.may(request.user, capability)
