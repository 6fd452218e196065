"""Say when, how and in which currencies a program pays, and answer what newcomers ask about it. Every date and figure comes from the
program's settings, so a change of them changes the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partners.applications import decide_on
from payouts import fx
from payouts.choices import PaymentMethodKind
from portal.credit_words import credit_answer
from portal.formats import active_locale, date_text
from prm.lib import l10n
from prm.lib.periods import Month, hold_until, local_day
from tiers.choices import FxMoment
from tiers.engine.facts import PlanFacts
from tiers.models import Program

_NAMED_WAYS = tuple(kind for kind in PaymentMethodKind if kind != PaymentMethodKind.OTHER)


@dataclass(frozen=True)
class Fact:
    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Question:
    question: str
    answer: str


def how_paid(program: Program, *, at: datetime) -> tuple[Fact, ...]:
    """Return when money comes, by which ways and in which currencies."""
    facts = [
        Fact(
            _("On hold"),
            _days(program.hold_days),
            _("After each sale, in case the customer asks for a refund. Then it is ready to pay."),
        ),
        Fact(
            _("Statement"),
            _("On the first day of each month"),
            _("It lists everything that became ready to pay in the month before."),
        ),
        Fact(_("Payment"), _("On day %(day)s of the same month") % {"day": program.payment_day}),
    ]
    if program.minimum_payout_minor:
        minimum = l10n.money_text(program.minimum_payout, active_locale())
        facts.append(
            Fact(_("Minimum"), minimum, _("Less than that stays yours and moves to the next statement."))
        )
    return (*facts, *_ways(program, at))


def _ways(program: Program, at: datetime) -> tuple[Fact, Fact]:
    receives = fx.offered(program.currency, on=local_day(at, program.zone))
    kinds = [kind for kind in _NAMED_WAYS if kind != PaymentMethodKind.US_ACCOUNT or "USD" in receives]
    ways = Fact(
        _("Ways to be paid"),
        l10n.list_text([str(kind.label) for kind in kinds], active_locale(), "or"),
        _("Choose one once you are in. Another way can be agreed with us."),
    )
    own = _("Your balance is kept in %(currency)s.") % {"currency": program.currency}
    if len(receives) == 1:
        return ways, Fact(_("Currency"), program.currency, own)
    rate = (
        _("If you choose another one, the rate of the last day of the statement's month counts.")
        if program.fx_moment == FxMoment.STATEMENT
        else _("If you choose another one, the rate of the day on which payments are prepared counts.")
    )
    return ways, Fact(_("Currencies"), l10n.list_text(receives, active_locale(), "or"), f"{own} {rate}")


def _days(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}


def questions(
    program: Program, plan: PlanFacts | None, *, at: datetime, can_apply: bool
) -> tuple[Question, ...]:
    """Return what newcomers ask, with the answers the settings give."""
    asked = [
        Question(_("When am I paid for a sale made today?"), _paid_when(program, at)),
        Question(_("Which partner gets the credit for a sale?"), credit_answer(program, at=at)),
    ]
    if plan is not None:
        asked.append(Question(_("What happens when a customer returns an order?"), _refunds(plan)))
    if not can_apply:
        return tuple(asked)
    text = _("%(days)s. Apply today and you hear from us by %(date)s.")
    days = ngettext("%(count)s working day", "%(count)s working days", program.decision_days)
    values = {"days": days % {"count": program.decision_days}, "date": date_text(decide_on(program, at))}
    asked.append(Question(_("How long does a decision take?"), text % values))
    return tuple(asked)


def _paid_when(program: Program, at: datetime) -> str:
    ready = hold_until(at, program.hold_days, program.zone)
    month = Month.of(ready, program.zone)
    statement_on = month.next().first_on
    values = {
        "today": date_text(local_day(at, program.zone)),
        "ready": date_text(local_day(ready, program.zone)),
        "statement": date_text(statement_on),
        "paid": date_text(date(statement_on.year, statement_on.month, program.payment_day)),
    }
    return (
        _(
            "A sale of today, %(today)s, is ready to pay on %(ready)s, stands on the statement of %(statement)s and"
            " is paid on %(paid)s, once your balance is above the minimum."
        )
        if program.minimum_payout_minor
        else _(
            "A sale of today, %(today)s, is ready to pay on %(ready)s, stands on the statement of %(statement)s and"
            " is paid on %(paid)s."
        )
    ) % values


def _refunds(plan: PlanFacts) -> str:
    told = [_("The commission on what was returned is taken back, and the line says so. Nothing disappears.")]
    if plan.clawback_days is not None:
        text = ngettext(
            "Later than %(count)s day after the sale nothing is taken back.",
            "Later than %(count)s days after the sale nothing is taken back.",
            plan.clawback_days,
        )
        told.append(text % {"count": plan.clawback_days})
    policies = {rule.flat_on_refund for rule in plan.rules if rule.flat and not rule.is_windowed}
    if "kept" in policies:
        told.append(_("You keep the fixed amount."))
    if "until_full" in policies:
        told.append(_("The fixed amount goes back only when everything was returned."))
    if "at_first" in policies:
        told.append(_("The fixed amount goes back with the first return."))
    return " ".join(told)
