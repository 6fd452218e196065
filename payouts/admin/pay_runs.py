"""Pay runs: prepared by one person, approved by another, exported for the bank, and booked as the bank answers. A run's page is the step
it stands at; every step says in numbers what will happen, and makes one call."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import Min, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from payouts import pay_runs
from payouts.admin.forms import FailForm, PrepareForm
from payouts.admin.run_looking import leaving_out, looking
from payouts.admin.run_moves import MOVES
from payouts.admin.run_page import warnings_of
from payouts.admin.run_stages import stage_of, stage_url
from payouts.admin.run_wizard import show
from payouts.choices import StatementState
from payouts.exports.bank_days import next_bank_day
from payouts.models import Payment, PaymentFile, PayRun, Statement
from payouts.pay_runs import files, job
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    attempt,
    money_column,
    money_text,
    person,
    require,
    row_url,
    state_column,
)


@admin.register(PayRun)
class PayRunAdmin(BackOfficeAdmin):
    """Pay runs, the newest first."""

    sees = "see_ledger"
    change_list_template = "admin/payouts/payrun/change_list.html"
    list_display = (
        "execute_on",
        money_column("total_minor", gettext_lazy("total")),
        state_column("pay_run", gettext_lazy("state")),
        "payment_count",
        "prepared_by",
        "approved_by",
        "legal_entity",
        "message_id",
    )
    list_filter = ("state", "currency", "legal_entity")
    list_select_related = ("legal_entity", "prepared_by", "approved_by")
    search_fields = ("message_id", "public_id")
    ordering = ("-prepared_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the steps of a run and its files."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        return [
            path("prepare/", wrap(both(self.prepare)), name="payouts_payrun_prepare"),
            path("<int:pk>/file/<int:file_pk>/", wrap(both(self.file)), name="payouts_payrun_file"),
            path("<int:pk>/wizard/<str:stage>/", wrap(both(self.stage)), name="payouts_payrun_stage"),
            path("<int:pk>/look/<str:kind>/", wrap(both(self.looking)), name="payouts_payrun_looking"),
            path(
                "<int:pk>/leave-out/<int:payment_pk>/",
                wrap(both(self.leave_out)),
                name="payouts_payrun_leave_out",
            ),
            path("<int:pk>/fail/<int:payment_pk>/", wrap(both(self.fail)), name="payouts_payrun_fail"),
            path("<int:pk>/step/<str:step>/", wrap(both(self.step)), name="payouts_payrun_step"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PayRun]:
        """Read the people and the entity with each run."""
        people = ("prepared_by", "approved_by", "exported_by", "reconciled_by", "cancelled_by")
        return PayRun.objects.select_related("legal_entity", *people)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer to prepare a run to those who may."""
        may_prepare = policy.may(request.user, "prepare_pay_runs")
        return super().changelist_view(request, {"may_prepare": may_prepare, **(extra_context or {})})

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show the step a run stands at."""
        require(request, self.sees)
        run = get_object_or_404(self.get_queryset(request), pk=object_id)
        return show(self, request, run, stage_of(run, at=timezone.now()))

    def stage(self, request: HttpRequest, pk: int, stage: str) -> HttpResponse:
        """Show one step of a run, or put its computation in the queue."""
        require(request, self.sees)
        run = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            require(request, "prepare_pay_runs")
            begun = attempt(request, lambda: job.start(run, by=person(request), at=timezone.now()))
            if begun is not None:
                messages.success(request, _("A worker computes the run. You can leave this page."))
            return HttpResponseRedirect(row_url(run))
        return show(self, request, run, stage)

    def looking(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """Show the checks of one kind, or acknowledge them."""
        require(request, self.sees)
        return looking(self, request, get_object_or_404(self.get_queryset(request), pk=pk), kind)

    def leave_out(self, request: HttpRequest, pk: int, payment_pk: int) -> HttpResponse:
        """Say what taking a payment out of the run does, or do it."""
        require(request, "prepare_pay_runs")
        found = Payment.objects.standing().select_related("pay_run", "membership__partner", "statement")
        payment = get_object_or_404(found, pk=payment_pk, pay_run=pk)
        return leaving_out(self, request, payment.pay_run, payment)

    def prepare(self, request: HttpRequest) -> HttpResponse:
        """Ask whom to pay and when, and open a run; one that is being prepared already is where it goes on."""
        require(request, "prepare_pay_runs")
        form = PrepareForm(request.POST or None, initial={"execute_on": _usual_day()})
        under_way = None
        if request.method == "POST" and form.is_valid():
            words: dict[str, Any] = {**form.cleaned_data, "by": person(request), "at": timezone.now()}
            entity = words.pop("legal_entity")
            run = attempt(request, lambda: pay_runs.open(entity, **words), form=form)
            if run is not None:
                return HttpResponseRedirect(row_url(run))
            under_way = pay_runs.being_prepared(entity, form.cleaned_data["currency"])
        return self.page(
            request,
            "admin/payouts/payrun/prepare.html",
            title=_("Prepare a pay run"),
            form=form,
            errors=bool(form.errors),
            under_way=under_way,
            under_way_url=row_url(under_way) if under_way is not None else "",
        )

    def step(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Say what a step does, or do it."""
        move = MOVES.get(step)
        run = get_object_or_404(self.get_queryset(request), pk=pk)
        if move is None:
            return HttpResponseRedirect(row_url(run))
        require(request, move.capability)
        form = move.form(request.POST or None) if move.form else None
        if request.method == "POST" and (form is None or form.is_valid()):
            given = form.cleaned_data if form is not None else {}
            by, at = person(request), timezone.now()
            done = attempt(request, lambda: move.verb(run, by=by, at=at, **given), form=form)
            if done is not None:
                messages.success(request, str(move.done))
            if done is not None or form is None:
                return HttpResponseRedirect(row_url(run))
        return self._confirm(
            request, run, title=move.title, verb=move.button(run), form=form, consequences=move.says(run)
        )

    def fail(self, request: HttpRequest, pk: int, payment_pk: int) -> HttpResponse:
        """Say what booking a failed payment does, or book it."""

        require(request, "settle_pay_runs")
        found = Payment.objects.select_related("pay_run", "membership__partner", "statement")
        payment = get_object_or_404(found, pk=payment_pk, pay_run=pk)
        form = FailForm(request.POST or None, initial={"seen": payment.state})
        if request.method == "POST" and form.is_valid():
            by, at, reason = person(request), timezone.now(), form.cleaned_data["reason"]
            payment.state = form.cleaned_data["seen"] or payment.state
            done = attempt(request, lambda: pay_runs.fail(payment, reason=reason, by=by, at=at), form=form)
            if done is not None:
                messages.success(request, _("The payment is booked as failed; the amount is owed again."))
                return HttpResponseRedirect(row_url(payment.pay_run))
        partner, amount = payment.membership.partner.name, money_text(payment.amount)
        return self._confirm(
            request,
            payment.pay_run,
            title=_("Mark the payment to %(partner)s as failed") % {"partner": partner},
            verb=_("Mark as failed"),
            form=form,
            consequences=[
                _("%(amount)s goes back to what we owe %(partner)s.")
                % {"amount": amount, "partner": partner},
                _("The partner gets an e-mail with the reason."),
                _("The next pay run pays it again, under a new id."),
            ],
        )

    def file(self, request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
        """Send a file, the same bytes every time; from the second time on a page warns first."""
        require(request, "export_pay_runs")
        file = get_object_or_404(PaymentFile.objects.select_related("pay_run"), pk=file_pk, pay_run=pk)
        earlier = files.taken_before(file)
        if earlier and request.method == "GET":
            return self._confirm(
                request,
                file.pay_run,
                title=_("%(file)s was downloaded before") % {"file": file.name},
                verb=_("Download it again"),
                form=None,
                consequences=warnings_of(file, earlier),
            )
        content = attempt(request, lambda: files.take(file, by=person(request), at=timezone.now()))
        if content is None:
            return HttpResponseRedirect(stage_url(file.pay_run, "export"))
        response = HttpResponse(content, content_type=files.content_type(file))
        response["Content-Disposition"] = f'attachment; filename="{file.name}"'
        response["Cache-Control"] = "no-store"
        return response

    def _confirm(
        self,
        request: HttpRequest,
        run: PayRun,
        *,
        title: Any,
        verb: str,
        form: Any,
        consequences: list[str],
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/confirm.html",
            title=title,
            parent=run,
            parent_url=row_url(run),
            form=form,
            errors=bool(form is not None and form.errors),
            consequences=consequences,
            verb=verb,
        )


def _usual_day() -> date:
    """Return the day the next payments were promised for, or the bank day after today when that is past or nothing is promised."""
    today = timezone.localdate()
    waiting = Statement.objects.filter(state=StatementState.ISSUED, due_on__gte=today)
    promised: date | None = waiting.aggregate(day=Min("due_on"))["day"]
    return next_bank_day(promised or today + timedelta(days=1), "EUR")
