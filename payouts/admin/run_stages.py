"""The steps of the pay-run wizard: which one a run stands at, which ones are behind it, and what the first two show. A run always comes
back to where it stands, whoever opens it and however long it was left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _t

from payouts import months, periods
from payouts.admin.months import close_url
from payouts.choices import PaymentState, PayRunState, PeriodState
from payouts.models import PaymentFile, PaymentFileTaken, PayRun
from payouts.pay_runs import job
from prm.accounts.back_office import locale
from prm.lib import l10n
from prm.runs import cards
from tiers.models import Program

LABELS = {
    "close": _t("Close"),
    "compute": _t("Compute"),
    "check": _t("Check"),
    "approve": _t("Approve"),
    "export": _t("Export"),
    "paid": _t("Paid and returned"),
    "reconcile": _t("Reconcile"),
}
STAGES = tuple(LABELS)


def stage_of(run: PayRun, *, at: datetime) -> str:
    """Return the step the run stands at."""
    if run.state == PayRunState.DRAFT:
        return "close" if job.latest(run) is None and _open_months(run, at=at) else "compute"
    if run.state in (PayRunState.CHECKED, PayRunState.CANCELLED):
        return "check" if run.approved_at is None and _has_something_to_look_at(run) else "approve"
    if run.state == PayRunState.APPROVED:
        return "export"
    if run.state == PayRunState.RECONCILED:
        return "reconcile"
    if run.state == PayRunState.EXPORTED and _has_files_nobody_took(run):
        return "export"
    is_out = run.payments.filter(state=PaymentState.SENT).exists()
    return "paid" if is_out else "reconcile"


def reachable(run: PayRun) -> tuple[str, ...]:
    """Return the steps whose page can be opened: those behind the run, the one it stands at, and what can be looked into ahead."""
    furthest = {
        PayRunState.DRAFT: "compute",
        PayRunState.CHECKED: "approve",
        PayRunState.CANCELLED: "approve",
        PayRunState.APPROVED: "export",
    }.get(PayRunState(run.state), "reconcile")
    return STAGES[: STAGES.index(furthest) + 1]


def stepper(run: PayRun, shown: str, *, at: datetime) -> list[dict[str, Any]]:
    """Return the steps for the component, `shown` being the one on the page."""
    stands, may_open = STAGES.index(stage_of(run, at=at)), reachable(run)
    return [
        {
            "label": LABELS[stage],
            "done": number < stands or run.state == PayRunState.RECONCILED,
            "current": stage == shown,
            "href": stage_url(run, stage) if stage in may_open else "",
        }
        for number, stage in enumerate(STAGES)
    ]


def stage_url(run: PayRun, stage: str) -> str:
    """Return the address of one step's page."""
    return reverse("admin:payouts_payrun_stage", args=[run.pk, stage])


def closing(run: PayRun, *, at: datetime) -> dict[str, Any]:
    """Return what the first step shows: the months that are over and not closed, with what speaks against closing each."""
    return {"months": [_month(each, at=at) for each in _open_months(run, at=at)]}


def computing(run: PayRun, *, at: datetime) -> dict[str, Any]:
    """Return what the second step shows: how far the job is, and what it said when it was refused."""
    found = job.latest(run)
    if found is None:
        return {"job_is_open": False}
    said = found.log_tail.strip().splitlines()[-1:] if found.result.get("refused") else []
    return {
        **cards.context(found, at=at),
        "retry_url": "",  # the button of this step does it, and says so
        "job_is_open": found.is_open and not found.is_silent(at=at),
        "refusal": said[0] if said and run.state == PayRunState.DRAFT else "",
    }


def _open_months(run: PayRun, *, at: datetime) -> list[months.ProgramMonth]:
    programs = Program.objects.filter(legal_entity=run.legal_entity_id, currency=run.currency)
    by_program = months.months_of(list(programs.order_by("name", "pk")), at=at)
    return [
        each
        for found in by_program.values()
        for each in reversed(found)
        if each.is_over and each.state != PeriodState.CLOSED
    ]


def _month(each: months.ProgramMonth, *, at: datetime) -> dict[str, Any]:
    against = (
        [str(refusal) for refusal in periods.preconditions(each.program, each.month, at=at)]
        if each.state == PeriodState.OPEN
        else []
    )
    return {
        "program": each.program.name,
        "name": l10n.month_text(each.month, locale()),
        "state": each.state,
        "lines": each.lines,
        "amount": each.amount,
        "against": against,
        "url": close_url(each.program, each.month),
        "verb": _("Close it") if not against else _("See what is missing"),
    }


def _has_something_to_look_at(run: PayRun) -> bool:
    return run.state == PayRunState.CANCELLED or run.checks.filter(acknowledged_at=None).exists()


def _has_files_nobody_took(run: PayRun) -> bool:
    taken = PaymentFileTaken.objects.filter(file=OuterRef("pk"))
    return PaymentFile.objects.filter(pay_run=run).exclude(Exists(taken)).exists()
