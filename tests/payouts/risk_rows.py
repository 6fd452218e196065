"""Traffic and purchases as rows, for tests of what looks wrong: many at once, with the moments, countries and keys a test is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from partners.models import Membership, Partner
from payouts.risk.detectors import DETECTORS, Look, Signal
from payouts.risk.thresholds import STANDARD, Thresholds
from prm.lib.ids import ulid
from referrals.models import Click, Code, Conversion, Credit, Customer, Link
from tests.factories.referrals import new_membership

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
WEEK = timedelta(days=7)
_numbers = count(1)


@dataclass
class Market:
    """One program with partners who bring clicks and purchases."""

    first: Membership = field(default_factory=new_membership)
    links: dict[int, Link] = field(default_factory=dict)

    @property
    def program(self) -> Any:
        return self.first.program

    def partner(self, name: str = "") -> Membership:
        """Add a partner to the program."""
        number = next(_numbers)
        partner = Partner.objects.create(
            name=name or f"Market {number}", email=f"p{number}@own{number}.example"
        )
        return Membership.objects.create(
            partner=partner, program=self.program, state="active", joined_at=AT - timedelta(days=400)
        )

    def clicks(
        self, membership: Membership, n: int, *, at: datetime = AT - timedelta(days=1), **more: Any
    ) -> list[Click]:
        """Record clicks, a minute apart unless they are `together`."""
        gap = timedelta(0) if more.pop("together", False) else timedelta(minutes=1)
        made = [
            Click(
                click_id=ulid(),
                visitor=ulid(),
                link=self._link(membership),
                clicked_at=at + place * gap,
                **more,
            )
            for place in range(n)
        ]
        return Click.objects.bulk_create(made)

    def sales(
        self,
        membership: Membership,
        n: int,
        *,
        clicks: Sequence[Click] = (),
        after: int = 600,
        at: datetime = AT - timedelta(days=1),
        code: Code | None = None,
        buyer: dict[str, Any] | None = None,
        **more: Any,
    ) -> list[Conversion]:
        """Record purchases of strangers, `after` seconds after the clicks they come by in turn, each credited wholly to the partner."""
        marks = [next(_numbers) for _each in range(n)]
        buyers = Customer.objects.bulk_create(
            Customer(source="market", external_id=f"b{mark}", first_seen_at=at, **(buyer or {}))
            for mark in marks
        )
        sources = [clicks[place % len(clicks)] if clicks else None for place in range(n)]
        made = Conversion.objects.bulk_create(
            Conversion(
                source="market",
                external_id=f"m{mark}",
                occurred_at=source.clicked_at + timedelta(seconds=after) if source else at,
                recorded_at=AT,
                amount_minor=100_00,
                currency="GBP",
                payload_sha256="0" * 64,
                customer=person,
                click_id=source.click_id if source else "",
                **{"kind": "sale", **more},
            )
            for mark, person, source in zip(marks, buyers, sources, strict=True)
        )
        Credit.objects.bulk_create(
            Credit(
                conversion=each,
                membership=membership,
                reason="code" if code else "last_click",
                code=code,
                click=source,
                occurred_at=each.occurred_at,
                attributed_at=AT,
            )
            for each, source in zip(made, sources, strict=True)
        )
        return made

    def code(self, membership: Membership) -> Code:
        """Give the partner a code."""
        return Code.objects.create(membership=membership, code=f"MARKET{next(_numbers)}", created_at=AT)

    def look(self, **more: Any) -> Look:
        """Return a look at the last week."""
        return Look(self.program, more.pop("since", AT - WEEK), AT, more.pop("thresholds", STANDARD), **more)

    def seen(self, kind: str, **more: Any) -> list[Signal]:
        """Return what one detector sees."""
        return list(DETECTORS[kind](self.look(**more)))

    def _link(self, membership: Membership) -> Link:
        if membership.pk not in self.links:
            self.links[membership.pk] = Link.objects.create(
                membership=membership,
                slug=f"market-{next(_numbers)}",
                label="Home",
                destination_url="https://shop.example/",
                created_at=AT - timedelta(days=300),
            )
        return self.links[membership.pk]


def figures(kind: str, **values: int) -> Thresholds:
    """Return thresholds that differ from the standard in one kind."""
    return Thresholds({kind: values})
