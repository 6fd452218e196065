"""The pages that take a list of links or of codes: each row is shown with what becomes of it before anything is done, and afterwards with what
became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from partners import pasted_lists
from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require
from referrals.listed_rows import Row
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User

    Desk = BackOfficeAdmin
else:
    Desk = object

_VALID_SECONDS = 24 * 3600
_LOOKS = {
    "new": ("ok", "tick"),
    "changed": ("info", "arrow"),
    "same": ("neutral", ""),
    "bad": ("warn", "alert"),
}


class ListForm(forms.Form):
    """A list, pasted or as a file, and how to take it."""

    use_required_attribute = False

    program = forms.ModelChoiceField(
        label=gettext_lazy("Program"), queryset=Program.objects.order_by("name", "pk")
    )
    text = forms.CharField(
        label=gettext_lazy("Paste the list"),
        required=False,
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=gettext_lazy("The first line names the columns, parted by commas, semicolons or tabs."),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
        help_text=gettext_lazy("CSV, up to 1 MB and 2,000 lines."),
    )
    atomic = forms.BooleanField(
        label=gettext_lazy("Take all lines or none"),
        required=False,
        help_text=gettext_lazy("Otherwise the good lines are taken and the faulty ones are left out."),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for one of the two."""
        given = super().clean() or {}
        if not self.errors and bool(given.get("file")) == bool(str(given.get("text", "")).strip()):
            self.add_error("text", _("Paste a list, or choose a file."))
        return given


@dataclass(frozen=True)
class Line:
    """One row as the page shows it."""

    line: int
    partner: str
    what: str
    label: str
    tone: str
    icon: str
    why: str = ""


class ListPages(Desk):
    """The pages below a table; what a list says and does is told by the five methods at the end."""

    list_name = ""
    list_capability = ""
    list_title: Any = ""
    list_lead: Any = ""
    list_columns: Sequence[tuple[str, Any]] = ()

    def list_urls(self) -> list[URLPattern]:
        """Return the addresses of the pages."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("list/", wrap(both(self.list_page)), name=f"{self.list_name}_list"),
            path("list/apply/", wrap(require_POST(self.apply_list)), name=f"{self.list_name}_list_apply"),
        ]

    def list_page(self, request: HttpRequest) -> HttpResponse:
        """Take a list, and show what would become of its rows."""
        require(request, self.list_capability)
        form = ListForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            rows = attempt(request, lambda: self.parse_list(_text(form)), form=form)
            if rows is not None:
                return self.look(request, form.cleaned_data["program"], rows, form.cleaned_data["atomic"])
        return self.page(
            request,
            "admin/referrals/list.html",
            title=self.list_title,
            status=422 if form.errors else 200,
            form=form,
            lead=self.list_lead,
            columns=self.list_columns,
        )

    def look(self, request: HttpRequest, program: Program, rows: Sequence[Row], atomic: bool) -> HttpResponse:
        """Show what would become of each row, with the button that does it."""
        found = self.check_list(program, rows, at=timezone.now())
        going = sum(each.outcome in ("new", "changed") for each in found)
        bad = sum(each.outcome == "bad" for each in found)
        kept = [program.pk, atomic, [[row.line, dict(row.cells)] for row in rows]]
        return self._shown(
            request,
            found,
            title=_("Check the list"),
            kept=signing.dumps(kept, salt=self.list_name, compress=True),
            verb=self.verb_of(going) if going and not (atomic and bad) else "",
            consequences=_consequences(self.consequence_of(going), bad, atomic=atomic),
        )

    def apply_list(self, request: HttpRequest) -> HttpResponse:
        """Do what was shown, row by row."""
        require(request, self.list_capability)
        try:
            kept = signing.loads(request.POST.get("list", ""), salt=self.list_name, max_age=_VALID_SECONDS)
        except signing.BadSignature:
            messages.error(request, _("This page is too old. Give the list again."))
            return HttpResponseRedirect(self._list_url())
        program, atomic, rows = kept
        done = self.take_list(
            get_object_or_404(Program, pk=program),
            [Row(line, cells) for line, cells in rows],
            by=person(request),
            at=timezone.now(),
            atomic=atomic,
        )
        if not done.kept:
            messages.error(
                request, _("Nothing was taken: a line has a fault, and you asked for all or none.")
            )
        return self._shown(request, done.rows, title=_("What became of the list"), is_done=done.kept)

    def _shown(self, request: HttpRequest, found: Iterable[Any], *, title: str, **more: Any) -> HttpResponse:
        return self.page(
            request,
            "admin/referrals/list_look.html",
            title=title,
            lines=[self._line(each) for each in found],
            apply_url=reverse(f"admin:{self.list_name}_list_apply"),
            parent=self.list_title,
            parent_url=self._list_url(),
            **more,
        )

    def _line(self, each: Any) -> Line:
        tone, icon = _LOOKS[each.outcome]
        partner = each.wanted.membership.partner.name if each.wanted else each.row.cell("partner")
        why = f"{each.fault.column}: {each.fault.message}" if each.fault else ""
        return Line(
            each.row.line, partner, self.what_of(each), str(each.outcome.label), tone, icon, why.strip(": ")
        )

    def _list_url(self) -> str:
        return reverse(f"admin:{self.list_name}_list")

    def parse_list(self, text: str) -> list[Row]:
        """Return the rows of a list."""
        raise NotImplementedError

    def check_list(self, program: Program, rows: Sequence[Row], *, at: datetime) -> list[Any]:
        """Say what would become of each row."""
        raise NotImplementedError

    def take_list(
        self, program: Program, rows: Sequence[Row], *, by: User, at: datetime, atomic: bool
    ) -> Any:
        """Do what the rows ask for."""
        raise NotImplementedError

    def what_of(self, each: Any) -> str:
        """Return what a row is about."""
        raise NotImplementedError

    def verb_of(self, count: int) -> str:
        """Return what the button says."""
        raise NotImplementedError

    def consequence_of(self, count: int) -> str:
        """Return what happens to those that go."""
        raise NotImplementedError


def _text(form: ListForm) -> str:
    upload = form.cleaned_data.get("file")
    if upload is None:
        return str(form.cleaned_data["text"])
    if upload.size > pasted_lists.MOST_BYTES:
        raise pasted_lists.TooLarge
    return pasted_lists.read_file(upload.read())


def _consequences(going: str, bad: int, *, atomic: bool) -> list[str]:
    if bad and atomic:
        return [_("Nothing is taken: you asked for all lines or none, and some have faults.")]
    if not bad:
        return [going]
    left = ngettext(
        "%(count)s row is left out, for the reason beside it.",
        "%(count)s rows are left out, for the reasons beside them.",
        bad,
    )
    return [going, left % {"count": bad}]
