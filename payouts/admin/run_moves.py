"""The steps of a pay run: who may take each, in which states, what it says beforehand and the one verb it calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _t

from payouts import pay_runs
from payouts.admin.forms import SettleForm
from payouts.choices import PaymentState, PayRunState
from payouts.models import Payment, PayRun
from prm.accounts.back_office import locale, money_text
from prm.lib import l10n
from prm.lib.money import Money

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class RunMove:
    """One step."""

    title: StrOrPromise
    capability: str
    states: tuple[str, ...]
    verb: Callable[..., Any]
    says: Callable[[PayRun], list[str]]
    button: Callable[[PayRun], str]
    done: StrOrPromise
    form: type[forms.Form] | None = None
    is_main: bool = True
    by_another: bool = False


def _numbers(run: PayRun) -> dict[str, str]:
    return {
        "count": l10n.number_text(run.payment_count, locale()),
        "amount": money_text(Money(run.total_minor, run.currency)),
        "date": l10n.date_text(run.execute_on, locale(), "long"),
        "entity": run.legal_entity.name,
        "person": run.prepared_by.get_full_name() or run.prepared_by.email,
    }


def _approving(run: PayRun) -> list[str]:
    numbers = _numbers(run)
    return [
        _("%(count)s payments, %(amount)s together, leave %(entity)s on %(date)s.") % numbers,
        _("%(person)s prepared it; you approve exactly these payments.") % numbers,
        _("After approval the files for the bank can be made. Until then it can be cancelled."),
    ]


def _exporting(run: PayRun) -> list[str]:
    return [
        _("%(amount)s leaves the partners' balances and counts as on its way.") % _numbers(run),
        _(
            "Files for banks and providers are made, and tables and a journal for the books. Each has a number, its rows, its sum and its hash."
        ),
        _("From now on the run cannot be cancelled; payments can be marked as failed."),
    ]


def _settling(run: PayRun) -> list[str]:
    sent = Payment.objects.filter(pay_run=run, state=PaymentState.SENT)
    minor = sum(sent.values_list("amount_minor", flat=True))
    return [
        _("%(count)s payments, %(amount)s together, are booked as paid.")
        % {
            "count": l10n.number_text(sent.count(), locale()),
            "amount": money_text(Money(minor, run.currency)),
        },
        _("Each partner gets an e-mail that the payment was sent."),
        _("Payments marked as failed before stay failed."),
    ]


def _cancelling(run: PayRun) -> list[str]:
    return [
        _("Nothing of the %(amount)s is paid by this run.") % _numbers(run),
        _("The same statements can be paid by another run."),
    ]


MOVES: dict[str, RunMove] = {
    "approve": RunMove(
        title=_t("Approve"),
        capability="approve_pay_runs",
        states=(PayRunState.CHECKED.value,),
        verb=pay_runs.approve,
        says=_approving,
        button=lambda run: _("Approve %(count)s payments, %(amount)s") % _numbers(run),
        done=_t("The run is approved. The files for the bank can be made now."),
        by_another=True,
    ),
    "export": RunMove(
        title=_t("Make the files"),
        capability="export_pay_runs",
        states=(PayRunState.APPROVED.value,),
        verb=pay_runs.export,
        says=_exporting,
        button=lambda run: _("Make the files for %(count)s payments") % _numbers(run),
        done=_t("The files are ready. Upload them at the bank."),
    ),
    "settle": RunMove(
        title=_t("Mark as paid"),
        capability="settle_pay_runs",
        states=(PayRunState.EXPORTED.value, PayRunState.SENT.value, PayRunState.PARTLY_FAILED.value),
        verb=pay_runs.settle,
        says=_settling,
        button=lambda run: _("Mark as paid"),
        done=_t("What was on its way is booked as paid."),
        form=SettleForm,
    ),
    "cancel": RunMove(
        title=_t("Cancel the run"),
        capability="prepare_pay_runs",
        states=(PayRunState.DRAFT.value, PayRunState.CHECKED.value, PayRunState.APPROVED.value),
        verb=pay_runs.cancel,
        says=_cancelling,
        button=lambda run: _("Cancel the run"),
        done=_t("The run is cancelled."),
        is_main=False,
    ),
}
