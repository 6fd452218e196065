"""What the tiers of the demo house ask since the house had a year to learn: revenue, customers who come back, certified people, points, and what
partners do besides selling. The first versions, of `demo.programs`, asked for revenue alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from demo.people import ADMINISTRATOR
from prm.lib.periods import local_day
from tiers import benefits as catalogue
from tiers import ladder_changes, publishing, qualify, scheme_lint, schemes, targets
from tiers.choices import RateKind, TierColour
from tiers.models import Program, Rule
from tiers.qualify import Ask, Calendar, Cycle, PointRate, Process, Question, Requirement, Scheme, Window

YEAR, HALF_YEAR, QUARTER = Window("trailing", 12), Window("trailing", 6), Window("trailing", 3)
RANGE, SEASONS = "range-adviser", "season-planner"  # keys of certifications
ADVISERS = "Retail advisers"
RUNGS = (
    ("adviser", "Adviser", TierColour.TEAL),
    ("specialist", "Specialist", TierColour.BLUE),
    ("expert", "Expert", TierColour.VIOLET),
)
IN_FORCE_SINCE = timedelta(days=90)
ADVISERS_SINCE = timedelta(days=190)


def add_advisers(program: Program, *, at: datetime) -> None:
    """Put a second ladder beside that of the publishers: for those whose people know the range."""
    by = ADMINISTRATOR.user()
    for rank, (key, name, colour) in enumerate(RUNGS, start=1):
        values = {"name": name, "rank": rank, "track": ADVISERS, "colour": colour}
        ladder_changes.add(program, key=key, values=values, by=by, at=at)
    tiers = {tier.key: tier for tier in program.tiers.all()}
    for benefit in catalogue.catalogue(program):
        given = {row.tier_id: row.value for row in benefit.given.all()}
        like = {
            "adviser": given.get(tiers["registered"].pk),
            "specialist": given.get(tiers["silver"].pk),
            "expert": given.get(tiers["gold"].pk),
        }
        given |= {tiers[key].pk: value for key, value in like.items() if value is not None}
        catalogue.give(benefit, given, by=by, at=at)
    targets.write(
        tiers["specialist"],
        {"net_revenue": 120_000_00, "new_customers": 20, "certified_count": 19, "activities": 4},
        by=by,
        at=at,
    )


def pay_more(program: Program, *, at: datetime) -> None:
    """Pay more in the highest rung of each ladder; nobody has stood there yet, so that the year's books stay those of the file."""
    by = ADMINISTRATOR.user()
    version = publishing.draft_from(program.plan, by=by, at=at)
    version.rules.update(position=2)
    Rule.objects.create(
        version=version,
        key="highest-tiers",
        name="Gold and Expert",
        position=1,
        kind=RateKind.PERCENT,
        rate=Decimal(10),
        tier_keys=["gold", "expert"],
        event_kinds=["sale", "refund"],
    )
    in_force_at = at + timedelta(days=version.notice_days + 2)
    publishing.publish(version, effective_at=in_force_at, by=by, at=at)


def publish(programs: dict[str, Program], *, now: datetime) -> None:
    """Put the second version of each program's scheme in force some weeks ago, those by the month when they make a year of rounds."""
    soon = _twice_a_year(local_day(now + timedelta(days=75), programs["affiliates"].zone).month)
    since = now - IN_FORCE_SINCE
    for slug, scheme, effective_at in (
        ("affiliates", _affiliates(soon), since),
        ("agencies", _agencies(soon), since),
        ("distributors", _distributors(soon), since),
        ("referrals", _referrals(soon), since),
        ("influencers", _creators(), now - timedelta(days=200)),
    ):
        _publish(programs[slug], scheme, at=effective_at)


def _publish(program: Program, scheme: Scheme, *, at: datetime) -> None:
    by = ADMINISTRATOR.user()
    draft = schemes.edit(schemes.draft(program, by=by, at=at), qualify.dump(scheme), by=by, at=at)
    # The house has sold for a year: a window of a year reaches to its first day, and that is meant.
    schemes.publish(draft, effective_at=at, by=by, at=at, meant=[scheme_lint.WINDOWS])


def _twice_a_year(month: int) -> Calendar:
    every = Cycle("half_year", day=1, month=month)
    return Calendar(promotion=every, demotion=every)


def _sold(pounds: int, window: Window = YEAR, weight: int = 0) -> Requirement:
    return Requirement(
        "revenue", Question("net_revenue", window), "at_least", Fraction(pounds * 100), weight=weight
    )


def _certified(percent: int, weight: int = 0) -> Requirement:
    question = Question("certified_ratio", params=(("certification", (RANGE,)),))
    return Requirement("certified", question, "at_least", Fraction(percent), weight=weight)


def _come_back(percent: int, window: Window, weight: int = 0) -> Requirement:
    question = Question("customer_retention", window)
    return Requirement("come-back", question, "at_least", Fraction(percent), weight=weight)


def _affiliates(calendar: Calendar) -> Scheme:
    """Ask publishers for revenue, advisers for certified people and what they do with us as well."""
    together = Requirement("together", Question("activities", YEAR), "at_least", Fraction(2))
    return Scheme(
        {
            "silver": Ask((_sold(50_000),)),
            "gold": Ask((_sold(140_000),)),
            "specialist": Ask((_sold(50_000), _certified(70))),
            "expert": Ask((_sold(100_000), _certified(80), together)),
        },
        calendar=calendar,
        process=Process(protected_days=180),
    )


def _agencies(calendar: Calendar) -> Scheme:
    """Weigh what agencies bring against what they know."""
    score = Requirement("score", Question("manual_score"), "at_least", Fraction(70), weight=10)
    return Scheme(
        {
            "silver": Ask((_sold(50_000), _certified(50))),
            "gold": Ask(
                (
                    _sold(120_000, weight=40),
                    _come_back(60, HALF_YEAR, weight=20),
                    _certified(75, weight=30),
                    score,
                ),
                combine="weights",
                needed=80,
            ),
        },
        calendar=calendar,
        process=Process(grace_days=60, appeal_days=14, customers_keep_months=12, protected_days=180),
    )


def _distributors(calendar: Calendar) -> Scheme:
    """Ask distributors that shops come back."""
    base = Requirement("installed-base", Question("installed_base"), "at_least", Fraction(40))
    shared = Requirement("joint-customers", Question("joint_customers"), "at_least", Fraction(5))
    return Scheme(
        {
            "silver": Ask((_sold(20_000, HALF_YEAR), _come_back(70, HALF_YEAR))),
            "gold": Ask((_sold(100_000, HALF_YEAR), _come_back(70, HALF_YEAR), base, shared)),
        },
        calendar=calendar,
        process=Process(grace_days=60, protected_days=180),
    )


def _referrals(calendar: Calendar) -> Scheme:
    """Give a point for every hundred pounds and twenty for a customer who is new, and ask for points of three months."""

    def points(number: int) -> Ask:
        return Ask((Requirement("points", Question("points", QUARTER), "at_least", Fraction(number)),))

    return Scheme(
        {"silver": points(150), "gold": points(500)},
        points=(
            PointRate("revenue", Fraction(1), per=100_00),
            PointRate("new_customer", Fraction(20)),
        ),
        calendar=calendar,
        process=Process(protected_days=180),
    )


def _creators() -> Scheme:
    """Look at creators every month by the last three: up and down by themselves."""
    return Scheme(
        {"silver": Ask((_sold(15_000, QUARTER),)), "gold": Ask((_sold(60_000, QUARTER),))},
        calendar=Calendar(Cycle("month"), Cycle("quarter")),
        process=Process(
            grace_days=30, up="automatic", down="automatic", customers_keep_months=6, protected_days=60
        ),
    )
