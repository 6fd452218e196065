"""Put the stages of a partner's money into words: what is in each, when it moves on, and the list it opens. The five amounts
together are all that was ever earned, less what was taken back.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts.next_payments import Beside, NextPayment
from payouts.overview import MoneyOverview, PaymentsSoFar, Stage
from portal.formats import active_locale, date_text, day_text
from portal.status import PATH, word, working_days_text
from portal.views.pages import PathStage, PathSum
from prm.lib import l10n
from prm.lib.periods import Month, local_day

_STATES = {"review": "in_review", "hold": "on_hold", "ready": "payable", "sent": "sent", "paid": "paid"}


def stages(
    money: MoneyOverview,
    payments: PaymentsSoFar,
    coming: NextPayment,
    *,
    at: datetime,
    zone: tzinfo,
    review_days: int,
) -> tuple[PathStage, ...]:
    """Return the five stages; the one nearest to being paid that holds money is current."""
    notes = {
        "review": working_days_text(review_days),
        "hold": _hold_note(money.stages["hold"], zone),
        "ready": _ready_note(money.stages["ready"], coming, at, zone),
        "sent": _sent_note(payments, at, zone),
        "paid": _paid_note(payments, at, zone),
    }
    current = next(
        (key for key in ("ready", "sent", "hold", "review") if money.stages[key].amount.minor > 0), ""
    )
    return tuple(_stage(money.stages[key], notes[key], payments, is_current=key == current) for key in PATH)


def beside(money: MoneyOverview, found: Beside) -> PathSum | None:
    """Return what moved the balance without a commission, and what it comes to with the five stages; None for nothing."""
    if not found.adjustments and not found.vat:
        return None
    words = {
        "vat": l10n.money_text(found.vat, active_locale()),
        "all": l10n.money_text(money.lifetime + found.total, active_locale()),
    }
    text = _("With what is above that is %(all)s.") % words
    if found.vat:
        text = _("VAT is %(vat)s of it.") % words + " " + text
    return PathSum(amount=found.total, href=reverse("portal:adjustments"), text=text)


def earnings_href(stage: str) -> str:
    """Return the list of a stage's lines."""
    return f"{reverse('portal:earnings')}?stage={stage}"


def _stage(stage: Stage, note: str, payments: PaymentsSoFar, *, is_current: bool) -> PathStage:
    return PathStage(
        key=stage.key,
        label=word("commission", _STATES[stage.key]).label,
        amount=stage.amount,
        lines=tuple(line for line in (note, _count_text(stage, payments)) if line),
        href=earnings_href(stage.key),
        current=is_current,
    )


def _count_text(stage: Stage, payments: PaymentsSoFar) -> str:
    counts = {"sent": payments.sent_count, "paid": payments.settled_count}
    count = counts.get(stage.key)
    if count:
        return ngettext("%(count)s payment", "%(count)s payments", count) % {"count": _number(count)}
    return commissions_text(stage.count)


def commissions_text(count: int) -> str:
    """Return a number of commissions in words."""
    return ngettext("%(count)s commission", "%(count)s commissions", count) % {"count": _number(count)}


def _hold_note(stage: Stage, zone: tzinfo) -> str:
    if stage.next_payable_at is None:
        return ""
    return _("Next release %(date)s") % {"date": day_text(local_day(stage.next_payable_at, zone))}


def _ready_note(stage: Stage, coming: NextPayment, at: datetime, zone: tzinfo) -> str:
    if stage.amount.minor < 0 and coming.amount.minor < 0:
        amount = l10n.money_text(-stage.amount, active_locale())
        return _("%(amount)s will be taken from your next commissions") % {"amount": amount}
    if not stage.count:
        return ""
    if coming.statement is None and not coming.is_above_minimum:
        minimum = l10n.money_text(coming.minimum, active_locale())
        return _("Below the %(amount)s minimum, carried over") % {"amount": minimum}
    month = coming.statement.period.as_month if coming.statement else Month.of(at, zone)
    return _("On your %(month)s statement") % {"month": l10n.month_text(month, active_locale(), "name")}


def _sent_note(payments: PaymentsSoFar, at: datetime, zone: tzinfo) -> str:
    if payments.last_sent_at is None:
        return ""
    return _("Sent %(date)s") % {"date": near_text(local_day(payments.last_sent_at, zone), at)}


def _paid_note(payments: PaymentsSoFar, at: datetime, zone: tzinfo) -> str:
    if payments.last_settled_at is None:
        return ""
    return _("Last payment %(date)s") % {"date": near_text(local_day(payments.last_settled_at, zone), at)}


def near_text(day: date, at: datetime) -> str:
    """Return a date, with its year unless it is this one."""
    return day_text(day) if day.year == at.year else date_text(day)


def _number(count: int) -> str:
    return l10n.number_text(count, active_locale())
