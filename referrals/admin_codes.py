"""Codes in the back office: staff make them, say what they give, switch and retire them, take the shop's list in and hand ours out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from partners.models import Membership
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import (
    Fact,
    attempt,
    link_to,
    list_url,
    locale,
    person,
    require,
    row_url,
    when_column,
)
from prm.lib import l10n
from prm.lib.periods import local_day
from referrals import code_files, codes
from referrals.admin_lists import ListPages
from referrals.admin_on_off import PARTNER, OnAndOff
from referrals.code_files import state_of
from referrals.code_form import CodeForm, NewCodeForm, initial_of
from referrals.listed_rows import Row
from referrals.models import Code
from referrals.share_kit import discount_text
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User

CAPABILITY = "manage_links"


@admin.register(Code)
class CodeAdmin(ListPages, OnAndOff):
    """Codes."""

    list_name = "referrals_code"
    list_capability = code_files.CAPABILITY
    list_title = gettext_lazy("Import codes")
    list_lead = gettext_lazy(
        "Nothing is taken from here: the next page shows each row with what becomes of it."
    )
    list_columns = (
        ("code", gettext_lazy("Letters, digits and hyphens; stored in capitals.")),
        ("partner", gettext_lazy("The partner's id, the membership's id or the partner's e-mail address.")),
        ("discount_percent", gettext_lazy("Above 0 and up to 100.")),
        ("discount_amount", gettext_lazy("In the program's currency; not both.")),
        ("use_limit", gettext_lazy("How often it may be used; empty: without limit.")),
        ("starts", gettext_lazy("The first day, written as 2026-03-31.")),
        ("ends", gettext_lazy("The last day; it still counts.")),
    )
    change_list_template = "admin/referrals/code/change_list.html"
    list_display = (
        "code",
        "partner",
        "program",
        "discount",
        "how",
        when_column("created_at", gettext_lazy("made")),
    )
    search_fields = ("code", "membership__partner__name", "public_id")
    ordering = ("-created_at", "-pk")

    @admin.display(description=gettext_lazy("discount"))
    def discount(self, code: Code) -> str:
        """Return what it takes off."""
        return discount_text(code) or "–"

    @admin.display(description=gettext_lazy("state"))
    def how(self, code: Code) -> str:
        """Return whether it works."""
        return str(state_of(code, at=timezone.now()).label)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Code]:
        """Read what the pages name with each code."""
        return Code.objects.select_related(PARTNER, "membership__program", "retired_by")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that make, change, retire and hand out."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("new/", wrap(require_safe(self.choose)), name="referrals_code_choose"),
            path("new/<int:pk>/", wrap(both(self.new)), name="referrals_code_new"),
            path("<int:pk>/edit/", wrap(both(self.edit)), name="referrals_code_edit"),
            path("<int:pk>/retire/", wrap(both(self.retire)), name="referrals_code_retire"),
            path("export/", wrap(require_safe(self.export_of)), name="referrals_code_export_of"),
            path("export/<int:pk>/", wrap(require_safe(self.export)), name="referrals_code_export"),
            *self.list_urls(),
            *super().get_urls(),
        ]

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one code, and switch it."""
        if object_id is None:
            return None
        require(request, self.sees)
        code = get_object_or_404(self.get_queryset(request), pk=object_id if object_id.isdecimal() else 0)
        if request.method == "POST":
            require(request, CAPABILITY)
            by, on = person(request), request.POST.get("on") == "1"
            attempt(request, lambda: codes.switch(code, on=on, by=by, at=timezone.now()))
            return HttpResponseRedirect(row_url(code))
        return self.page(
            request,
            "admin/referrals/code/code.html",
            title=code.code,
            code=code,
            facts=_facts(code, at=timezone.now()),
            may_change=policy.may(request.user, CAPABILITY) and code.retired_at is None,
        )

    def choose(self, request: HttpRequest) -> HttpResponse:
        """Find the membership a code is for."""
        require(request, CAPABILITY)
        return self.choose_page(
            request,
            title=_("New code"),
            question=_("Whose code is it?"),
            view="admin:referrals_code_new",
        )

    def new(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make a code for one partner."""
        require(request, CAPABILITY)
        membership = get_object_or_404(Membership.objects.select_related("partner", "program"), pk=pk)
        form = NewCodeForm(request.POST or None, program=membership.program)
        if request.method == "POST" and form.is_valid():
            by, text, terms = person(request), form.cleaned_data["code"], form.terms()
            made = attempt(
                request,
                lambda: codes.make(membership, code=text, terms=terms, by=by, at=timezone.now()),
                form=form,
            )
            if made is not None:
                messages.success(request, _("The code %(code)s is made.") % {"code": made.code})
                return HttpResponseRedirect(row_url(made))
        title = _("New code of %(partner)s") % {"partner": membership.partner.name}
        return self._form(
            request, form, title=title, verb=_("Make the code"), back_url=row_url(membership.partner)
        )

    def edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let a code give something else."""
        require(request, CAPABILITY)
        code = get_object_or_404(self.get_queryset(request), pk=pk)
        form = CodeForm(request.POST or None, program=code.membership.program, initial=initial_of(code))
        if request.method == "POST" and form.is_valid():
            by, terms = person(request), form.terms()
            if attempt(request, lambda: codes.change(code, terms, by=by, at=timezone.now()), form=form):
                messages.success(request, _("Saved. Tell the shop, or give it the file of codes."))
                return HttpResponseRedirect(row_url(code))
        title = _("Change %(code)s") % {"code": code.code}
        return self._form(request, form, title=title, verb=_("Save"), back_url=row_url(code))

    def retire(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a code out of use for ever, after saying what that means."""
        require(request, CAPABILITY)
        code = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            by = person(request)
            if attempt(request, lambda: codes.retire(code, by=by, at=timezone.now())) is not None:
                messages.success(request, _("%(code)s is retired.") % {"code": code.code})
            return HttpResponseRedirect(row_url(code))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Retire %(code)s") % {"code": code.code},
            verb=_("Retire the code"),
            parent=code.code,
            parent_url=row_url(code),
            consequences=[
                _("Orders that carry it from now on earn nobody anything by it."),
                _("What it brought stays credited."),
                _("It cannot be switched on again, and nobody gets it again."),
            ],
        )

    def export_of(self, request: HttpRequest) -> HttpResponse:
        """Choose the program whose codes are handed out."""
        require(request, code_files.CAPABILITY)
        return self.page(
            request,
            "admin/referrals/programs.html",
            title=_("Codes for the shop"),
            lead=_(
                "Choose a program to get its codes as CSV: what the shop has to create and to deactivate, with discount, limit and days."
            ),
            programs=[
                (each, reverse("admin:referrals_code_export", args=[each.pk]))
                for each in Program.objects.order_by("name", "pk")
            ],
        )

    def export(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Send a program's codes as a file."""
        require(request, code_files.CAPABILITY)
        program, at = get_object_or_404(Program, pk=pk), timezone.now()
        audit.record(person(request), "code.file_taken", program, at=at)
        lines = code_files.export(program, at=at)
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="codes-{program.slug}.csv"'
        response["Cache-Control"] = "no-store"
        return response

    def parse_list(self, text: str) -> list[Row]:
        """Return the rows of a list of codes."""
        return code_files.parse(text)

    def check_list(self, program: Program, rows: Sequence[Row], *, at: datetime) -> list[code_files.Checked]:
        """Say what would become of each row."""
        return code_files.check(program, rows)

    def take_list(
        self, program: Program, rows: Sequence[Row], *, by: User, at: datetime, atomic: bool
    ) -> code_files.Taken:
        """Take the codes."""
        return code_files.take_all(program, rows, by=by, at=at, atomic=atomic)

    def what_of(self, each: code_files.Checked) -> str:
        """Return the code."""
        return each.wanted.code if each.wanted is not None else each.row.cell("code")

    def verb_of(self, count: int) -> str:
        """Return what the button says."""
        return ngettext("Take %(count)s code", "Take %(count)s codes", count) % {"count": count}

    def consequence_of(self, count: int) -> str:
        """Return what happens to the codes that go."""
        text = ngettext("%(count)s code is made or changed.", "%(count)s codes are made or changed.", count)
        return text % {"count": count}

    def _form(
        self, request: HttpRequest, form: forms.Form, *, title: str, verb: str, back_url: str
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/referrals/form.html",
            title=title,
            status=422 if form.errors else 200,
            form=form,
            verb=verb,
            back_url=back_url or list_url(Code),
        )


def _facts(code: Code, *, at: datetime) -> list[Fact]:
    given = initial_of(code)
    starts_on, last_on = given["starts_at"], given["ends_at"]
    uses = l10n.number_text(code.uses, locale())
    facts = [
        Fact(_("Partner"), link_to(code.membership.partner)),
        Fact(_("Program"), code.membership.program.name),
        Fact(_("State"), state_of(code, at=at).label),
        Fact(_("Discount"), discount_text(code) or _("none")),
        Fact(_("Uses at most"), code.use_limit or _("no limit")),
        Fact(_("Valid from"), l10n.date_text(starts_on, locale()) if starts_on else _("always")),
        Fact(_("Valid until"), l10n.date_text(last_on, locale()) if last_on else _("no end")),
    ]
    if code.use_limit is not None:
        facts.append(Fact(_("Uses counted"), uses))
    if code.retired_at is not None:
        who = code.retired_by.full_name if code.retired_by is not None else ""
        facts.append(
            Fact(
                _("Retired"),
                l10n.date_text(local_day(code.retired_at, code.membership.program.zone), locale()),
                who,
            )
        )
    return [*facts, Fact(_("Id"), code.public_id)]
