"""Say what a line of a statement is, whether a commission or something else that moved the balance. Every place that lists lines asks
here, so that one line has one name."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from payouts.choices import CommissionKind, MoveKind
from payouts.explained.line import is_plain, one_line
from payouts.models import StatementLine


def kind_label(line: StatementLine) -> str:
    """Return what the line is, in the language that is active."""
    kinds = MoveKind if line.commission_id is None else CommissionKind
    return str(kinds(line.kind).label)


def needs_explaining(line: StatementLine) -> bool:
    """Tell whether base and rate do not show how the amount of a commission came about."""
    return line.commission is not None and not is_plain(line.commission.because)


def why(line: StatementLine, zone: ZoneInfo) -> str:
    """Return in one line why the amount is what it is."""
    if line.commission is not None:
        return one_line(line.commission, zone)
    if line.kind == MoveKind.VAT and line.order_id:
        return _("VAT corrected with statement %(number)s") % {"number": line.order_id}
    return f"{kind_label(line)}: {line.order_id}" if line.order_id else kind_label(line)
