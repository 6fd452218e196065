"""The lines of a statement on its page, with the running total from the opening balance to the closing one. A line of a commission leads
to its reason; another one says in words what it is."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from payouts.choices import CommissionKind
from payouts.explained.listed import kind_label, why
from payouts.models import Statement, StatementLine
from portal.formats import active_locale
from portal.rooms import Room
from portal.views.pages import BalanceRow, Pages, StatementLineRow
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import local_day

LINES_SHOWN = 100
_NAME_A_CUSTOMER = (CommissionKind.EARNED, CommissionKind.REFUND)


def shown(found: Statement, room: Room, *, skip: int) -> tuple[StatementLineRow, ...]:
    """Return the lines after the first `skip`, as many as a page holds."""
    ordered = found.lines.order_by("position").select_related("commission")
    shown = list(ordered.filter(position__gt=skip)[:LINES_SHOWN])
    before = (
        found.lines.filter(position__lte=skip).aggregate(minor=Sum("amount_minor"))["minor"] if skip else 0
    )
    running, rows = found.opening_minor + (before or 0), []
    for line in shown:
        running += line.amount_minor
        rows.append(_line_row(line, found, room, running))
    return tuple(rows)


def opening(found: Statement) -> BalanceRow:
    """Return the row the list begins with."""
    opening = Money(found.opening_minor, found.currency)
    return BalanceRow(_("Opening balance"), opening, opening)


def _line_row(line: StatementLine, found: Statement, room: Room, running: int) -> StatementLineRow:
    return StatementLineRow(
        day=local_day(line.occurred_at, room.zone),
        order=line.order_id if line.commission_id is not None else "",
        customer=_customer_text(line),
        note=_line_note(line, room),
        base=Money(line.base_minor, found.currency) if line.base_minor else None,
        rate=_rate_text(line, found.currency),
        amount=Money(line.amount_minor, found.currency),
        running=Money(running, found.currency),
        href=reverse("portal:commission", args=[line.commission.public_id]) if line.commission else "",
    )


def _customer_text(line: StatementLine) -> str:
    """Return the customer; nothing for a line no event earns, or of a recruit's customer, who is nobody's to know."""
    if line.customer:
        return _("Customer %(masked)s") % {"masked": line.customer}
    is_of_a_customer = line.commission_id is not None and line.kind in _NAME_A_CUSTOMER
    return _("Customer not named") if is_of_a_customer else ""


def _line_note(line: StatementLine, room: Room) -> str:
    if line.commission_id is None:
        parts = [why(line, room.zone)]
    else:
        parts = [kind_label(line)] if line.kind != CommissionKind.EARNED else []
    if line.from_earlier_period:
        parts.append(_("from an earlier month"))
    return ", ".join(parts)


def _rate_text(line: StatementLine, currency: str) -> str:
    percent = l10n.percent_text(line.rate / Decimal(100), active_locale()) if line.rate else ""
    flat = _money(Money(line.flat_minor, currency)) if line.flat_minor else ""
    return " + ".join(part for part in (percent, flat) if part)


def pages(found: Statement, skip: int, shown: int) -> Pages | None:
    """Return the way to the other lines, when a page does not hold all."""
    if found.line_count <= LINES_SHOWN:
        return None
    here = reverse("portal:statement", args=[found.public_id])
    last = skip + shown
    return Pages(
        first=skip + 1,
        last=last,
        total=found.line_count,
        previous_url=f"{here}?after={max(0, skip - LINES_SHOWN)}#lines" if skip else "",
        next_url=f"{here}?after={last}#lines" if last < found.line_count else "",
    )


def _money(money: Money) -> str:
    return l10n.money_text(money, active_locale())
