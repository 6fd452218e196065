"""Print an explanation of the engine in pages that have no stored line: the simulator of the back office, and its page of a commission. It is
the same text the portal prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils.translation import gettext as _

from payouts.explained import reasons
from payouts.explained.facts import Row
from payouts.explained.rows import rows_of
from prm.lib.money import Money

register = template.Library()


@dataclass(frozen=True)
class Line:
    """One line of the answer: its calculation, adding up to its amount."""

    title: str
    figures: tuple[Row, ...]
    amount: Money


@dataclass(frozen=True)
class Calculation:
    """What an event earns: its lines, their sum, and why other rules gave nothing."""

    lines: tuple[Line, ...]
    amount: Money
    not_applied: tuple[str, ...]
    outcome: str = ""


@register.simple_tag
def calculation(because: Mapping[str, Any], zone: str) -> Calculation:
    """Return an explanation ready to print; `because` is that of one line, or of an event with its lines."""
    is_event = "outcome" in because
    lines = because["lines"] if is_event else [because]
    missed = because["checked_not_applied"] if is_event else []
    return Calculation(
        lines=tuple(
            Line(
                title=_("Commission by “%(rule)s”") % {"rule": line["rule"]["name"]},
                figures=rows_of(line, ZoneInfo(zone), for_staff=True),
                amount=Money(line["amount"], line["currency"]),
            )
            for line in lines
        ),
        amount=Money(because["amount"], because["currency"]),
        not_applied=tuple(reasons.not_applied(tried, for_staff=True) for tried in missed),
        outcome=reasons.outcome(because["outcome"]) if is_event else "",
    )
