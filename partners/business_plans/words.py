"""How goals and their figures are written: names, amounts and where a goal stands, in the reader's language. Both sides and every file use
these and no others."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from prm.lib import l10n
from prm.lib.money import Money, round_half_away
from tiers.targets import GOALS, is_money

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# Counted as it stands at a moment: nothing of it belongs to a part of a year.
STANDING_METRICS = frozenset({"certified_count"})


class Stands(StrEnum):
    """Where a goal stands."""

    NOT_BEGUN = "not_begun"
    ON_TRACK = "on_track"
    BEHIND = "behind"
    REACHED = "reached"
    MISSED = "missed"
    UNKNOWN = "unknown"


STANDS: dict[str, StrOrPromise] = {
    Stands.NOT_BEGUN: gettext_lazy("Not begun"),
    Stands.ON_TRACK: gettext_lazy("On track"),
    Stands.BEHIND: gettext_lazy("Behind"),
    Stands.REACHED: gettext_lazy("Reached"),
    Stands.MISSED: gettext_lazy("Missed"),
    Stands.UNKNOWN: gettext_lazy("No figure yet"),
}


def label_of(metric: str) -> str:
    """Return the name of what is to be reached."""
    return str(GOALS.get(metric, metric))


def whole(value: Fraction) -> int:
    """Return a figure without fractions, as it is written."""
    return round_half_away(value)


def figure_text(metric: str, value: Fraction | int | None, currency: str, locale: str) -> str:
    """Write a figure in the unit of its goal."""
    if value is None:
        return _("unknown")
    number = whole(Fraction(value))
    if is_money(metric):
        return l10n.money_text(Money(number, currency), locale)
    return l10n.number_text(number, locale)


def plain_figure(metric: str, value: Fraction | int | None, currency: str) -> str:
    """Write a figure for a spreadsheet: digits with a decimal point, nothing for an unknown one."""
    if value is None:
        return ""
    number = whole(Fraction(value))
    return str(Money(number, currency).decimal()) if is_money(metric) else str(number)
