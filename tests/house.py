"""A small house to test money in: one program with a published plan, members with a code, sales that are recorded and rated by the
product's own verbs. Only what comes before the money is put in place by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from partners.models import Member, Membership, Partner, Placement
from payouts import accrual
from payouts.models import Commission
from prm.accounts.models import User
from prm.lib.money import Money
from referrals import conversions
from referrals.facts import Event, Outcome
from referrals.models import Code
from tests.people import ada
from tiers import publishing
from tiers.choices import FlatOnRefund, RateKind
from tiers.models import LegalEntity, Plan, Program, Rule, Tier

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class House:
    """One program and what happens in it; `sale` and `refund` take amounts in major units, as text."""

    program: Program
    tier: Tier
    members: dict[str, Membership] = field(default_factory=dict)

    def member(self, code: str, *, at: datetime = START, owner: User | None = None) -> Membership:
        """Add a partner with one code, standing in the first tier from `at` on."""
        partner = Partner.objects.create(
            name=f"Partner {code}", country="United Kingdom", email=f"{code.lower()}@x.example"
        )
        if owner is not None:
            Member.objects.create(partner=partner, user=owner, role="owner", joined_at=at)
        membership = Membership.objects.create(partner=partner, program=self.program, joined_at=at)
        Placement.objects.create(
            membership=membership, tier=self.tier, starts_at=at, because="test", placed_at=at, placed_by=ada()
        )
        Code.objects.create(membership=membership, code=code, created_at=at)
        self.members[code] = membership
        return membership

    def recruit(self, code: str, *, by: str, at: datetime = START) -> None:
        """Let one member have recruited another; what happens from `at` on counts."""
        member = self.members[code]
        member.recruiter, member.recruited_at = self.members[by], at
        member.save(update_fields=["recruiter", "recruited_at"])

    def sale(
        self, name: str, amount: str, code: str, at: datetime, *, kind: str = "sale", country: str = "France"
    ) -> Outcome:
        return conversions.record(self.event(name, amount, code, at, kind=kind, country=country), at=at)

    def refund(self, name: str, amount: str, code: str, at: datetime, *, of: str = "") -> Outcome:
        return conversions.record(
            self.event(name, amount, "" if of else code, at, kind="refund", of=of), at=at
        )

    def event(
        self,
        name: str,
        amount: str,
        code: str,
        at: datetime,
        *,
        kind: str = "sale",
        country: str = "France",
        of: str = "",
    ) -> Event:
        return Event(
            source="shop",
            external_id=name,
            kind=kind,
            occurred_at=at,
            amount=Money.parse(amount, self.program.currency),
            customer_id="c-100",
            country=country,
            code=code,
            original_external_id=of,
        )

    def rate(self, at: datetime) -> accrual.Accrued:
        """Compute commission for everything recorded so far."""
        return accrual.sweep(at=at)

    def amounts(self, name: str) -> list[int]:
        """Return the commission lines of one event, in pence."""
        rows = Commission.objects.filter(conversion__external_id=name).order_by("pk")
        return list(rows.values_list("amount_minor", flat=True))


def open_house(
    *,
    percent: str = "8",
    flat_minor: int = 0,
    flat_on_refund: str = FlatOnRefund.KEPT,
    event_kinds: Sequence[str] = ("sale", "refund"),
    hold_days: int = 14,
    minimum_minor: int = 50_00,
    currency: str = "GBP",
    zone: str = "Europe/London",
    slug: str = "affiliates",
    entity: LegalEntity | None = None,
) -> House:
    """Make a program whose one rule pays `percent` of each event and `flat_minor` on top."""
    entity = entity or LegalEntity.objects.create(
        name="Halden Giftware Ltd",
        number_prefix="HG",
        street="Orchard Lane",
        building_number="14",
        postcode="LE1 5XY",
        town="Leicester",
        country_code="GB",
        iban="GB94BARC10201530093459",
        bic="BARCGB22",
    )
    program = Program.objects.create(
        legal_entity=entity,
        slug=slug,
        name=f"Halden {slug}",
        partnership_type="affiliate",
        currency=currency,
        time_zone=zone,
        hold_days=hold_days,
        minimum_payout_minor=minimum_minor,
        destination_url="https://shop.halden.example/",
    )
    tier = Tier.objects.create(program=program, key="registered", name="Registered", rank=1)
    version = publishing.draft_from(Plan.objects.create(program=program, name="Plan"), by=ada(), at=START)
    Rule.objects.create(
        version=version,
        key="every-order",
        name="Every order",
        kind=RateKind.PERCENT_PLUS_FLAT if flat_minor else RateKind.PERCENT,
        rate=Decimal(percent),
        flat_minor=flat_minor,
        flat_on_refund=flat_on_refund,
        event_kinds=list(event_kinds),
    )
    publishing.publish(version, effective_at=START, by=ada(), at=START)
    return House(program=program, tier=tier)
