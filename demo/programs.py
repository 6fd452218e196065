"""The five programs of the demo house, one per kind of partner, with tiers, a published plan and terms."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from demo.dataset import PLANS
from demo.people import ADMINISTRATOR
from partners import terms
from partners.models import TermsVersion
from tiers import benefits as catalogue
from tiers import publishing, qualify, schemes, targets
from tiers.choices import BenefitKind, FlatOnRefund, PartnershipType, RateKind, TierColour
from tiers.models import LegalEntity, Plan, Program, Rule, Tier


def _said(en: str, fr: str, pl: str) -> dict[str, str]:
    return {"en": en, "fr": fr, "pl": pl}


SHOP = "https://shop.halden.example/"
NAMES = {
    "affiliate": "Halden Affiliates",
    "referral": "Halden Referrals",
    "agency": "Halden Agencies",
    "influencer": "Halden Creators",
    "distributor": "Halden Distributors",
}
FOR_WHOM = {
    "affiliate": "For publishers and review sites whose readers buy gifts and home ware.",
    "referral": "For people who introduce shops and offices that need gifts by the box.",
    "agency": "For agencies that choose and order gifts for their own clients.",
    "influencer": "For creators who share a code with the people who follow them.",
    "distributor": "For wholesalers who carry our range in a country of their own.",
}
TIERS = (("registered", "Registered", 0), ("silver", "Silver", 50_000_00), ("gold", "Gold", 250_000_00))
TRACKS = {"affiliate": "Publishers"}  # a second ladder stands beside that one
COLOURS = {"registered": TierColour.SLATE, "silver": TierColour.SILVER, "gold": TierColour.GOLD}
BENEFITS = {
    "registered": "Links, codes and monthly payment.",
    "silver": "Early sight of each season's range.",
    "gold": "A seat at the autumn trade fair.",
}
# What every tier gives of each benefit; tiers that are not named give nothing of it.
CATALOGUE: tuple[tuple[BenefitKind, dict[str, dict[str, str]]], ...] = (
    (
        BenefitKind.SUPPORT,
        {
            "registered": _said("By e-mail", "Par e-mail", "E-mailem"),
            "silver": _said("A named account manager", "Un responsable attitré", "Własny opiekun"),
            "gold": _said(
                "An answer within four hours", "Une réponse sous quatre heures", "Odpowiedź w cztery godziny"
            ),
        },
    ),
    (
        BenefitKind.CO_MARKETING,
        {"gold": _said("Two campaigns a year", "Deux campagnes par an", "Dwie kampanie rocznie")},
    ),
    (BenefitKind.LOCATOR, {"silver": {}, "gold": {}}),
)
TARGETS = {"silver": 80_000_00, "gold": 400_000_00}


def make_entity() -> LegalEntity:
    """Create the company that runs the programs."""
    return LegalEntity.objects.create(
        name="Halden Giftware Ltd",
        number_prefix="HG",
        street="Orchard Lane",
        building_number="14",
        postcode="LE1 5XY",
        town="Leicester",
        country_code="GB",
        vat_number="GB980780684",
        contact_email="partners@halden.example",
        iban="GB33BUKB20201555555555",
        bic="BUKBGB22",
    )


def make_program(entity: LegalEntity, kind: str, *, at: datetime) -> Program:
    """Create the program for one kind of partner, its plan and terms in force from `at`."""
    program = Program.objects.create(
        legal_entity=entity,
        slug="agencies" if kind == "agency" else f"{kind}s",
        name=NAMES[kind],
        partnership_type=PartnershipType(kind),
        summary=FOR_WHOM[kind],
        currency="GBP",
        time_zone="Europe/London",
        cookie_days=30,
        hold_days=14,
        minimum_payout_minor=50_00,
        destination_url=SHOP,
    )
    for rank, (key, name, _revenue) in enumerate(TIERS, start=1):
        Tier.objects.create(
            program=program,
            key=key,
            name=name,
            rank=rank,
            track=TRACKS.get(kind, ""),
            colour=COLOURS[key],
            benefits=BENEFITS[key],
        )
    _scheme(program, at=at)
    _gives(program, at=at)
    _plan(program, kind, at=at)
    _terms(program, kind, at=at)
    return program


def _scheme(program: Program, *, at: datetime) -> None:
    """Ask for net revenue of twelve months; rises are looked at every quarter, falls once a year, and a person decides on both."""
    by = ADMINISTRATOR.user()
    year = qualify.Window("trailing", 12)
    scheme = qualify.Scheme(
        asks={
            key: qualify.Ask(
                (
                    qualify.Requirement(
                        "revenue", qualify.Question("net_revenue", year), "at_least", Fraction(revenue)
                    ),
                )
            )
            for key, _name, revenue in TIERS
            if revenue
        },
        calendar=qualify.Calendar(
            promotion=qualify.Cycle("quarter", day=1, month=1), demotion=qualify.Cycle("year", day=1, month=2)
        ),
    )
    draft = schemes.edit(schemes.draft(program, by=by, at=at), qualify.dump(scheme), by=by, at=at)
    schemes.publish(draft, effective_at=at, by=by, at=at)


def _gives(program: Program, *, at: datetime) -> None:
    """Fill the catalogue of benefits, and say what the house would like each tier to bring in a year."""
    by = ADMINISTRATOR.user()
    tiers = {tier.key: tier for tier in program.tiers.all()}
    for kind, values in CATALOGUE:
        benefit = catalogue.add(program, kind=kind, name={}, by=by, at=at)
        catalogue.give(benefit, {tiers[key].pk: value for key, value in values.items()}, by=by, at=at)
    for key, target in TARGETS.items():
        targets.write(tiers[key], {"net_revenue": target}, by=by, at=at)


def _plan(program: Program, kind: str, *, at: datetime) -> None:
    percent, flat = PLANS[kind]
    version = publishing.draft_from(
        Plan.objects.create(program=program, name=f"{program.name} plan"), by=ADMINISTRATOR.user(), at=at
    )
    Rule.objects.create(
        version=version,
        key="every-order",
        name="Every order",
        position=1,
        kind=RateKind.PERCENT_PLUS_FLAT if flat else RateKind.PERCENT,
        rate=percent * Decimal(100),
        flat_minor=int(flat * 100),
        flat_on_refund=FlatOnRefund.KEPT,
        event_kinds=["sale", "refund"],
    )
    publishing.publish(version, effective_at=at, by=ADMINISTRATOR.user(), at=at)


def _terms(program: Program, kind: str, *, at: datetime) -> None:
    percent, flat = PLANS[kind]
    flat_words = f", and {flat} GBP on top for each sale" if flat else ""
    version = TermsVersion.objects.create(
        program=program,
        number=1,
        summary="You earn on orders your code or link brings. We pay every month what is past its hold.",
        pricing=f"You earn {percent * 100:.0f} % of each order, net of refunds{flat_words}. Amounts are in GBP.",
        what_counts="An order counts when the buyer used your code, or followed your link within the 30 days before.",
        how_measured="Your code is read at the checkout. A click is remembered for 30 days; the last one counts.",
        support="Your account manager answers within two working days. Material is in the portal.",
    )
    terms.publish(version, effective_at=at, by=ADMINISTRATOR.user(), at=at)
