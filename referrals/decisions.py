"""Read the decisions about who is credited for an event, with names, for the operator's own people. Partners are told otherwise: by
`referrals.attribution.words`, without anybody else's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from partners.models import Membership, Partner
from referrals.attribution import words
from referrals.models import AttributionRecord, Click, Code, Conversion, Touch

Names = Mapping[int, str]


@dataclass(frozen=True)
class Seen:
    """One contact and what became of it."""

    partner: Partner
    program: str
    what: str
    at: str
    share: str
    result: str
    sentence: str


@dataclass(frozen=True)
class Decision:
    """A decision: when it was taken, by whom and why if by a person, and every contact, the oldest first."""

    cause: str
    decided_at: datetime
    by: str
    reason: str
    seen: tuple[Seen, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it in plain values."""
        return {
            "cause": self.cause,
            "decided_at": self.decided_at.isoformat(),
            "by": self.by,
            "reason": self.reason,
            "contacts": [
                {
                    "partner": each.partner.name,
                    "program": each.program,
                    "what": each.what,
                    "at": each.at,
                    "share": each.share,
                    "result": each.result,
                    "sentence": each.sentence,
                }
                for each in self.seen
            ],
        }


def decisions_of(conversion: Conversion) -> list[Decision]:
    """Return all decisions about an event, the one that counts first; a refund that names its sale has none of its own."""
    rows = AttributionRecord.objects.filter(conversion=conversion).select_related("decided_by", "program")
    records = list(rows.order_by("-pk"))
    entries = [entry for record in records for entry in record.candidates]
    if not records:
        return []
    members = Membership.objects.select_related("partner", "program").in_bulk(
        {entry["membership"] for entry in entries}
    )
    named = _names(entries)
    return [
        Decision(
            cause=str(record.get_cause_display()),
            decided_at=record.decided_at,
            by=str(record.decided_by) if record.decided_by is not None else "",
            reason=record.reason,
            seen=tuple(_seen(entry, members[entry["membership"]], named) for entry in record.candidates),
        )
        for record in records
    ]


def _seen(entry: Mapping[str, Any], member: Membership, named: Mapping[str, Names]) -> Seen:
    zone = ZoneInfo(member.program.time_zone)
    names = (names.get(entry[source]) for source, names in named.items() if source in entry)
    name = next((name for name in names if name), "")
    kind = words.kind_label(entry["kind"])
    return Seen(
        partner=member.partner,
        program=member.program.name,
        what=f"{kind}: {name}" if name else kind,
        at=words.moment(entry["at"], zone),
        share=words.percent(entry["share"]) if entry["share"] else "–",
        result=words.label(entry["why"]),
        sentence=words.sentence(entry, zone),
    )


def _names(entries: Iterable[Mapping[str, Any]]) -> dict[str, Names]:
    """Return what people call the rows that entries name, by table."""
    wanted: dict[str, set[int]] = {}
    for entry in entries:
        for source in ("code", "click", "touch", "conversion"):
            if source in entry:
                wanted.setdefault(source, set()).add(entry[source])
    queries = {
        "code": (Code.objects, "code"),
        "click": (Click.objects, "link__slug"),
        "touch": (Touch.objects, "reference"),
        "conversion": (Conversion.objects, "external_id"),
    }
    return {
        source: dict(queries[source][0].filter(pk__in=pks).values_list("pk", queries[source][1]))
        for source, pks in wanted.items()
    }
