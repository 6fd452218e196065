"""The pages on which people look at a run before it is approved: one for each kind of check, where some or all of it is acknowledged with a
note, and one that takes a payment out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts import pay_runs
from payouts.admin import run_checks
from payouts.admin.forms import LeaveOutForm, NoteForm
from payouts.admin.run_stages import stage_url
from payouts.choices import CheckKind, PayRunState
from payouts.models import Payment, PayRun
from prm.accounts import policy
from prm.accounts.back_office import attempt, locale, money_text, person, require
from prm.lib import l10n
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.back_office import BackOfficeAdmin


def looking(desk: BackOfficeAdmin, request: HttpRequest, run: PayRun, kind: str) -> HttpResponse:
    """Show the checks of a kind, or write down that somebody looked at those that are ticked."""
    if kind not in CheckKind.values:
        raise Http404
    form = NoteForm(request.POST or None)
    if request.method == "POST":
        require(request, "prepare_pay_runs")
        ticked = [int(pk) for pk in request.POST.getlist("check") if pk.isdecimal() and len(pk) < 19]
        if not ticked:
            form.add_error(None, _("Tick what you have looked at."))
        elif form.is_valid():
            by, at, note = person(request), timezone.now(), form.cleaned_data["note"]
            count = attempt(
                request,
                lambda: pay_runs.acknowledge_kind(run, kind, note=note, by=by, at=at, only=ticked),
                form=form,
            )
            if count is not None:
                said = ngettext(
                    "%(count)s check is acknowledged.", "%(count)s checks are acknowledged.", count
                )
                messages.success(request, said % {"count": l10n.number_text(count, locale())})
                return HttpResponseRedirect(stage_url(run, "check"))
    rows = run_checks.rows_of(run, kind)
    may_look = run.state == PayRunState.CHECKED and policy.may(request.user, "prepare_pay_runs")
    return desk.page(
        request,
        "admin/payouts/payrun/looking.html",
        title=CheckKind(kind).label,
        parent=run,
        parent_url=stage_url(run, "check"),
        rows=rows,
        form=form,
        errors=bool(form.errors),
        waiting=sum(not row["looked"] for row in rows) if may_look else 0,
    )


def leaving_out(desk: BackOfficeAdmin, request: HttpRequest, run: PayRun, payment: Payment) -> HttpResponse:
    """Say what taking a payment out does, or do it."""
    form = LeaveOutForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        by, at, reason = person(request), timezone.now(), form.cleaned_data["reason"]
        done = attempt(request, lambda: pay_runs.leave_out(payment, reason=reason, by=by, at=at), form=form)
        if done is not None:
            messages.success(request, _("The payment is left out. The run has to be approved as it is now."))
            return HttpResponseRedirect(stage_url(run, "check"))
    partner = payment.membership.partner.name
    left = Money(run.total_minor - payment.amount_minor, run.currency)
    consequences = [
        _("%(partner)s is not paid %(amount)s by this run; the balance stays as it is.")
        % {"partner": partner, "amount": money_text(payment.amount)},
        _("The run then pays %(count)s payments, %(amount)s together.")
        % {"count": l10n.number_text(run.payment_count - 1, locale()), "amount": money_text(left)},
    ]
    if run.state == PayRunState.APPROVED:
        consequences.append(_("The approval is void: somebody has to approve the run again."))
    return desk.page(
        request,
        "admin/confirm.html",
        title=_("Leave out the payment to %(partner)s") % {"partner": partner},
        parent=run,
        parent_url=stage_url(run, "check"),
        form=form,
        errors=bool(form.errors),
        consequences=consequences,
        verb=_("Leave it out"),
    )
