"""Put a commission line into the words of a page: who bought, through what, what it earned and where the money is. Customers are
only ever shown masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo

from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _

from payouts.choices import CommissionKind, CommissionState
from payouts.explained import story, subject
from payouts.models import Commission, Pause, Payment
from portal.formats import active_locale, day_text
from portal.status import StatusWord, commission_status
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import Month, local_day

READ_WITH = (*subject.READ_WITH, "statement__period", "released_in__period")


@dataclass(frozen=True)
class CommissionRow:
    """One line as tables show it; `sale` is missing where no event earns."""

    day: date
    order: str
    customer: str
    detail: str
    sale: Money | None
    amount: Money
    href: str
    status: StatusWord


def readable(lines: QuerySet[Commission]) -> QuerySet[Commission]:
    """Return lines with all that `row` reads."""
    mine = Pause.objects.open().filter(commission=OuterRef("pk"))
    return lines.select_related(*READ_WITH).annotate(review_on=Subquery(mine.values("review_on")[:1]))


def rows(
    lines: Iterable[Commission], zone: tzinfo, payments: Iterable[Payment] | None = None
) -> list[CommissionRow]:
    """Return lines as table rows; unless the payments are at hand, one query finds those the lines belong to."""
    found = list(lines)
    by_statement = story.payments_of(found) if payments is None else story.living(payments)
    return [row(line, zone, by_statement) for line in found]


def row(line: Commission, zone: tzinfo, payments: Mapping[int, Payment]) -> CommissionRow:
    """Return one line as a table row."""
    return CommissionRow(
        day=local_day(line.effective_at, zone),
        order=subject.order_text(line),
        customer=subject.who_text(line, zone),
        detail=subject.detail_text(line),
        sale=subject.signed_sale(line),
        amount=line.amount,
        href=reverse("portal:commission", args=[line.public_id]),
        status=status_of(line, zone, payments),
    )


def status_of(line: Commission, zone: tzinfo, payments: Mapping[int, Payment]) -> StatusWord:
    """Return where a line stands, with the date or the statement that goes with it."""
    if not line.amount_minor:
        return commission_status("nothing_due")
    payment = payments.get(line.statement_id or 0)
    month = _statement_month(line)
    plain = commission_status(
        line.state,
        until=local_day(line.payable_at, zone),
        month=month,
        sent_on=_day(payment.sent_at, zone) if payment else None,
        paid_on=_day(payment.settled_at, zone) if payment else None,
        review_by=_review_day(line),
        reason=line.pause_reason,
        reference=payment.end_to_end_id if payment else "",
    )
    if line.amount_minor >= 0:
        is_of_a_month = line.conversion is None and line.state == CommissionState.ON_HOLD
        return replace(plain, help="") if is_of_a_month else plain  # no customer can ask for it back
    word = "recovered" if line.kind == CommissionKind.RECOVERY else "reversed"
    return replace(commission_status(word), help=_taken_back_text(line, zone, month))


def _review_day(line: Commission) -> date | None:
    if line.state != CommissionState.PAUSED:
        return None
    if hasattr(line, "review_on"):  # it came with the rows of a table
        found: date | None = line.review_on
        return found
    pause = story.open_pause(line)
    return pause.review_on if pause is not None else None


def _statement_month(line: Commission) -> Month | None:
    if line.statement is not None:
        return line.statement.period.as_month
    return line.released_in.period.as_month if line.released_in is not None else None


def _taken_back_text(line: Commission, zone: tzinfo, month: Month | None) -> str:
    if line.state == CommissionState.ON_HOLD:
        day = day_text(local_day(line.payable_at, zone))
        return _("Taken from what is ready to pay on %(date)s") % {"date": day}
    if month is not None:
        name = l10n.month_text(month, active_locale(), "name")
        return _("Taken off the %(month)s statement") % {"month": name}
    return ""


def _day(instant: datetime | None, zone: tzinfo) -> date | None:
    return local_day(instant, zone) if instant is not None else None
