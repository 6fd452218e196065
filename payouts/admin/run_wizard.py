"""Show one step of a pay run: what it is about, what has to be looked at before the next one, and the one button that goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts.admin import run_checks, run_page, run_stages
from payouts.admin.forms import SettleForm
from payouts.admin.run_moves import MOVES, RunMove
from payouts.choices import PaymentState, PayRunState
from payouts.models import PayRun
from payouts.results import reconcile
from prm.accounts import policy
from prm.accounts.back_office import locale, person, row_url
from prm.lib import l10n
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.back_office import BackOfficeAdmin


def show(desk: BackOfficeAdmin, request: HttpRequest, run: PayRun, stage: str) -> HttpResponse:
    """Show a step; one the run has not come to leads to where it stands."""
    if stage not in run_stages.reachable(run):
        return HttpResponseRedirect(row_url(run))
    at = timezone.now()
    return desk.page(
        request,
        _TEMPLATES[stage],
        title=_("%(step)s: pay run %(run)s") % {"step": run_stages.LABELS[stage], "run": run.message_id},
        run_page=run,
        stage=stage,
        stages=run_stages.stepper(run, stage, at=at),
        total=Money(run.total_minor, run.currency),
        facts=list(run_page.facts_of(run)),
        history=run_page.steps_of(run),
        cancel_run_url=_cancel_url(request, run),
        next_url=_next_url(run, stage, at=at),
        may_prepare=policy.may(request.user, "prepare_pay_runs"),
        **_SHOWN[stage](request, run, at),
    )


def _close(request: HttpRequest, run: PayRun, at: datetime) -> dict[str, Any]:
    return {**run_stages.closing(run, at=at), "compute_url": run_stages.stage_url(run, "compute")}


def _compute(request: HttpRequest, run: PayRun, at: datetime) -> dict[str, Any]:
    left_out = run_page.left_out_of(run, number=request.GET.get("left-out"))
    return {**run_stages.computing(run, at=at), "left_out": left_out}


def _check(request: HttpRequest, run: PayRun, at: datetime) -> dict[str, Any]:
    may_leave_out = policy.may(request.user, "prepare_pay_runs")
    kinds = run_checks.kinds_of(run)
    return {
        "sums": run_checks.totals_of(run),
        "kinds": kinds,
        "waiting": sum(kind["waiting"] for kind in kinds),
        "left_out": run_page.left_out_of(run, number=request.GET.get("left-out")),
        "payments": _payments(request, run, may_leave_out=may_leave_out),
        "approve_url": run_stages.stage_url(run, "approve") if run.state == PayRunState.CHECKED else "",
    }


def _approve(request: HttpRequest, run: PayRun, at: datetime) -> dict[str, Any]:
    waiting = run.checks.filter(acknowledged_at=None).count()
    is_mine = run.prepared_by_id == person(request).pk
    looked = ngettext(
        "%(count)s check is not acknowledged yet", "%(count)s checks are not acknowledged yet", waiting
    ) % {"count": l10n.number_text(waiting, locale())}
    other = _("Whoever prepared it does not approve it")
    conditions = [
        {"text": _("Every check is acknowledged"), "ok": True}
        if not waiting
        else {
            "text": looked,
            "ok": False,
            "href": run_stages.stage_url(run, "check"),
            "action": _("Look at them"),
        },
        {
            "text": other if not is_mine else _("You prepared this run. Somebody else has to approve it."),
            "ok": not is_mine,
        },
    ]
    return {
        "sums": run_checks.totals_of(run),
        "check_url": run_stages.stage_url(run, "check") if run.checks.exists() else "",
        "conditions": conditions if run.state == PayRunState.CHECKED else [],
        "move": _move(request, run, "approve") if not waiting and not is_mine else None,
    }


def _export(request: HttpRequest, run: PayRun, at: datetime) -> dict[str, Any]:
    may_take = policy.may(request.user, "export_pay_runs")
    return {
        "move": _move(request, run, "export"),
        "files": run_page.files_of(run) if may_take else [],
        "paid_url": run_stages.stage_url(run, "paid") if run.exported_at is not None else "",
    }


def _paid(request: HttpRequest, run: PayRun, at: datetime) -> dict[str, Any]:
    came_back = run.payments.filter(state__in=[PaymentState.FAILED, PaymentState.RETURNED])
    minor = sum(came_back.values_list("amount_minor", flat=True))
    counts = {
        state: run.payments.filter(state=state).count() for state in (PaymentState.SENT, PaymentState.SETTLED)
    }
    return {
        "move": _move(request, run, "settle") if counts[PaymentState.SENT] else None,
        "move_form": SettleForm(),
        "sent": counts[PaymentState.SENT],
        "settled": counts[PaymentState.SETTLED],
        "came_back": came_back.count(),
        "came_back_sum": Money(minor, run.currency),
        "payments": _payments(request, run, may_fail=policy.may(request.user, "settle_pay_runs")),
        "reconcile_url": run_stages.stage_url(run, "reconcile"),
        "results_url": reverse("admin:payouts_resultfile_upload")
        if policy.may(request.user, "settle_pay_runs")
        else "",
    }


def _reconcile(request: HttpRequest, run: PayRun, at: datetime) -> dict[str, Any]:
    found = reconcile.of(run)
    return {"found": found, "paid_url": run_stages.stage_url(run, "paid")}


_TEMPLATES = {
    "close": "admin/payouts/payrun/close.html",
    "compute": "admin/payouts/payrun/compute.html",
    "check": "admin/payouts/payrun/check.html",
    "approve": "admin/payouts/payrun/approve.html",
    "export": "admin/payouts/payrun/export.html",
    "paid": "admin/payouts/payrun/paid.html",
    "reconcile": "admin/payouts/payrun/reconcile.html",
}
_SHOWN: dict[str, Callable[[HttpRequest, PayRun, datetime], dict[str, Any]]] = {
    "close": _close,
    "compute": _compute,
    "check": _check,
    "approve": _approve,
    "export": _export,
    "paid": _paid,
    "reconcile": _reconcile,
}


def _payments(
    request: HttpRequest, run: PayRun, *, may_fail: bool = False, may_leave_out: bool = False
) -> dict[str, Any]:
    return run_page.payments_of(
        run, number=request.GET.get("payments"), may_fail=may_fail, may_leave_out=may_leave_out
    )


def _move(request: HttpRequest, run: PayRun, name: str) -> dict[str, Any] | None:
    """Return the button of a step with what it will do, when it is possible now and the person may."""
    move: RunMove = MOVES[name]
    if run.state not in move.states or not policy.may(request.user, move.capability):
        return None
    return {
        "url": reverse("admin:payouts_payrun_step", args=[run.pk, name]),
        "verb": move.button(run),
        "consequences": move.says(run),
    }


def _cancel_url(request: HttpRequest, run: PayRun) -> str:
    found = _move(request, run, "cancel")
    return found["url"] if found is not None else ""


def _next_url(run: PayRun, stage: str, *, at: datetime) -> str:
    """Return where the run stands when that is another step than the one shown."""
    stands = run_stages.stage_of(run, at=at)
    return run_stages.stage_url(run, stands) if stands != stage else ""
