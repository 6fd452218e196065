"""What detectors share: what they look at, and what they answer with. A detector only reads, in a number of queries that does not grow with
the rows; evidence is figures, thresholds and ids of our own rows, never an address or a name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from payouts.choices import RiskSeverity
from payouts.risk.thresholds import STANDARD, Thresholds
from referrals.choices import ConversionState, CreditRole
from referrals.models import Click, Credit
from tiers.choices import EventKind

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from referrals.models.click import ClickQuerySet
    from tiers.models import Program

RULE_VERSION = 1
SHOWN = 500  # ids of rows behind a signal
LOW, MEDIUM, HIGH = RiskSeverity.LOW.value, RiskSeverity.MEDIUM.value, RiskSeverity.HIGH.value
BROUGHT = (EventKind.SALE, EventKind.RENEWAL, EventKind.SIGNUP, EventKind.QUALIFIED_LEAD, EventKind.INSTALL)
TAKEN_BACK = (EventKind.REFUND, EventKind.CHARGEBACK)


@dataclass(frozen=True)
class Look:
    """What is looked at: what happened in a program in `[since, until)`, or only the conversions named."""

    program: Program
    since: datetime
    until: datetime
    thresholds: Thresholds = STANDARD
    conversion_ids: tuple[int, ...] = ()

    def of(self, kind: str) -> dict[str, int]:
        """Return the figures of a kind."""
        return self.thresholds.of(kind)

    def credits(self) -> QuerySet[Credit]:
        """Return the credits that count, for what was brought rather than taken back."""
        found = Credit.objects.standing().filter(
            membership__program=self.program, conversion__kind__in=BROUGHT
        )
        found = found.exclude(role=CreditRole.ASSISTED).exclude(conversion__state=ConversionState.REJECTED)
        if self.conversion_ids:
            return found.filter(conversion__in=self.conversion_ids)
        return found.filter(occurred_at__gte=self.since, occurred_at__lt=self.until)

    def clicks(self) -> ClickQuerySet:
        """Return the hits on the program's links, of every kind."""
        return Click.objects.filter(
            link__membership__program=self.program, clicked_at__gte=self.since, clicked_at__lt=self.until
        )

    @property
    def span(self) -> dict[str, str]:
        """Return the stretch of time for the evidence."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat()}

    @property
    def week(self) -> str:
        """Name the week it is about: what goes on is signalled once a week."""
        year, week, _day = self.until.isocalendar()
        return f"{year}-W{week:02d}"


@dataclass(frozen=True)
class Signal:
    """What a detector saw. Of two with the same `about` of one kind the second says nothing new."""

    membership_id: int
    kind: str
    severity: str
    about: tuple[object, ...]
    evidence: dict[str, Any] = field(default_factory=dict)
    conversion_id: int | None = None
    goes_on: bool = False  # about a stretch of time: as long as that lasts, it is not said again
    rule_version: int = RULE_VERSION

    @property
    def fingerprint(self) -> str:
        """Return what makes it the same signal."""
        said = "|".join(str(part) for part in (self.membership_id, *self.about))
        return hashlib.sha256(said.encode()).hexdigest()


Detector = Callable[[Look], Iterable[Signal]]


def of_week(look: Look, membership_id: int, kind: str, severity: str, **evidence: Any) -> Signal:
    """Return a signal about a partner as a whole: once a week, and once more when it gets more severe."""
    return Signal(
        membership_id,
        kind,
        severity,
        (look.week, severity),
        {**evidence, **look.span, "thresholds": look.of(kind)},
        goes_on=True,
    )


def percent(part: int, whole: int) -> int:
    """Return a share in whole percent, rounded down."""
    return part * 100 // whole if whole else 0
