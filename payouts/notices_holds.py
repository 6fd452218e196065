"""Tell the people who look after a partner's money what keeps it back: a pause, its end, or another payable date. They are told at once, with the
reason and the day by which somebody looks again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from partners.readers import Reader, readers_of
from payouts import ledger
from payouts.explained import subject
from payouts.notices import button, money, tell
from prm.lib import l10n
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from payouts.models import Commission, Pause, PayableDateChange

LINES_SHOWN = 20


def tell_paused(pause: Pause) -> None:
    """Say that a line, or every payment, waits, why, and until when somebody looks at it."""
    program = pause.membership.program
    kind = "line_paused" if pause.commission is not None else "payments_paused"
    for reader in readers_of(pause.membership.partner):
        context = {
            "program": program.name,
            "reason": pause.reason,
            "review_on": l10n.date_text(pause.review_on, reader.locale, "long"),
            **_of_line(pause.commission, reader),
        }
        tell(kind, reader, key=pause.public_id, about=pause.public_id, context=context)


def tell_pause_ended(pause: Pause, *, at: datetime) -> None:
    """Say that nothing waits any more for this reason, and when a line is ready to pay."""
    line, zone = pause.commission, pause.membership.program.zone
    for reader in readers_of(pause.membership.partner):
        context = {"program": pause.membership.program.name, "is_line": line is not None}
        if line is not None:
            # A line whose date has come is released by the next night's work.
            day = max(local_day(line.payable_at, zone), local_day(at, zone))
            context |= _of_line(line, reader) | {"ready_on": l10n.date_text(day, reader.locale, "long")}
        else:
            context |= _of_line(None, reader)
        tell("pause_ended", reader, key=pause.public_id, about=pause.public_id, context=context)


def tell_date_moved(changes: Sequence[PayableDateChange]) -> None:
    """Say that lines of one membership are ready to pay on another day: which, from when to when, and why."""
    first = changes[0]
    membership = first.commission.membership
    name = ledger.name_of(change.pk for change in changes)
    for reader in readers_of(membership.partner):
        context = {
            "program": membership.program.name,
            "reason": first.reason,
            "count": len(changes),
            "new_day": _day(first, first.payable_at, reader),
            "lines": [_moved(change, reader) for change in changes[:LINES_SHOWN]],
            "more": max(0, len(changes) - LINES_SHOWN),
            **button(_("See your earnings"), "/portal/earnings/"),
        }
        tell("payable_date_moved", reader, key=name, about=membership.public_id, context=context)


def _moved(change: PayableDateChange, reader: Reader) -> dict[str, str]:
    line = change.commission
    return {
        "order": _title(line, reader),
        "amount": money(line.amount_minor, line.currency, reader),
        "was": _day(change, change.was_payable_at, reader),
        "now": _day(change, change.payable_at, reader),
    }


def _of_line(line: Commission | None, reader: Reader) -> dict[str, Any]:
    if line is None:
        return button(_("See your earnings"), "/portal/earnings/")
    return {
        "order": _title(line, reader),
        "amount": money(line.amount_minor, line.currency, reader),
        **button(_("See this line"), f"/portal/earnings/{line.public_id}/"),
    }


def _title(line: Commission, reader: Reader) -> str:
    with translation.override(reader.language):
        return subject.title_text(line, line.membership.program.zone)


def _day(change: PayableDateChange, instant: datetime, reader: Reader) -> str:
    zone = change.commission.membership.program.zone
    return l10n.date_text(local_day(instant, zone), reader.locale, "long")
