"""What a source tells about one business event, and what became of it. Two tellings of an event are the same when their fingerprints are."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from prm.lib.errors import Refused
from prm.lib.money import Money

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Event:
    """One business event as a source tells it; `code` is folded to capitals, texts are trimmed by whoever reads them."""

    source: str
    external_id: str
    kind: str
    occurred_at: datetime
    amount: Money
    customer_id: str = ""
    country: str = ""
    code: str = ""
    click_id: str = ""
    original_external_id: str = ""

    @property
    def key(self) -> Key:
        """Return what tells this event from every other one."""
        return self.source, self.external_id

    @property
    def original_key(self) -> Key:
        """Return the key of the sale a refund names; sales and their refunds come from one source."""
        return self.source, self.original_external_id

    def fingerprint(self) -> str:
        """Return 64 hexadecimal characters that are equal for equal facts, whatever the time zone they were written in."""
        facts = [
            self.source,
            self.external_id,
            self.kind,
            self.occurred_at.astimezone(UTC).isoformat(),
            self.amount.minor,
            self.amount.currency,
            self.customer_id,
            self.country,
            self.code,
            self.click_id,
            self.original_external_id,
        ]
        text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class Status(StrEnum):
    """What became of an event."""

    CREATED = "created"
    REPLAYED = "replayed"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one event, in the order the events were given; `refusal` says why nothing was stored."""

    status: Status
    conversion_id: int | None = None
    public_id: str = ""
    refusal: Refused | None = None
    is_credited: bool = False
    is_waiting: bool = False
