"""Cases: the overdue ones first, then by the day they are decided by. Writing a note is a form on the page; every decision is a page that says what
happens and makes one call."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import BigIntegerField, Case, IntegerField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payouts import evidence
from payouts.admin.risk_case_page import clock_badge, facts_of, lines_of, notes_of, signals_of, stake_text
from payouts.admin.risk_forms import NoteForm
from payouts.admin.risk_moves import MOVES, RiskMove
from payouts.models import RiskCase, RiskNote, RiskSignal
from payouts.risk import cases, queue
from payouts.risk.common import OPEN
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    attempt,
    list_url,
    money_column,
    person,
    require,
    row_url,
    state_column,
)

_ORDER = ("turn", "review_on", "pk")


class WaitingFilter(admin.SimpleListFilter):
    """What has to be decided."""

    title = gettext_lazy("waits")
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the choices."""
        return [("open", _("For a decision")), ("overdue", _("Overdue")), ("mine", _("I look into it"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RiskCase]) -> QuerySet[RiskCase]:
        """Keep the cases that wait for it."""
        if self.value() == "open":
            return queryset.filter(state__in=OPEN)
        if self.value() == "overdue":
            return queryset.filter(pk__in=queue.overdue(at=timezone.now()).values("pk"))
        if self.value() == "mine":
            return queryset.filter(state__in=OPEN, investigator=person(request))
        return queryset


@admin.register(RiskCase)
class RiskCaseAdmin(BackOfficeAdmin):
    """Cases, what is to be decided first on top."""

    section = gettext_lazy("Risk")
    sees = "see_risk"
    change_list_template = "admin/payouts/riskcase/change_list.html"
    list_display = (
        "partner",
        money_column("stake_minor", gettext_lazy("at stake"), currency="membership__program__currency"),
        "clock",
        state_column("risk_case", gettext_lazy("state")),
    )
    list_filter = (WaitingFilter, "state", "membership__program")
    search_fields = ("public_id", "membership__partner__name")
    search_help_text = gettext_lazy("Partner or id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RiskCase]:
        """Read what the person may see, in the order of the clock."""
        turn = Case(When(state__in=OPEN, then=Value(0)), default=Value(1), output_field=IntegerField())
        stake = Coalesce(
            Sum("lines__commission__amount_minor", filter=Q(lines__pause__isnull=False)),
            Value(0),
            output_field=BigIntegerField(),
        )
        found = RiskCase.objects.visible_to(person(request)).annotate(turn=turn, stake_minor=stake)
        return (
            found.select_related(
                "membership__program", "membership__partner", "investigator", "opened_by", "decided_by"
            )
            .prefetch_related("signals")
            .order_by(*_ORDER)
        )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order by the clock."""
        return _ORDER

    def get_urls(self) -> list[URLPattern]:
        """Add notes, files and decisions."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("<int:pk>/note/", wrap(require_POST(self.note)), name="payouts_riskcase_note"),
            path(
                "<int:pk>/investigate/",
                wrap(require_POST(self.investigate)),
                name="payouts_riskcase_investigate",
            ),
            path("<int:pk>/step/<str:step>/", wrap(both(self.step)), name="payouts_riskcase_step"),
            path("<int:pk>/file/<int:note_pk>/", wrap(require_safe(self.file)), name="payouts_riskcase_file"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say above the list what is overdue and how many signals nobody has looked at."""
        require(request, self.sees)
        extra = {
            "overdue": queue.overdue(at=timezone.now()).count(),
            "overdue_url": list_url(RiskCase, waits="overdue"),
            **queue.signals_waiting(),
            "waiting_url": list_url(RiskSignal, state="free"),
        }
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, case: RiskCase) -> str:
        """Return who it is about, why, and what was seen by kind."""
        seen = Counter(signal.get_kind_display() for signal in case.signals.all())
        kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(seen.items()))
        rest = (case.membership.program.name, case.reason, kinds)
        return format_html(
            '{}<span class="sub">{}</span><span class="sub">{}</span><span class="sub">{}</span>',
            case.membership.partner.name,
            *rest,
        )

    @admin.display(description=gettext_lazy("clock"), ordering="review_on")
    def clock(self, case: RiskCase) -> str:
        """Return by when it is decided."""
        return clock_badge(case, at=timezone.now())

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show a case."""
        require(request, self.sees)
        return self._page(request, get_object_or_404(self.get_queryset(request), pk=object_id), NoteForm())

    def note(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write down what was found."""
        require(request, "decide_risk")
        case = get_object_or_404(self.get_queryset(request), pk=pk)
        form = NoteForm(request.POST, request.FILES)
        if form.is_valid():
            by, at = person(request), timezone.now()
            done = attempt(request, lambda: cases.note(case, by=by, at=at, **form.cleaned_data), form=form)
            if done is not None:
                messages.success(request, _("Written down."))
                return HttpResponseRedirect(row_url(case))
        return self._page(request, case, form, status=422)

    def investigate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say that one looks into the case."""
        require(request, "decide_risk")
        case = get_object_or_404(self.get_queryset(request), pk=pk)
        by, at = person(request), timezone.now()
        if attempt(request, lambda: cases.investigate(case, by=by, at=at)) is not None:
            messages.success(request, _("You look into this case; what the partner writes is mailed to you."))
        return HttpResponseRedirect(row_url(case))

    def step(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Say what a decision does, or take it."""
        move = MOVES.get(step)
        case = get_object_or_404(self.get_queryset(request), pk=pk)
        require(request, "decide_risk")
        if move is None or not move.is_possible(case):
            return HttpResponseRedirect(row_url(case))
        form = move.form(request.POST or None, case)
        if request.method == "POST" and form.is_valid():
            by, at, given = person(request), timezone.now(), form.cleaned_data
            done = attempt(request, lambda: (move.verb(case, by=by, at=at, **given),), form=form)
            if done is not None:
                messages.success(request, str(move.done))
                return HttpResponseRedirect(row_url(case))
        return self._confirm(request, case, move, form)

    def file(self, request: HttpRequest, pk: int, note_pk: int) -> HttpResponseBase:
        """Send a file of a note."""
        require(request, self.sees)
        found = get_object_or_404(RiskNote, pk=note_pk, case=pk)
        return evidence.attachment(found.evidence, found.evidence_name)

    def _confirm(
        self, request: HttpRequest, case: RiskCase, move: RiskMove, form: forms.Form
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/confirm.html",
            title=move.title,
            parent=case.membership.partner.name,
            parent_url=row_url(case),
            form=form,
            errors=bool(form.errors),
            consequences=move.says(case),
            verb=move.button,
            status=422 if form.errors else 200,
        )

    def _page(
        self, request: HttpRequest, case: RiskCase, form: NoteForm, *, status: int = 200
    ) -> HttpResponse:
        at, may = timezone.now(), policy.may(request.user, "decide_risk")
        return self.page(
            request,
            "admin/payouts/riskcase/case.html",
            title=_("Case about %(partner)s") % {"partner": case.membership.partner.name},
            case=case,
            facts=list(facts_of(case, at=at)),
            stake=stake_text(case),
            signals=signals_of(case),
            lines=lines_of(case),
            notes=notes_of(case),
            form=form,
            errors=bool(form.errors),
            may=may,
            may_investigate=may and case.state in OPEN and case.investigator_id != person(request).pk,
            moves=_moves(case) if may else [],
            status=status,
        )


def _moves(case: RiskCase) -> list[dict[str, Any]]:
    return [
        {
            "label": move.title,
            "url": reverse("admin:payouts_riskcase_step", args=[case.pk, name]),
            "is_main": move.is_main,
        }
        for name, move in MOVES.items()
        if move.is_possible(case)
    ]
