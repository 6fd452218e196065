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
class EventLine:
    """One product of an order, at its gross price."""

    amount_minor: int
    product: str = ""
    category: str = ""
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Buyer:
    """What is known of the buyer besides the shop's id, as keys of `referrals.identity`; `address_hash` has the key of its day."""

    email_key: str = ""
    mailbox_key: str = ""
    domain_key: str = ""
    vat_key: str = ""
    payment_key: str = ""
    address_hash: str = ""
    has_disposable_mail: bool = False


NOBODY_KNOWN = Buyer()


@dataclass(frozen=True, slots=True)
class Event:
    """One business event as a source tells it; `code` is folded to capitals, texts are trimmed by whoever reads them.

    Tax, shipping and discount are parts of the amount, in its minor units; cost is what the goods cost the operator.
    A quantity nobody told is that of the lines, or one piece for a sale and none for what takes one back. The channel and
    the buyer's address are no facts of the event: another way of telling the same is a repeat.
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
    campaign: str = ""
    lead: str = ""
    channel: str = "api"
    buyer: Buyer = NOBODY_KNOWN
    lines: tuple[EventLine, ...] = ()

    @property
    def pieces(self) -> int:
        """Return how many pieces the event is about."""
        if self.quantity is not None:
            return self.quantity
        if self.lines:
            return sum(line.quantity for line in self.lines)
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
            "campaign": self.campaign,
            "lead": self.lead,
            "customer_email": self.buyer.email_key,
            "customer_vat_number": self.buyer.vat_key,
            "payment_fingerprint": self.buyer.payment_key,
            "lines": [[line.amount_minor, line.product, line.category, line.quantity] for line in self.lines],
        }
        told = {name: fact for name, fact in facts.items() if fact}
        untold = 0 if self.kind in MOVES else sum(line.quantity for line in self.lines) if self.lines else 1
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
