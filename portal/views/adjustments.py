"""Bonuses and corrections: what people added to a balance or took from it, with the reason and their words. Only what is booked is shown,
the sum is that of the rows, and files stay with staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from payouts.choices import AdjustmentState
from payouts.models import Adjustment
from payouts.models.adjustment import AdjustmentQuerySet
from portal.formats import active_locale
from portal.rooms import Room, enter, show
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import local_day

MOST_ROWS = 500


@dataclass(frozen=True)
class AdjustmentRow:
    """One booked adjustment as the table shows it."""

    day: date
    kind: str
    reason: str
    note: str
    about: str
    month: str
    amount: Money


@require_safe
@enter()
def adjustments(request: HttpRequest, room: Room) -> HttpResponse:
    """List what was added to the balance of the current membership, or taken, newest first."""
    found = (
        booked(room)
        .select_related("posted_in__period", "commission__conversion")
        .order_by("-posted_in__posted_at", "-pk")[:MOST_ROWS]
    )
    rows = [_row(each, room) for each in found]
    return show(
        request,
        room,
        "portal/earnings/adjustments.html",
        nav="earnings",
        rows=rows,
        total=Money.total((row.amount for row in rows), room.program.currency),
    )


def booked(room: Room) -> AdjustmentQuerySet:
    """Return the booked adjustments of the current membership."""
    mine = Adjustment.objects.visible_to(room.user).filter(
        membership=room.membership, state=AdjustmentState.POSTED, currency=room.program.currency
    )
    return mine.distinct()


def _row(found: Adjustment, room: Room) -> AdjustmentRow:
    posted = found.posted_in
    assert posted is not None  # noqa: S101 - the database wants it of what is booked
    line = found.commission
    order = line.conversion.external_id if line is not None and line.conversion is not None else ""
    return AdjustmentRow(
        day=local_day(posted.posted_at, room.zone),
        kind=str(found.get_kind_display()),
        reason=str(found.get_reason_display()),
        note=found.note,
        about=_("About order %(order)s") % {"order": order} if order else "",
        month=l10n.month_text(posted.period.as_month, active_locale()),
        amount=found.amount,
    )
