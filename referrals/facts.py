"""What a source tells about one business event, and what became of it. Two tellings of an event are the same when their fingerprints are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from prm.lib.errors import Refused
from prm.lib.money import Money
from tiers.choices import EventKind

Key = tuple[str, str]
Attribute = str | int | bool

# What takes a sale back, and what gives it back: these name another event and come after it.
TAKES_BACK = frozenset({EventKind.REFUND, EventKind.CHARGEBACK})
GIVES_BACK = EventKind.CHARGEBACK_WON
MOVES = TAKES_BACK | {GIVES_BACK}


@dataclass(frozen=True, slots=True)
class Event:
    """One business event as a source tells it; `code` is folded to capitals, texts are trimmed by whoever reads them.

    Tax, shipping and discount are parts of the amount, in its minor units; cost is what the goods cost the operator.
    A quantity nobody told is one piece for a sale and none for what takes one back.
    """

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
    product: str = ""
    category: str = ""
    quantity: int | None = None
    tax_minor: int = 0
    shipping_minor: int = 0
    discount_minor: int = 0
    cost_minor: int = 0
    sub_id: str = ""
    deal: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict, hash=False)

    @property
    def pieces(self) -> int:
        """Return how many pieces the event is about."""
        if self.quantity is not None:
            return self.quantity
        return 0 if self.kind in MOVES else 1

    @property
    def key(self) -> Key:
        """Return what tells this event from every other one."""
        return self.source, self.external_id

    @property
    def original_key(self) -> Key:
        """Return the key of the event a refund or chargeback names; they come from one source."""
        return self.source, self.original_external_id

    def fingerprint(self) -> str:
        """Return 64 hexadecimal characters that are equal for equal facts, whatever the time zone they were written in."""
        facts: list[object] = [
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
        if further := self._further():
            facts.append(further)
        text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def _further(self) -> dict[str, object]:
        """Return the facts an event need not have, those it has: one without any keeps the fingerprint it always had."""
        facts: dict[str, object] = {
            "product": self.product,
            "category": self.category,
            "tax": self.tax_minor,
            "shipping": self.shipping_minor,
            "discount": self.discount_minor,
            "cost": self.cost_minor,
            "sub_id": self.sub_id,
            "deal": self.deal,
            "attributes": dict(sorted(self.attributes.items())),
        }
        told = {name: fact for name, fact in facts.items() if fact}
        untold = 0 if self.kind in MOVES else 1
        return told if self.pieces == untold else {**told, "quantity": self.pieces}


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
