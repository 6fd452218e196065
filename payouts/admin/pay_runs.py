"""Pay runs: prepared by one person, approved by another, exported for the bank, and booked as the bank answers. Every step is a page that
says in numbers what will happen, and one call."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from payouts import pay_runs
from payouts.admin.forms import FailForm, PrepareForm
from payouts.admin.run_moves import MOVES, RunMove
from payouts.admin.run_page import facts_of, left_out_of, rows_of, steps_of
from payouts.models import Payment, PaymentFile, PayRun
from payouts.pay_runs.preview import Sums, preview
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    attempt,
    locale,
    money_column,
    money_text,
    person,
    require,
    row_url,
    state_column,
)
from prm.lib import l10n
from prm.lib.money import Money


@admin.register(PayRun)
class PayRunAdmin(BackOfficeAdmin):
    """Pay runs, the newest first."""

    sees = "see_ledger"
    change_list_template = "admin/payouts/payrun/change_list.html"
    list_display = (
        "message_id",
        "legal_entity",
        "execute_on",
        "payment_count",
        money_column("total_minor", gettext_lazy("total")),
        state_column("pay_run", gettext_lazy("state")),
        "prepared_by",
        "approved_by",
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
            path("<int:pk>/file/<int:file_pk>/", wrap(require_safe(self.file)), name="payouts_payrun_file"),
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

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a run with its payments, what is left out, its files, and the steps that are possible now."""
        require(request, self.sees)
        run = get_object_or_404(self.get_queryset(request), pk=object_id)
        files = run.files.defer("content").order_by("pk")
        may_fail = policy.may(request.user, "settle_pay_runs")
        return self.page(
            request,
            "admin/payouts/payrun/run.html",
            title=_("Pay run %(run)s") % {"run": run.message_id},
            run_page=run,
            total=Money(run.total_minor, run.currency),
            facts=list(facts_of(run)),
            steps=steps_of(run),
            payments=rows_of(run, may_fail=may_fail),
            left_out=left_out_of(run),
            files=[
                {
                    "file": file,
                    "total": Money(file.total_minor, run.currency),
                    "url": reverse("admin:payouts_payrun_file", args=[run.pk, file.pk]),
                }
                for file in files
            ]
            if policy.may(request.user, "export_pay_runs")
            else [],
            moves=self._moves(request, run),
            waits_for_other=run.state == "checked" and run.prepared_by_id == person(request).pk,
        )

    def prepare(self, request: HttpRequest) -> HttpResponse:
        """Ask for a run, say what it would pay, and prepare it when that is confirmed."""
        require(request, "prepare_pay_runs")
        form = PrepareForm(request.POST or None)
        found: Sums | None = None
        if request.method == "POST" and form.is_valid():
            words: dict[str, Any] = {**form.cleaned_data, "by": person(request), "at": timezone.now()}
            entity = words.pop("legal_entity")
            if "confirm" in request.POST:
                run = attempt(request, lambda: pay_runs.prepare(entity, **words), form=form)
                if run is not None:
                    messages.success(request, _("The run is prepared. Now somebody else has to approve it."))
                    return HttpResponseRedirect(row_url(run))
            else:
                found = attempt(request, lambda: preview(entity, **words), form=form)
        return self.page(
            request,
            "admin/payouts/payrun/prepare.html",
            title=_("Prepare a pay run"),
            form=form,
            errors=bool(form.errors),
            found=found,
            consequences=_of_preparing(found) if found else [],
            left_out=[(reason.label, count) for reason, (count, _sum) in found.left_out.items()] if found else [],
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
        form = FailForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            by, at, reason = person(request), timezone.now(), form.cleaned_data["reason"]
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
        """Send a file for the bank, the same bytes every time, and write down who took it."""
        require(request, "export_pay_runs")
        file = get_object_or_404(PaymentFile.objects.select_related("pay_run"), pk=file_pk, pay_run=pk)
        audit.record(
            person(request),
            "pay_run.file_taken",
            file.pay_run,
            at=timezone.now(),
            file=file.name,
            format=file.format,
        )
        kind = "application/xml" if file.name.endswith(".xml") else "text/csv; charset=utf-8"
        response = HttpResponse(bytes(file.content), content_type=kind)
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

    def _moves(self, request: HttpRequest, run: PayRun) -> list[dict[str, Any]]:
        """Return the steps possible in the run's state that the person may take."""
        return [
            {
                "label": move.title,
                "url": reverse("admin:payouts_payrun_step", args=[run.pk, step]),
                "is_main": move.is_main,
            }
            for step, move in MOVES.items()
            if run.state in move.states
            and policy.may(request.user, move.capability)
            and _is_mine(move, request, run)
        ]


def _is_mine(move: RunMove, request: HttpRequest, run: PayRun) -> bool:
    """Hide from the preparer what only somebody else may do; the verb refuses it in any case."""
    return not (move.by_another and run.prepared_by_id == person(request).pk)


def _of_preparing(found: Sums) -> list[str]:
    left_out = sum(count for count, _sum in found.left_out.values())
    return [
        _("%(count)s payments, %(amount)s together.")
        % {"count": l10n.number_text(found.payments, locale()), "amount": money_text(found.total)},
        _("%(count)s partners with a balance are left out, each with its reason.")
        % {"count": l10n.number_text(left_out, locale())},
        _("No money moves yet: another person has to approve the run."),
    ]
