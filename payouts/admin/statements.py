"""Statements as they were issued: the bridge, the lines, and the files. Taking a file is written down."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from payouts import documents, lateness, statements
from payouts.admin.forms import CorrectionForm
from payouts.admin.totals import WithTotals
from payouts.choices import StatementKind, StatementState, VatMode
from payouts.explained import bridge
from payouts.explained.listed import kind_label
from payouts.exports import csv, pdf, xlsx
from payouts.models import Commission, Statement, StatementLine
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import (
    Fact,
    attempt,
    link_to,
    list_url,
    locale,
    money_column,
    person,
    require,
    row_url,
    state_column,
)
from prm.lib import l10n
from prm.lib.errors import Refused
from prm.lib.money import Money
from prm.lib.periods import local_day

CORRECTS = "issue_statements"
LINES_SHOWN = 200
LINKED = ("membership__partner__id__exact", "period__id__exact")
FILES = {"pdf": pdf, "csv": csv, "xlsx": xlsx}


class LateFilter(admin.SimpleListFilter):
    """Statements whose payment is late."""

    title = gettext_lazy("late")
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the one choice."""
        return [("yes", _("Payment is late"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Statement]) -> QuerySet[Statement]:
        """Keep the late ones."""
        if self.value() != "yes":
            return queryset
        return queryset.filter(pk__in=lateness.late_statements(at=timezone.now()).values("pk"))


@admin.register(Statement)
class StatementAdmin(WithTotals):
    """Statements, the newest first."""

    sees = "see_statements"
    total_of = "closing_minor"
    list_display = (
        "number",
        "partner",
        "month",
        money_column("closing_minor", gettext_lazy("balance")),
        state_column("statement", gettext_lazy("state")),
        "due_on",
        money_column("earned_minor", gettext_lazy("commissions")),
        money_column("reversed_minor", gettext_lazy("taken back")),
        "program",
    )
    list_filter = (LateFilter, "kind", "state", "membership__program", "currency", "year")
    list_select_related = ("membership__partner", "membership__program", "period")
    search_fields = ("number", "public_id", "membership__partner__name")
    search_help_text = gettext_lazy("Number, partner or id")
    ordering = ("-year", "-sequence", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Statement]:
        """Read what the person may see."""
        found = Statement.objects.visible_to(person(request))
        return found.select_related("membership__partner", "membership__program", "period")

    def get_urls(self) -> list[URLPattern]:
        """Add the files."""
        view = self.admin_site.admin_view(require_safe(self.file))
        correct = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.correct))
        return [
            path("<int:pk>/file/<str:kind>/", view, name="payouts_statement_file"),
            path("<int:pk>/correct/", correct, name="payouts_statement_correct"),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, statement: Statement) -> str:
        """Return whose statement it is."""
        return statement.membership.partner.name

    @admin.display(description=gettext_lazy("program"), ordering="membership__program__name")
    def program(self, statement: Statement) -> str:
        """Return the program it belongs to."""
        return statement.membership.program.name

    @admin.display(description=gettext_lazy("month"), ordering="period__year")
    def month(self, statement: Statement) -> str:
        """Return the month it is about."""
        return l10n.month_text(statement.period.as_month, locale(), "short")

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show a statement."""
        require(request, self.sees)
        statement = get_object_or_404(self.get_queryset(request), pk=object_id)
        lines = statement.lines.select_related("commission", "transaction").order_by("position")[:LINES_SHOWN]
        return self.page(
            request,
            "admin/payouts/statement/statement.html",
            title=_("Statement %(number)s") % {"number": statement.number},
            statement=statement,
            facts=list(_facts(statement)),
            bridge=list(_bridge(statement)),
            closing=statement.closing,
            payments=statement.payments.select_related("pay_run").order_by("pk"),
            related=list(_related(statement)),
            correct_url=_correct_url(request, statement),
            lines=[_line(line, statement) for line in lines],
            hidden=max(0, statement.line_count - LINES_SHOWN),
            lines_url=list_url(Commission, statement__id__exact=statement.pk),
            files=[
                (kind.upper(), reverse("admin:payouts_statement_file", args=[statement.pk, kind]))
                for kind in FILES
            ],
        )

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Allow the links other pages make."""
        return lookup in LINKED or super().lookup_allowed(lookup, value, request)

    def correct(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the reason and correct a statement."""
        require(request, CORRECTS)
        statement = get_object_or_404(self.get_queryset(request), pk=pk)
        form = CorrectionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason, by = form.cleaned_data["reason"], person(request)
            try:
                new = statements.correct(statement, reason=reason, by=by, at=timezone.now())
            except Refused as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
            else:
                done = _("%(number)s is in force now; %(old)s was taken back by a credit note.")
                messages.success(request, done % {"number": new.number, "old": statement.number})
                return HttpResponseRedirect(row_url(new))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Correct statement %(number)s") % {"number": statement.number},
            form=form,
            consequences=list(_consequences(statement)),
            verb=_("Write the credit note and the new statement"),
            parent_url=row_url(statement),
        )

    def file(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """Send a statement as a file."""
        require(request, self.sees)
        statement = get_object_or_404(self.get_queryset(request), pk=pk)
        if kind not in FILES:
            raise Http404
        content = attempt(request, lambda: _content(statement, kind))
        if content is None:
            return HttpResponseRedirect(row_url(statement))
        audit.record(person(request), "statement.file_taken", statement, at=timezone.now(), kind=kind)
        export = FILES[kind]
        response = HttpResponse(content, content_type=export.CONTENT_TYPE)  # type: ignore[attr-defined]
        response["Content-Disposition"] = f'attachment; filename="{export.file_name(statement)}"'  # type: ignore[attr-defined]
        response["Cache-Control"] = "no-store"
        return response


def _content(statement: Statement, kind: str) -> bytes:
    if kind == "pdf":
        return documents.read_pdf(statement)
    return csv.render(statement) if kind == "csv" else xlsx.render(statement)


def _facts(statement: Statement) -> Iterator[Fact]:
    zone = statement.membership.program.zone
    yield Fact(_("Partner"), link_to(statement.membership.partner))
    yield Fact(_("Program"), statement.membership.program.name)
    yield Fact(_("Month"), l10n.month_text(statement.period.as_month, locale()))
    yield Fact(_("Issued"), l10n.date_text(local_day(statement.issued_at, zone), locale()))
    yield Fact(_("Kind"), StatementKind(statement.kind).label)
    if statement.correction_reason:
        yield Fact(_("Reason of the correction"), statement.correction_reason)
    tax = statement.facts.get("tax")
    if tax:
        rate = l10n.percent_text(Decimal(tax["rate"]) / 100, locale())
        yield Fact(_("VAT"), VatMode(tax["mode"]).label, note=rate if tax["vat_minor"] else tax["note"])
    expected = statement.facts.get("expected")
    if expected and expected["withheld_minor"]:
        withheld = Money(expected["withheld_minor"], statement.currency)
        yield Fact(
            _("Tax expected to be withheld"), l10n.money_text(withheld, locale()), note=expected["basis"]
        )
    fx = statement.facts.get("fx")
    if fx:
        sent = l10n.money_text(Money(fx["amount_minor"], fx["currency"]), locale())
        yield Fact(
            _("Paid in another currency"), sent, note=f"{fx['rate']} ({fx['source']}, {fx['rate_on']})"
        )
    if statement.due_on is not None:
        yield Fact(_("Payment date"), l10n.date_text(statement.due_on, locale()))
    yield Fact(_("Check code"), statement.check_code)
    yield Fact(_("Hash"), statement.sha256)


def _bridge(statement: Statement) -> Iterator[dict[str, Any]]:
    labels = {
        bridge.COMMISSIONS: _("Commissions that became ready to pay"),
        bridge.REVERSALS: _("Refunds and reversals"),
        bridge.PAID: _("Paid in the month"),
    }
    for term in bridge.bridge_of(statement)[:-1]:
        said = ngettext("%(count)s line", "%(count)s lines", term.lines) % {"count": term.lines}
        note = said if term.lines else ""
        yield {"label": labels.get(term.key, term.label), "amount": term.amount, "note": note}


def _related(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """Yield the documents that belong to this one, each with what it is to it."""
    if statement.corrects is not None:
        is_credit_note = statement.kind == StatementKind.CREDIT_NOTE
        yield (_("Takes back") if is_credit_note else _("Replaces")), statement.corrects
    for other in statement.corrections.order_by("pk"):
        is_credit_note = other.kind == StatementKind.CREDIT_NOTE
        yield (_("Taken back by") if is_credit_note else _("Replaced by")), other


def _consequences(statement: Statement) -> Iterator[str]:
    """Say what correcting a statement does, in its own numbers."""
    closing = l10n.money_text(statement.closing, locale())
    credit = _("A credit note takes back %(number)s, closing balance %(closing)s.")
    yield credit % {"number": statement.number, "closing": closing}
    count = ngettext(
        "A new statement repeats its %(count)s line, with the parties and the tax as they are now.",
        "A new statement repeats its %(count)s lines, with the parties and the tax as they are now.",
        statement.line_count,
    )
    yield count % {"count": l10n.number_text(statement.line_count, locale())}
    yield _("No money moves; VAT that was wrong is put right in the month that is open.")
    if statement.payments.live().exists():
        yield _("Its payment stays as it is and is not made again.")
    if statement.invoices.exists():
        yield _("Its self-billed invoice is credited and issued anew.")
    yield _("The partner gets the new statement by e-mail, with the reason.")


def _correct_url(request: HttpRequest, statement: Statement) -> str:
    """Return where the statement is corrected; nothing for a credit note, one that was corrected, or who may not."""
    is_in_force = statement.state not in (StatementState.CREDITED, StatementState.CREDIT_NOTE)
    if not is_in_force or not policy.may(person(request), CORRECTS):
        return ""
    return reverse("admin:payouts_statement_correct", args=[statement.pk])


def _line(line: StatementLine, statement: Statement) -> dict[str, Any]:
    zone = statement.membership.program.zone
    return {
        "day": local_day(line.occurred_at, zone),
        "order": line.order_id,
        "kind": kind_label(line),
        "customer": line.customer,
        "base": Money(line.base_minor, statement.currency) if line.base_minor else None,
        "amount": Money(line.amount_minor, statement.currency),
        "url": row_url(line.commission) if line.commission is not None else "",
    }
