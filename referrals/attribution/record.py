"""Keep each decision with every contact it was made over: what it was, whose, when, its share, and the reason with its figures. What is
written is never changed; who is credited by hand adds another record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from prm.lib.bulk import BulkWriter
from referrals.attribution.candidates import Candidate
from referrals.attribution.rule import Verdict
from referrals.attribution.why import EARNS, Why
from referrals.choices import AttributionCause
from referrals.models import AttributionRecord, Conversion

Entry = dict[str, Any]
Resolve = Callable[[Candidate], int]
"""Returns the primary key of a contact that had none when it was judged."""

_FIELDS = (
    "conversion_id",
    "program_id",
    "version_id",
    "cause",
    "candidates",
    "reason",
    "decided_at",
    "decided_by_id",
)


class Row(NamedTuple):
    """A decision about an event that is being recorded."""

    conversion: int
    program: int | None
    version: int | None
    verdicts: Sequence[Verdict]


def entry_of(verdict: Verdict, *, resolve: Resolve) -> Entry:
    """Return a verdict as it is stored."""
    one = verdict.candidate
    return {
        "kind": one.kind,
        "membership": one.earner.membership_id,
        "at": one.at.astimezone(UTC).isoformat(),
        one.source: one.pk if one.key is None else resolve(one),
        "share": None if verdict.share is None else f"{verdict.share:.6f}",
        "why": verdict.why.value,
        "with": dict(verdict.figures),
    }


def write(rows: Iterable[Row], *, resolve: Resolve, at: datetime) -> None:
    """Write decisions about new events in one statement; those without any contact have none."""
    recorded = AttributionCause.RECORDED.value
    BulkWriter(AttributionRecord, _FIELDS).write(
        (
            row.conversion,
            row.program,
            row.version,
            recorded,
            [entry_of(verdict, resolve=resolve) for verdict in row.verdicts],
            "",
            at,
            None,
        )
        for row in rows
        if row.verdicts
    )


def latest(conversion: Conversion) -> AttributionRecord | None:
    """Return the decision about an event that counts."""
    return AttributionRecord.objects.filter(conversion=conversion).order_by("-pk").first()


def by_hand(
    conversion: Conversion,
    credited: Mapping[int, tuple[str, str]],
    *,
    program: int | None,
    reason: str,
    by: int,
    at: datetime,
) -> AttributionRecord:
    """Add the record of a correction. `credited` are memberships with their share and role; what was seen before stays in it, and what had
    earned has been overruled."""
    before = latest(conversion)
    seen = [_overruled(entry) for entry in before.candidates] if before is not None else []
    decided = [
        {
            "kind": "person",
            "membership": membership,
            "at": at.astimezone(UTC).isoformat(),
            "share": share,
            "why": Why.BY_HAND.value,
            "with": {"role": role},
        }
        for membership, (share, role) in credited.items()
    ]
    return AttributionRecord.objects.create(
        conversion=conversion,
        program_id=program,
        version=before.version if before is not None else None,
        cause=AttributionCause.CORRECTED,
        candidates=[*(entry for entry in seen if entry["kind"] != "person"), *decided],
        reason=reason[:500],
        decided_at=at,
        decided_by_id=by,
    )


def _overruled(entry: Entry) -> Entry:
    if entry["why"] not in EARNS:
        return entry
    return {**entry, "share": None, "why": Why.OVERRULED.value}
