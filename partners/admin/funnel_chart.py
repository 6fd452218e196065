"""Draw the way from a visit to an approval as bars, one for each stage, from one line at the left. Lengths are whole SVG units made from
counts, and every bar says its stage, its count and its part in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from partners.funnel import Stage
from prm.accounts.back_office import locale
from prm.lib import l10n

_WIDTHS = (("wide", 720), ("narrow", 360))
ROW, TALL, LABEL = 46, 18, 14
_FIGURES = 110  # room right of the longest bar


@dataclass(frozen=True)
class Bar:
    label: str
    value: str
    said: str
    y: int
    text_y: int
    value_x: int
    value_y: int
    length: int


@dataclass(frozen=True)
class Plot:
    """One drawing; there is one for wide and one for narrow screens."""

    name: str
    width: int
    height: int
    tall: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Chart:
    """All stages, drawn for both widths."""

    title: str
    plots: tuple[Plot, ...]


def chart(stages: Sequence[Stage]) -> Chart | None:
    """Return the drawing, None when nothing happened."""
    if not any(stage.count for stage in stages):
        return None
    plots = tuple(_plot(stages, name, width) for name, width in _WIDTHS)
    return Chart(title=_("From a visit to an approval"), plots=plots)


def share_text(stage: Stage) -> str:
    """Return the part of the stage before in the reader's figures, nothing for the first."""
    return "" if stage.share is None else l10n.percent_text(stage.share, locale())


def _plot(stages: Sequence[Stage], name: str, width: int) -> Plot:
    highest = max(stage.count for stage in stages)
    room = width - _FIGURES
    bars = []
    for number, stage in enumerate(stages):
        length = max(room * stage.count // highest, 2 if stage.count else 0)
        top = number * ROW
        count = l10n.number_text(stage.count, locale())
        share = share_text(stage)
        bars.append(
            Bar(
                label=str(stage.label),
                value=f"{count} ({share})" if share else count,
                said=_said(str(stage.label), count, share),
                y=top + LABEL + 4,
                text_y=top + LABEL,
                value_x=length + 8,
                value_y=top + LABEL + TALL,
                length=length,
            )
        )
    return Plot(name=name, width=width, height=len(stages) * ROW, tall=TALL, bars=tuple(bars))


def _said(label: str, count: str, share: str) -> str:
    values = {"stage": label, "count": count, "share": share}
    if share:
        return _("%(stage)s: %(count)s, %(share)s of the stage before") % values
    return _("%(stage)s: %(count)s") % values
