"""Tell the life of a line: what has happened to it, with dates, and what is planned. What is planned depends on conditions, which are
said with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts.choices import CommissionState, PaymentState
from payouts.explained import subject, texts
from payouts.models import Commission, Pause, PayableDateChange, Payment
from payouts.overview import payment_date
from prm.lib.periods import Month, local_day
from referrals.choices import ClickKind, TouchKind
from referrals.models import Click, Touch

Moment = tuple[datetime, str, bool]
READ_BESIDE = ("date_changes", "pauses")


@dataclass(frozen=True)
class Step:
    """A moment in the life of a commission, past or planned."""

    at: str
    what: str
    done: bool
    problem: bool = False


def payments_of(lines: Iterable[Commission]) -> dict[int, Payment]:
    """Return the payment under way or done of each statement the lines stand on, by statement."""
    moved = (CommissionState.SENT, CommissionState.PAID)
    statements = {
        line.statement_id for line in lines if line.state in moved and line.statement_id is not None
    }
    if not statements:
        return {}
    return living(Payment.objects.filter(statement__in=statements).order_by("pk"))


def living(payments: Iterable[Payment]) -> dict[int, Payment]:
    """Return the payments that are under way or done, by statement."""
    states = (PaymentState.QUEUED, PaymentState.SENT, PaymentState.SETTLED)
    return {payment.statement_id: payment for payment in payments if payment.state in states}


def steps_of(line: Commission, zone: tzinfo, payment: Payment | None, at: datetime) -> Iterator[Step]:
    """Yield the past in its order, then what is planned."""
    past: list[tuple[datetime, str]] = []
    planned: list[tuple[datetime, str]] = []
    for instant, what, is_done in _moments(line, zone, payment):
        (past if is_done else planned).append((instant, what))
    for instant, what in sorted(past, key=lambda pair: pair[0]):
        yield Step(texts.moment(instant, zone, at), what, done=True)
    if line.state == CommissionState.PAUSED:
        yield Step(_("Now"), _paused_text(line), done=False, problem=True)
    for instant, what in planned:
        yield Step(texts.day(instant.astimezone(zone).date()), what, done=False)


def _moments(line: Commission, zone: tzinfo, payment: Payment | None) -> Iterator[Moment]:
    conversion, credit = line.conversion, line.credit
    if credit is not None and credit.click is not None and not subject.is_of_a_recruit(line):
        yield credit.click.clicked_at, _click_text(credit.click), True
    if credit is not None and credit.touch is not None and not subject.is_of_a_recruit(line):
        yield credit.touch.touched_at, _touch_text(credit.touch), True
    if conversion is not None:
        yield conversion.occurred_at, texts.event(conversion.kind), True
    yield line.computed_at, _computed_text(line, zone), True
    yield from _kept_back(line, zone)
    if not line.amount_minor:
        return  # there is nothing to wait for
    if line.released_in is not None:
        yield line.payable_at, _("Ready to pay"), True
    elif line.amount_minor < 0:
        yield line.payable_at, _("Taken from what is ready to pay"), False
    elif line.state == CommissionState.PAUSED:
        yield line.payable_at, _("Ready to pay, if it is no longer paused by then"), False
    elif conversion is None:
        yield line.payable_at, _("Ready to pay"), False
    else:
        yield line.payable_at, _("Ready to pay, if the customer does not ask for a refund"), False
    yield from _statement_moments(line, zone, payment)


def _click_text(click: Click) -> str:
    return _("Your link was seen") if click.kind == ClickKind.VIEW else _("Click on your link")


def _touch_text(touch: Touch) -> str:
    texts_of = {
        TouchKind.DEAL: _("You registered the deal %(reference)s"),
        TouchKind.LEAD: _("You brought the lead %(reference)s"),
        TouchKind.INTRODUCTION: _("You made the introduction %(reference)s"),
    }
    return (texts_of[TouchKind(touch.kind)] % {"reference": touch.reference}).strip()


def _statement_moments(line: Commission, zone: tzinfo, payment: Payment | None) -> Iterator[Moment]:
    statement, program = line.statement, line.membership.program
    if statement is not None:
        month = statement.period.as_month
        yield statement.issued_at, _on_statement_text(month), True
    else:
        released = line.released_in
        month = released.period.as_month if released is not None else Month.of(line.payable_at, zone)
        yield month.ends_at(zone) - datetime.resolution, _on_statement_text(month), False
    if payment is not None and payment.settled_at is not None:
        text = _("Paid, reference %(reference)s") % {"reference": payment.end_to_end_id}
        yield payment.settled_at, text, True
    elif payment is not None and payment.sent_at is not None:
        yield payment.sent_at, _("Payment sent"), True
    elif line.state != CommissionState.PAID:
        due = payment_date(month, program.payment_day)
        minimum = texts.money(program.minimum_payout_minor, program.currency)
        text = _("Payment sent, if your balance reaches %(minimum)s") % {"minimum": minimum}
        yield datetime(due.year, due.month, due.day, 12, tzinfo=zone), text, False


def _on_statement_text(month: Month) -> str:
    return _("On your %(month)s statement") % {"month": texts.month(month)}


def first_told(line: Commission) -> datetime:
    """Return the payable instant a line was born with, whatever became of it."""
    changes = sorted(line.date_changes.all(), key=lambda change: change.pk)
    return changes[0].was_payable_at if changes else line.payable_at


def open_pause(line: Commission) -> Pause | None:
    """Return what keeps a line paused; it comes with the line when the line was read for pages."""
    return next((pause for pause in line.pauses.all() if pause.ended_at is None), None)


def _kept_back(line: Commission, zone: tzinfo) -> Iterator[Moment]:
    """Yield every pause and every move of the payable date, with its reason."""
    for pause in line.pauses.all():
        if pause.ended_at is not None:
            yield pause.paused_at, _("Paused: %(reason)s") % {"reason": pause.reason}, True
            yield pause.ended_at, _("No longer paused"), True
    for change in line.date_changes.all():
        yield change.changed_at, _moved_text(change, zone), True


def _moved_text(change: PayableDateChange, zone: tzinfo) -> str:
    return _("Ready to pay from %(now)s instead of %(was)s: %(reason)s") % {
        "now": texts.day(local_day(change.payable_at, zone)),
        "was": texts.day(local_day(change.was_payable_at, zone)),
        "reason": change.reason,
    }


def _paused_text(line: Commission) -> str:
    pause = open_pause(line)
    if pause is None:
        return _("Paused: %(reason)s") % {"reason": line.pause_reason}
    return _("Paused: %(reason)s Reviewed by %(date)s.") % {
        "reason": f"{pause.reason.rstrip('.')}.",
        "date": texts.day(pause.review_on),
    }


def _computed_text(line: Commission, zone: tzinfo) -> str:
    days = (local_day(first_told(line), zone) - local_day(line.effective_at, zone)).days
    if days <= 0 or not line.amount_minor:
        return _("Commission computed")
    longer = line.because.get("hold")
    if longer:
        return _("Commission computed, on hold for %(days)s days instead of %(usual)s: %(reason)s") % {
            "days": days,
            "usual": longer["usual_days"],
            "reason": longer["reason"],
        }
    text = ngettext(
        "Commission computed, on hold for %(days)s day",
        "Commission computed, on hold for %(days)s days",
        days,
    )
    return text % {"days": days}
