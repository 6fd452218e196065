"""Questions of partners: ordered by the clock of their answer, each with the line's explanation, what the engine suggests, and the thread.
Answering and deciding are pages that say what will happen and make one call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Case, F, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payouts import disputes, evidence
from payouts.admin.dispute_credit import credit_of
from payouts.admin.dispute_file import file_of
from payouts.admin.dispute_forms import AnswerForm, SpanForm
from payouts.admin.dispute_moves import MOVES, DisputeMove
from payouts.admin.dispute_page import clock_badge, facts_of, suggestion_of, thread_of
from payouts.choices import CommissionState, DisputeState
from payouts.disputes import report
from payouts.explained import line as explained
from payouts.explained import subject
from payouts.models import Commission, Dispute, DisputeMessage
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    attempt,
    money_column,
    person,
    require,
    row_url,
    state_column,
)
from prm.lib.periods import start_of_day

_OPEN = (DisputeState.OPENED, DisputeState.ANSWERED, DisputeState.WAITING_PARTNER)
_LINKED = ("membership__partner__id__exact", "commission__id__exact")
_SPAN = timedelta(days=90)
_CLOCK = ("turn", "answer_by_at", "-pk")


class WaitingFilter(admin.SimpleListFilter):
    """Who has to act next."""

    title = gettext_lazy("waits for")
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the choices."""
        return [("us", _("An answer")), ("late", _("An answer, overdue")), ("open", _("A decision"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> QuerySet[Dispute]:
        """Keep the questions that wait for it."""
        if self.value() == "open":
            return queryset.filter(state__in=_OPEN)
        if self.value() == "us":
            return queryset.filter(state=DisputeState.OPENED)
        if self.value() == "late":
            return queryset.filter(state=DisputeState.OPENED, answer_by_at__lte=timezone.now())
        return queryset


@admin.register(Dispute)
class DisputeAdmin(BackOfficeAdmin):
    """Questions: those to answer first, by the day the answer is promised; then what waits for the partner; then what is decided."""

    section = gettext_lazy("Questions of partners")
    sees = "see_disputes"
    change_list_template = "admin/payouts/dispute/change_list.html"
    list_display = (
        "about",
        "partner",
        money_column("line_minor", gettext_lazy("commission"), currency="membership__program__currency"),
        "clock",
        state_column("dispute", gettext_lazy("state")),
    )
    list_filter = (WaitingFilter, "cause", "membership__program")
    search_fields = (
        "public_id",
        "membership__partner__name",
        "commission__conversion__external_id",
        "conversion__external_id",
    )
    search_help_text = gettext_lazy("Partner, order or id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        """Read what the person may see, in the order of the clock."""
        turn = Case(
            When(state=DisputeState.OPENED, then=Value(0)),
            When(state__in=_OPEN, then=Value(1)),
            default=Value(2),
            output_field=IntegerField(),
        )
        amount = F("commission__amount_minor")
        found = Dispute.objects.visible_to(person(request)).annotate(turn=turn, line_minor=amount)
        return found.select_related(
            "membership__program",
            "membership__partner",
            "opened_by",
            "commission__conversion",
            "conversion",
            "decided_by",
        ).order_by(*_CLOCK)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order by the clock; the rows carry whose turn it is."""
        return _CLOCK

    def get_urls(self) -> list[URLPattern]:
        """Add answering, deciding, files and the report."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("causes/", wrap(require_safe(self.causes)), name="payouts_dispute_causes"),
            path("<int:pk>/answer/", wrap(require_POST(self.answer)), name="payouts_dispute_answer"),
            path("<int:pk>/again/", wrap(require_POST(self.look_again)), name="payouts_dispute_again"),
            path("<int:pk>/step/<str:step>/", wrap(both(self.step)), name="payouts_dispute_step"),
            path(
                "<int:pk>/file/<int:message_pk>/", wrap(require_safe(self.file)), name="payouts_dispute_file"
            ),
            *super().get_urls(),
        ]

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Allow the links other pages make."""
        return lookup in _LINKED or super().lookup_allowed(lookup, value, request)

    @admin.display(description=gettext_lazy("about"))
    def about(self, dispute: Dispute) -> str:
        """Return the line that is asked about, and what is wrong with it."""
        line = dispute.commission
        if line is None:
            named = dispute.conversion.external_id if dispute.conversion is not None else ""
            text = named or dispute.inquiry.get("asked") or _("Orders of a customer")
            return format_html('{}<span class="sub">{}</span>', text, dispute.get_cause_display())
        order = subject.order_text(line)
        text = order or subject.period_text(line, dispute.membership.program.zone)
        return format_html('{}<span class="sub">{}</span>', text, dispute.get_cause_display())

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, dispute: Dispute) -> str:
        """Return who asks."""
        program = dispute.membership.program.name
        return format_html('{}<span class="sub">{}</span>', dispute.membership.partner.name, program)

    @admin.display(description=gettext_lazy("clock"), ordering="answer_by_at")
    def clock(self, dispute: Dispute) -> str:
        """Return by when an answer is promised."""
        return clock_badge(dispute, timezone.now())

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show a question."""
        require(request, self.sees)
        return self._page(request, get_object_or_404(self.get_queryset(request), pk=object_id), AnswerForm())

    def answer(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer a question without deciding it."""
        require(request, "answer_disputes")
        dispute = get_object_or_404(self.get_queryset(request), pk=pk)
        form = AnswerForm(request.POST, request.FILES)
        if form.is_valid():
            by, at = person(request), timezone.now()
            done = attempt(
                request, lambda: disputes.answer(dispute, by=by, at=at, **form.cleaned_data), form=form
            )
            if done is not None:
                messages.success(request, _("Answered. The partner gets an e-mail."))
                return HttpResponseRedirect(row_url(dispute))
        return self._page(request, dispute, form, status=422)

    def look_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Work the suggestion out once more."""
        require(request, "answer_disputes")
        dispute = get_object_or_404(self.get_queryset(request), pk=pk)
        by, at = person(request), timezone.now()
        if attempt(request, lambda: disputes.look_again(dispute, by=by, at=at)) is not None:
            messages.success(request, _("Worked out again with the books as they are now."))
        return HttpResponseRedirect(row_url(dispute))

    def step(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Say what a decision does, or take it."""
        move = MOVES.get(step)
        dispute = get_object_or_404(self.get_queryset(request), pk=pk)
        if move is None:
            return HttpResponseRedirect(row_url(dispute))
        require(request, "answer_disputes")
        form = move.form(request.POST or None, dispute, person(request))
        if request.method == "POST" and form.is_valid():
            by, at, given = person(request), timezone.now(), form.cleaned_data
            done = attempt(request, lambda: (move.verb(dispute, by=by, at=at, **given),), form=form)
            if done is not None:
                messages.success(request, str(move.done))
                return HttpResponseRedirect(row_url(dispute))
        return self._confirm(request, dispute, move, form)

    def file(self, request: HttpRequest, pk: int, message_pk: int) -> HttpResponseBase:
        """Send a file of the thread."""
        require(request, self.sees)
        message = get_object_or_404(DisputeMessage, pk=message_pk, dispute=pk)
        return evidence.attachment(message.evidence, message.evidence_name)

    def causes(self, request: HttpRequest) -> HttpResponseBase:
        """Show what was asked about in a span of days, or send it as a file."""
        require(request, self.sees)
        today = timezone.localdate()
        form = SpanForm(request.GET or {"first": today - _SPAN, "last": today})
        rows: list[report.CauseRow] = []
        if form.is_valid():
            zone = timezone.get_current_timezone()
            since = start_of_day(form.cleaned_data["first"], zone)
            rows = report.causes(
                since=since, until=start_of_day(form.cleaned_data["last"] + timedelta(days=1), zone)
            )
        if "csv" in request.GET and form.is_valid():
            return file_of(rows, f"questions-{form.cleaned_data['first']}-{form.cleaned_data['last']}.csv")
        query = request.GET.copy()
        query["csv"] = "1"
        return self.page(
            request,
            "admin/payouts/dispute/causes.html",
            title=_("What is asked about"),
            form=form,
            rows=rows,
            totals=report.totals(rows),
            csv_url=f"?{query.urlencode()}",
            status=422 if form.errors else 200,
        )

    def _confirm(
        self, request: HttpRequest, dispute: Dispute, move: DisputeMove, form: forms.Form
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/confirm.html",
            title=move.title,
            parent=dispute,
            parent_url=row_url(dispute),
            form=form,
            errors=bool(form.errors),
            consequences=move.says(dispute, person(request)),
            verb=move.button,
            status=422 if form.errors else 200,
        )

    def _page(
        self, request: HttpRequest, dispute: Dispute, form: AnswerForm, *, status: int = 200
    ) -> HttpResponse:
        at = timezone.now()
        line = explained.readable(Commission.objects.all()).filter(pk=dispute.commission_id or 0).first()
        may_answer = policy.may(request.user, "answer_disputes")
        return self.page(
            request,
            "admin/payouts/dispute/dispute.html",
            title=_("Question of %(partner)s") % {"partner": dispute.membership.partner.name},
            dispute=dispute,
            facts=list(facts_of(dispute, at)),
            found=explained.explain(line, at=at, for_staff=True) if line is not None else None,
            line_url=row_url(line) if line is not None else "",
            suggestion=suggestion_of(dispute) if line is not None else None,
            credit=credit_of(dispute) if line is None else None,
            thread=thread_of(dispute),
            form=form,
            may_answer=may_answer and dispute.state in _OPEN,
            moves=_moves(dispute) if may_answer else [],
            pause_url=_pause_url(line)
            if line is not None and policy.may(request.user, "pause_payments")
            else "",
            status=status,
        )


def _moves(dispute: Dispute) -> list[dict[str, Any]]:
    return [
        {
            "label": move.title,
            "url": reverse("admin:payouts_dispute_step", args=[dispute.pk, name]),
            "is_main": move.is_main,
        }
        for name, move in MOVES.items()
        if move.is_possible(dispute)
    ]


def _pause_url(line: Commission) -> str:
    """Return where the line can be paused, while its hold runs."""
    if line.state != CommissionState.ON_HOLD:
        return ""
    return reverse("admin:payouts_pause_line", args=[line.pk])
