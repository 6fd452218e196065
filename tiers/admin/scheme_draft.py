"""What the pages share on which a draft of a tier scheme is written: finding the draft, making one call to the verb that rewrites it, and saying
what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require, row_url
from tiers import schemes
from tiers.choices import SchemeState
from tiers.models import TierScheme

NAME = "tiers_tierscheme_"


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a form: the page's title, the verb on its button, where it goes back to, and what it is about."""

    title: str
    verb: str
    anchor: str
    subject: str = ""
    says: Any = ""


# Read from a valid form: the change to make, and what to say when it is made.
Wanted = Callable[[], tuple[schemes.Change, str]]


class DraftPages:
    """Pages of a draft, for the table of versions."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def write(
        self, request: HttpRequest, row: TierScheme, form: forms.Form, wanted: Wanted, frame: Frame
    ) -> HttpResponse:
        """Show a form, and change the draft by it once it is right."""
        if form.is_valid():
            change, said = wanted()
            by, at = person(request), timezone.now()
            if attempt(request, lambda: schemes.rewrite(row, change, by=by, at=at), form=form) is not None:
                messages.success(request, said)
                return HttpResponseRedirect(f"{row_url(row)}#{frame.anchor}")
        return self.desk.page(
            request,
            "admin/tiers/scheme/edit.html",
            title=frame.title,
            status=422 if form.errors else 200,
            errors=bool(form.errors),
            parent=name_of(row),
            parent_url=f"{row_url(row)}#{frame.anchor}",
            form=form,
            frame=frame,
        )

    def move(
        self, request: HttpRequest, row: TierScheme, change: schemes.Change, *, said: str, anchor: str
    ) -> HttpResponse:
        """Change the draft by a button alone."""
        by, at = person(request), timezone.now()
        if attempt(request, lambda: schemes.rewrite(row, change, by=by, at=at)) is not None:
            messages.success(request, said)
        return HttpResponseRedirect(f"{row_url(row)}#{anchor}")

    def choose(
        self, request: HttpRequest, row: TierScheme, *, title: str, groups: Any, name: str
    ) -> HttpResponse:
        """Let one thing be chosen by a link, as `name` in the address."""
        return self.desk.page(
            request,
            "admin/tiers/scheme/choose.html",
            title=title,
            parent=name_of(row),
            parent_url=row_url(row),
            groups=groups,
            name=name,
        )


def name_of(row: TierScheme) -> str:
    """Return the version as people call it."""
    return _("%(program)s, tiers version %(number)s") % {"program": row.program.name, "number": row.number}


def draft_of(request: HttpRequest, pk: int) -> TierScheme:
    """Return a draft, for who may write it; any other version has no such page. Raises: PermissionDenied, Http404."""
    require(request, schemes.CAPABILITY)
    drafts = TierScheme.objects.select_related("program").filter(state=SchemeState.DRAFT)
    return get_object_or_404(drafts, pk=pk)


def posted(request: HttpRequest) -> Any:
    """Return what was sent, None while the page is only looked at."""
    return request.POST if request.method == "POST" else None
