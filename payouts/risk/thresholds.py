"""Above which figures each kind of signal is raised, in whole numbers, and which kinds a program looks for. What a program does not set has the
value below, which is also what docs/algorithms/risk.md explains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payouts.choices import RiskKind
from payouts.models import RiskSettings
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from prm.accounts.models import User
    from tiers.models import Program

ON = "is_on"


class BadFigure(Refused):
    message = _("Write a whole number from %(least)s to %(most)s.")


class UnknownFigure(Refused):
    message = _("There is no such figure.")


@dataclass(frozen=True)
class Figure:
    """One figure of a kind: what holds unless a program says otherwise, and between which bounds."""

    name: str
    standard: int
    label: StrOrPromise
    least: int = 1
    most: int = 100_000


_CONVERSIONS = _("Conversions at least")
_SHARE = _("Share at least, percent")
_TIMES = _("Times the program's")

FIGURES: dict[str, tuple[Figure, ...]] = {
    RiskKind.SELF_REFERRAL: (Figure("customers", 3, _("Customers who share a means of payment, at least")),),
    RiskKind.CLICK_FLOOD: (Figure("clicks", 30, _("Clicks of one address in an hour, at least")),),
    RiskKind.VELOCITY: (
        Figure("conversions", 10, _CONVERSIONS),
        Figure("clicks", 20, _("Clicks at least")),
        Figure("times", 5, _TIMES, least=2, most=1000),
    ),
    RiskKind.TOO_SOON: (
        Figure("seconds", 10, _("Seconds after the click, fewer than"), most=3600),
        Figure("conversions", 3, _CONVERSIONS),
        Figure("percent", 30, _SHARE, most=100),
    ),
    RiskKind.BOT_SHARE: (
        Figure("hits", 200, _("Hits at least")),
        Figure("percent", 80, _SHARE, most=100),
    ),
    RiskKind.SHARED_ACCOUNT: (),
    RiskKind.SHARED_DEVICE: (Figure("visits", 2, _("Visits of each partner, at least")),),
    RiskKind.LEAKED_CODE: (
        Figure("conversions", 20, _CONVERSIONS),
        Figure("percent", 90, _("Without a click at least, percent"), most=100),
        Figure("points", 40, _("More than before by, percentage points"), most=100),
    ),
    RiskKind.PAID_SEARCH: (Figure("clicks", 5, _("Clicks at least")),),
    RiskKind.DISPOSABLE_MAIL: (
        Figure("customers", 5, _("Customers at least")),
        Figure("percent", 20, _SHARE, most=100),
    ),
    RiskKind.COUNTRY_MISMATCH: (
        Figure("conversions", 10, _CONVERSIONS),
        Figure("percent", 50, _SHARE, most=100),
    ),
    RiskKind.REFUND_RATE: (
        Figure("conversions", 20, _("Sales at least")),
        Figure("percent", 20, _SHARE, most=100),
        Figure("times", 3, _TIMES, least=2, most=1000),
    ),
    RiskKind.PIXEL: (Figure("conversions", 5, _CONVERSIONS),),
    RiskKind.CODE_OVERUSED: (Figure("conversions", 3, _("Attempts at least")),),
}


@dataclass(frozen=True)
class Thresholds:
    """What one program looks for."""

    kept: Mapping[str, Mapping[str, Any]]

    def is_on(self, kind: str) -> bool:
        """Say whether the program looks for `kind`."""
        return bool(self.kept.get(kind, {}).get(ON, True))

    def of(self, kind: str) -> dict[str, int]:
        """Return the figures of `kind` by name."""
        own = self.kept.get(kind, {})
        return {figure.name: int(own.get(figure.name, figure.standard)) for figure in FIGURES[kind]}


STANDARD = Thresholds({})


def thresholds_of(programs: Iterable[Program]) -> dict[int, Thresholds]:
    """Return what each program looks for; one query."""
    wanted = [program.pk for program in programs]
    own = {row.program_id: row for row in RiskSettings.objects.filter(program__in=wanted)}
    return {pk: Thresholds(own[pk].thresholds) if pk in own else STANDARD for pk in wanted}


@transaction.atomic
def change(
    program: Program, given: Mapping[str, Mapping[str, Any]], *, by: User, at: datetime
) -> RiskSettings:
    """Set what a program looks for; a kind or figure that is not given has its standard.

    Raises: Forbidden, UnknownFigure, BadFigure.
    """
    policy.require(by, "manage_risk")
    kept = {str(kind): _checked(kind, figures) for kind, figures in given.items()}
    before = RiskSettings.objects.filter(program=program).values_list("thresholds", flat=True).first()
    row, _made = RiskSettings.objects.update_or_create(
        program=program, defaults={"thresholds": kept, "changed_at": at, "changed_by": by}
    )
    audit.record(by, "risk_settings.changed", program, at=at, before=before or {}, after=kept)
    return row


def _checked(kind: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    known = {figure.name: figure for figure in FIGURES.get(kind, ())}
    if kind not in FIGURES or set(figures) - {*known, ON}:
        raise UnknownFigure
    kept: dict[str, Any] = {ON: bool(figures.get(ON, True))}
    for name, figure in known.items():
        value = figures.get(name, figure.standard)
        if isinstance(value, bool) or not isinstance(value, int) or not figure.least <= value <= figure.most:
            raise BadFigure(field=f"{kind}_{name}", params={"least": figure.least, "most": figure.most})
        kept[name] = value
    return kept
