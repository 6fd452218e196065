"""Look at what happened and raise signals: of the last days again and again, and of conversions the moment they are credited. Running it twice
raises nothing twice; what is severe opens a case by itself, everything else waits for a person."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import translation

from partners.models import Membership
from payouts.choices import RiskCaseState, RiskKind, RiskSeverity
from payouts.models import RiskCase, RiskSignal
from payouts.risk import cases, deciding
from payouts.risk.common import CaseIsOpen, NoSignals, lock
from payouts.risk.detectors import AT_ONCE, DETECTORS, Look, Signal
from payouts.risk.thresholds import Thresholds, thresholds_of
from payouts.risk.words import rank, reason_of
from prm import audit
from prm.lib.periods import local_day, working_day_after
from referrals.models import Credit
from tiers.models import Program

logger = logging.getLogger(__name__)

SPAN = timedelta(days=7)
SPANS = {RiskKind.REFUND_RATE.value: timedelta(days=60)}
REVIEW_DAYS = 7  # working days in which a case the monitor opens is to be decided


@dataclass
class Watched:
    """What a look brought."""

    signals: int = 0
    cases: int = 0
    lines: int = 0
    by_kind: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failed: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the figures for a command."""
        return {
            "signals": self.signals,
            "cases": self.cases,
            "lines_paused": self.lines,
            "by_kind": dict(sorted(self.by_kind.items())),
            "failed": self.failed,
        }


def watch(*, at: datetime, program: Program | None = None, span: timedelta = SPAN) -> Watched:
    """Look at the last days of every program, or of one, and carry on what open and confirmed cases began."""
    done = Watched()
    programs = [program] if program is not None else list(Program.objects.order_by("pk"))
    wanted = thresholds_of(programs)
    for each in programs:
        for kind in DETECTORS:
            _look(kind, each, wanted[each.pk], done, at=at, span=span)
    _open_for_severe(programs, done, at=at)
    _carry_on(programs, done, at=at)
    return done


def watch_conversions(conversion_ids: Collection[int], *, at: datetime) -> Watched:
    """Look at conversions just credited, by the detectors that need no more than one; lines of open cases wait as well."""
    done = Watched()
    ids = tuple(sorted(conversion_ids))
    members = Credit.objects.standing().filter(conversion__in=ids).values("membership")
    programs = list(Program.objects.filter(memberships__in=members).distinct().order_by("pk"))
    wanted = thresholds_of(programs)
    for program in programs:
        for kind in AT_ONCE:
            _look(kind, program, wanted[program.pk], done, at=at, span=SPAN, conversion_ids=ids)
    _open_for_severe(programs, done, at=at)
    return done


def _look(
    kind: str,
    program: Program,
    thresholds: Thresholds,
    done: Watched,
    *,
    at: datetime,
    span: timedelta,
    conversion_ids: tuple[int, ...] = (),
) -> None:
    if not thresholds.is_on(kind):
        return
    since = at - max(span, SPANS.get(kind, span))
    look = Look(program, since, at, thresholds, conversion_ids)
    try:
        seen = list(DETECTORS[kind](look))
    except Exception:
        # One detector that fails must not hide what the others see; the next look tries again.
        logger.exception("The detector %s failed for program %s.", kind, program.pk)
        done.failed.append(f"{kind}:{program.pk}")
        return
    for signal in _raise(seen, since=since, at=at):
        done.signals += 1
        done.by_kind[signal.kind] += 1


def _raise(seen: Iterable[Signal], *, since: datetime, at: datetime) -> list[RiskSignal]:
    """Write the signals nobody has seen, one by one, and return them."""
    seen = list(seen)
    if not seen:
        return []
    prints = {each.fingerprint for each in seen}
    known = set(RiskSignal.objects.filter(fingerprint__in=prints).values_list("kind", "fingerprint"))
    lately = _lately(seen, since=since)
    made = []
    for each in seen:
        if (each.kind, each.fingerprint) in known:
            continue
        if each.goes_on and lately.get((each.membership_id, each.kind, _of(each)), -1) >= rank(each.severity):
            continue  # a burst is told once, though it lies in two weeks
        try:
            with transaction.atomic():
                signal = RiskSignal.objects.create(
                    membership_id=each.membership_id,
                    kind=each.kind,
                    severity=each.severity,
                    rule_version=each.rule_version,
                    fingerprint=each.fingerprint,
                    evidence=each.evidence,
                    conversion_id=each.conversion_id,
                    detected_at=at,
                )
                audit.record(
                    None, "risk_signal.raised", signal, at=at, kind=each.kind, severity=each.severity
                )
        except IntegrityError:
            continue  # another worker saw the same at the same time
        made.append(signal)
    return made


def _lately(seen: Iterable[Signal], *, since: datetime) -> dict[tuple[int, str, object], int]:
    """Return the worst severity of what was raised in the span, by membership, kind and code."""
    members, kinds = {each.membership_id for each in seen}, {each.kind for each in seen}
    rows = RiskSignal.objects.filter(membership__in=members, kind__in=kinds, detected_at__gt=since)
    found: dict[tuple[int, str, object], int] = {}
    for row in rows:
        key = (row.membership_id, row.kind, row.evidence.get("code_id"))
        found[key] = max(found.get(key, -1), rank(row.severity))
    return found


def _of(signal: Signal) -> object:
    return signal.evidence.get("code_id")


def _open_for_severe(programs: Collection[Program], done: Watched, *, at: datetime) -> None:
    """Open a case for each membership with severe signals nobody has seen, or add them to the one that is open."""
    severe = RiskSignal.objects.unseen().filter(severity=RiskSeverity.HIGH, membership__program__in=programs)
    waiting: dict[int, list[RiskSignal]] = defaultdict(list)
    for signal in severe.order_by("pk"):
        waiting[signal.membership_id].append(signal)
    members = Membership.objects.filter(pk__in=waiting).select_related("program", "partner").order_by("pk")
    for membership in members:
        try:
            with transaction.atomic():
                done.cases += _into_case(membership, waiting[membership.pk], at=at)
        except (NoSignals, CaseIsOpen):
            continue  # a person was quicker


def _into_case(membership: Membership, signals: list[RiskSignal], *, at: datetime) -> int:
    lock(membership.pk)
    case = RiskCase.objects.open().filter(membership=membership).first()
    if case is not None:
        cases.add_signals(case, signals, by=None, at=at)
        return 0
    with translation.override(membership.partner.language):
        reason = reason_of((signal.kind, signal.severity) for signal in signals)
    day = working_day_after(local_day(at, membership.program.zone), REVIEW_DAYS)
    cases.open_case(membership, signals, reason=reason, review_on=day, by=None, at=at)
    return 1


def _carry_on(programs: Collection[Program], done: Watched, *, at: datetime) -> None:
    """Let new lines of open cases wait, and finish what a confirmed case was interrupted in."""
    for case in RiskCase.objects.open().filter(membership__program__in=programs).order_by("pk"):
        done.lines += cases.follow_lines(case, at=at)
    unfinished = RiskCase.objects.filter(
        state=RiskCaseState.CONFIRMED,
        membership__program__in=programs,
        lines__pause__isnull=False,
        lines__pause__ended_at=None,
    )
    for case in unfinished.distinct().order_by("pk"):
        try:
            deciding.settle(case, at=at)
        except Exception:
            logger.exception("What case %s took away could not be reversed yet.", case.public_id)
            done.failed.append(f"settle:{case.public_id}")
