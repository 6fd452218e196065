"""The decisions on a question: when each is possible, what it says beforehand and the one verb it calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _t

from payouts import disputes
from payouts.admin.dispute_forms import AcceptForm, CreditForm, ReasonForm
from payouts.choices import DisputeState
from payouts.disputes.deciding import may_reopen
from payouts.models import Dispute
from prm.accounts import policy
from prm.accounts.back_office import money_text
from prm.lib.money import Money
from referrals.attribution import correct

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from prm.accounts.models import User

_OPEN = (DisputeState.OPENED, DisputeState.ANSWERED, DisputeState.WAITING_PARTNER)


@dataclass(frozen=True)
class DisputeMove:
    """One decision."""

    title: StrOrPromise
    verb: Callable[..., Any]
    form: Callable[[Any, Dispute, User], forms.Form]
    says: Callable[[Dispute, User], list[str]]
    is_possible: Callable[[Dispute], bool]
    button: StrOrPromise
    done: StrOrPromise
    is_main: bool = True


def _accept_form(data: Any, dispute: Dispute, by: User) -> forms.Form:
    currency = dispute.membership.program.currency
    may_pay = policy.may(by, "adjust_balances")
    suggested = Money(dispute.suggested_minor or 0, currency)
    initial = {"amount": str(suggested.decimal()) if may_pay else "0"}
    return AcceptForm(data, currency=currency, may_pay=may_pay, initial=initial)


def _reason_form(data: Any, dispute: Dispute, by: User) -> forms.Form:
    return ReasonForm(data)


def _accepting(dispute: Dispute, by: User) -> list[str]:
    program = dispute.membership.program
    currency = program.currency
    names = {
        "partner": dispute.membership.partner.name,
        "line": money_text(dispute.commission.amount) if dispute.commission is not None else "",
        "limit": money_text(Money(program.second_person_above_minor, program.currency)),
        "suggested": money_text(Money(dispute.suggested_minor or 0, currency)),
    }
    if not policy.may(by, "adjust_balances"):
        return [
            _("The question is closed as right; no money moves. Finance accepts with money.") % names,
            _("%(partner)s gets an e-mail with your note.") % names,
        ]
    found = [
        _("The correction is booked in the open month, ready to pay; the line of %(line)s stays as it is.")
        % names,
        (
            _("Above %(limit)s a second person has to approve it first.") % names
            if program.second_person_above_minor
            else _("A second person has to approve it first.")
        ),
        _("%(partner)s gets an e-mail with your note.") % names,
    ]
    if dispute.suggested_minor:
        found.insert(0, _("The engine suggests %(suggested)s.") % names)
        found.append(
            _("Who reconciles this partner posts the same difference once more: correct it in one place.")
        )
    return found


def _refusing(dispute: Dispute, by: User) -> list[str]:
    names = {
        "partner": dispute.membership.partner.name,
        "suggested": money_text(Money(dispute.suggested_minor or 0, dispute.membership.program.currency)),
    }
    found = [
        _("The line stays as it is and the question is closed.")
        if dispute.commission is not None
        else _("Who is credited stays as it is and the question is closed."),
        _("%(partner)s gets an e-mail with your reason.") % names,
    ]
    if dispute.suggested_minor:
        found.append(_("The engine suggests a correction of %(suggested)s; it is not booked.") % names)
    return found


def _reopening(dispute: Dispute, by: User) -> list[str]:
    return [
        _("The second person refused what was to be booked: the question is open again."),
        _("A new answer is promised within %(days)s working days.")
        % {"days": dispute.membership.program.answer_days},
        _("%(partner)s gets an e-mail with your reason.") % {"partner": dispute.membership.partner.name},
    ]


def _is_open(dispute: Dispute) -> bool:
    return dispute.state in _OPEN


def _is_open_line(dispute: Dispute) -> bool:
    return _is_open(dispute) and dispute.commission_id is not None


def _is_open_credit(dispute: Dispute) -> bool:
    return _is_open(dispute) and dispute.commission_id is None


def _credit_form(data: Any, dispute: Dispute, by: User) -> forms.Form:
    is_known = dispute.conversion_id is not None
    return CreditForm(
        data, is_known=is_known, initial={"share": "100", "order": dispute.inquiry.get("asked", "")}
    )


def _crediting(dispute: Dispute, by: User) -> list[str]:
    names = {"partner": dispute.membership.partner.name}
    found = [
        _("%(partner)s is credited with the share you enter; who is credited now keeps what is left.")
        % names,
        _(
            "The engine takes back what was earned on the old credit and writes new lines, by the rules of the day of the order."
        ),
        _(
            "Refunds of the order follow. What is on a statement already is corrected by lines in the open month."
        ),
        _("%(partner)s gets an e-mail with your note.") % names,
    ]
    if dispute.conversion is not None:
        now = correct.standing(dispute.conversion)
        who = ", ".join(f"{each.membership.partner.name} ({each.share * 100:f} %)" for each in now)
        found.insert(0, _("Credited now: %(who)s") % {"who": who or _("nobody")})
    return found


MOVES: dict[str, DisputeMove] = {
    "credit": DisputeMove(
        title=_t("Accept and correct who is credited"),
        verb=disputes.accept_with_share,
        form=_credit_form,
        says=_crediting,
        is_possible=_is_open_credit,
        button=_t("Correct the credit"),
        done=_t("The question is accepted and the credit corrected; lines follow in a moment."),
    ),
    "accept": DisputeMove(
        title=_t("Accept"),
        verb=disputes.accept,
        form=_accept_form,
        says=_accepting,
        is_possible=_is_open_line,
        button=_t("Accept the question"),
        done=_t("The question is accepted."),
    ),
    "refuse": DisputeMove(
        title=_t("Refuse"),
        verb=disputes.refuse,
        form=_reason_form,
        says=_refusing,
        is_possible=_is_open,
        button=_t("Refuse the question"),
        done=_t("The question is refused."),
        is_main=False,
    ),
    "reopen": DisputeMove(
        title=_t("Open again"),
        verb=disputes.reopen,
        form=_reason_form,
        says=_reopening,
        is_possible=may_reopen,
        button=_t("Open the question again"),
        done=_t("The question is open again."),
    ),
}
