"""How visitors find the shop by partners' links, and what comes of it: rules of credit, links and codes, four weeks of clicks, orders with more than
one contact, questions about them and a case. Every row is made by the verb that makes it in a real house; the year's sales stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from demo.living import membership_of
from demo.people import ACCOUNT_MANAGER, ADMINISTRATOR, PARTNER, PARTNER_CODE
from demo.programs import SHOP
from demo.visitors import Visits
from payouts import accrual
from payouts.disputes import about_credit, deciding
from payouts.models import RiskCase
from payouts.reports import keeping
from payouts.risk import cases, monitor
from prm.lib.money import Money
from prm.lib.periods import local_day, start_of_day
from referrals import (
    attribution_versions,
    clicks,
    codes,
    conversions,
    identity,
    links,
    ownership,
    tracking_settings,
)
from referrals.attribution import inquiry
from referrals.attribution.settings import Settings
from referrals.code_terms import Terms
from referrals.facts import Buyer, Event, EventLine
from referrals.models import Conversion, RollupMark
from referrals.tracking_settings import Tracking
from tiers.choices import EventKind
from tiers.models import Program

SOURCE = "shop"  # the year's sales come from another one
COUNTED_DAYS = 31  # what reports open with; the days before are counted once the house runs
TOLD_BEFORE = timedelta(days=14)
IN_FORCE_SINCE = timedelta(days=63)
RULES = Settings(
    model="position",
    precedence=(("deal",), ("code",), ("click", "lead"), ("customer",)),
    window_hours={"click": 30 * 24, "lead": 90 * 24},
    recurring_months=12,
    assists=True,
)
TEASEL, PRESENTS, FOXGLOVE, FLOODED = "UK-01", "UK-09", "UK-21", "UK-14"
OVERRUN = "lanterns"
LINKS = (  # partner, short address, name, path in the shop, campaign
    (PARTNER_CODE, "gift-guide", "Gift guide", "gifts/guide", "Autumn gifts"),
    (PARTNER_CODE, "office-gifts", "Letter to offices", "gifts/office", "Office letter"),
    (TEASEL, "tableware-tested", "Tableware, tested", "tableware", "Autumn gifts"),
    (PRESENTS, "small-presents", "Small presents", "gifts/under-ten", ""),
    (FLOODED, OVERRUN, "Lanterns", "lanterns", ""),
)
# What readers follow; the guide stands in more places than the others.
FOLLOWED = (
    "gift-guide",
    "gift-guide",
    "gift-guide",
    "office-gifts",
    "office-gifts",
    "tableware-tested",
    "small-presents",
)


@dataclass(frozen=True)
class Order:
    """An order of the shop: by whom, how many days ago, for how much, and by which visits, each a link and how many days ago."""

    number: str
    buyer: str
    days: float
    amount: str
    visits: tuple[tuple[str, float], ...] = ()
    code: str = ""
    product: str = "candles"


ORDERS = (
    Order("S-2001", "lena", 16, "64.80", (("gift-guide", 16.2),)),
    Order("S-2002", "omar", 13, "118.00", (("small-presents", 13.1),), product="lanterns"),
    # Three contacts in the order first, middle, last: 40, 20 and 40 percent.
    Order("S-2003", "greta", 12, "240.00", (("gift-guide", 20), ("tableware-tested", 15), ("office-gifts", 12.1)), product="plates"),
    # The buyer of S-2001 comes back by nothing: who brought it earns for a year.
    Order("S-2004", "lena", 9, "41.50"),
    # The code of another partner decides, whoever was clicked before.
    Order("S-2005", "piotr", 8, "96.40", (("gift-guide", 8.4),), code="TEASEL10", product="plates"),
    Order("S-2006", "noemie", 7, "152.00", (("office-gifts", 7.2),), code="FOXGLOVE15"),
    # The only click is older than 30 days.
    Order("S-2007", "hanna", 6, "88.25", (("gift-guide", 38),)),
    Order("S-2008", "tariq", 5, "35.90", (("office-gifts", 5.3),)),
    Order("S-2009", "sofia", 4, "72.00", (("tableware-tested", 10), ("gift-guide", 4.2)), product="plates"),
    Order("S-2010", "omar", 3, "54.00"),
    Order("S-2011", "ruth", 3, "29.95"),
    # Somebody of the demo partner's team bought by the partner's own link.
    Order("S-2012", "aisha", 3, "310.00", (("gift-guide", 3.1),), product="lanterns"),
)  # fmt: skip
OWN_MAIL = {"aisha": "aisha@northwind.example"}
WHY_MOVED = "Teasel Press took the pages about small presents over, and looks after their buyers now."
ASKED_ABOUT_CODE = (
    "The buyer came from our letter to offices and typed a code afterwards. Should the letter not count?"
)
ANSWER = "The buyer entered a code at the checkout, and by the rules of credit a code decides before a click does. We leave it as it is."
ASKED_ABOUT_WINDOW = "Hanna wrote to us that our guide made her order. Could you look at the window again?"
FOUND = "The order is for goods like those in the pictures for the gift guide. Asked the partner whether it was bought for that."


def prepare(program: Program, *, now: datetime) -> None:
    """Publish how a program gives credit, two weeks ahead, before sales are told. Orders of the year have one code each and keep their credit."""
    by, starts_on = ADMINISTRATOR.user(), local_day(now - IN_FORCE_SINCE, program.zone)
    starts_at = start_of_day(starts_on, program.zone)
    at = starts_at - TOLD_BEFORE
    draft = attribution_versions.edit(attribution_versions.draft(program, by=by, at=at), RULES, by=by, at=at)
    attribution_versions.publish(draft, effective_at=starts_at, by=by, at=at)
    tracking_settings.change(program, Tracking(shows_customers=True), by=by, at=at)


def fill(programs: dict[str, Program], *, now: datetime) -> int:
    """Bring visitors and their orders in, and what follows from them; return how many clicks and orders there are."""
    _promote(now=now)
    visits = Visits(now, FOLLOWED)
    visits.of_readers()
    visits.flood(OVERRUN)
    by_order = {order.number: visits.of_buyer(order.visits) for order in ORDERS}
    clicks.write(visits.hits)
    for order in ORDERS:
        _record(order, by_order[order.number], now=now)
    for _step in accrual.drain(at=now - timedelta(days=2)):
        pass
    _move_customer(programs["affiliates"], at=now - timedelta(days=2))
    _ask(now=now)
    _look_for_risk(programs["affiliates"], now=now)
    _count(programs["affiliates"], now=now)
    return len(visits.hits) + len(ORDERS)


def _promote(*, now: datetime) -> None:
    at = now - timedelta(days=45)
    for code, slug, label, path, campaign in LINKS:
        links.make(
            membership_of(code),
            label=label,
            slug=slug,
            destination_url=SHOP + path,
            campaign=campaign,
            utm={"utm_medium": "partner", "utm_campaign": campaign.lower()} if campaign else {},
            by=ACCOUNT_MANAGER.user(),
            at=at,
        )
    codes_of: tuple[tuple[str, str, Terms], ...] = (
        (PARTNER_CODE, "NORTHWIND10", Terms(percent=Decimal(10), use_limit=250, ends_at=now + timedelta(days=60))),
        (TEASEL, "TEASEL10", Terms(percent=Decimal(10), use_limit=100)),
        (FOXGLOVE, "FOXGLOVE15", Terms(amount=Money(15_00, "GBP"), use_limit=40)),
    )  # fmt: skip
    for owner, text, terms in codes_of:
        codes.make(membership_of(owner), code=text, terms=terms, by=ACCOUNT_MANAGER.user(), at=at)


def _record(order: Order, click_id: str, *, now: datetime) -> None:
    at = now - timedelta(days=order.days)
    mail = OWN_MAIL.get(order.buyer, f"{order.buyer}@{order.buyer}-home.example")
    amount = Money(int(Decimal(order.amount) * 100), "GBP")
    event = Event(
        source=SOURCE,
        external_id=order.number,
        kind=EventKind.SALE,
        occurred_at=at,
        amount=amount,
        customer_id=order.buyer,
        country="United Kingdom",
        code=order.code,
        click_id=click_id,
        buyer=Buyer(
            email_key=identity.email_key(mail),
            mailbox_key=identity.folded_email_key(mail),
            domain_key=identity.domain_key(mail),
        ),
        lines=(EventLine(amount.minor, product=order.product, category="home"),),
    )
    conversions.record(event, at=at + timedelta(minutes=1))


def _order(number: str) -> Conversion:
    return Conversion.objects.get(source=SOURCE, external_id=number)


def _move_customer(program: Program, *, at: datetime) -> None:
    customer = _order("S-2002").customer
    if customer is not None:
        ownership.transfer(
            customer, program, to=membership_of(TEASEL), reason=WHY_MOVED, by=ACCOUNT_MANAGER.user(), at=at
        )


def _ask(*, now: datetime) -> None:
    """Let the demo partner ask about two orders; one question is answered."""
    member, by = membership_of(PARTNER_CODE), PARTNER.user()
    for number, text, days in (("S-2006", ASKED_ABOUT_CODE, 4), ("S-2007", ASKED_ABOUT_WINDOW, 1)):
        at = now - timedelta(days=days)
        found = inquiry.ask(member, order=number, by=by, at=at)
        order = _order(number)
        question = about_credit.open_inquiry(
            member, found, conversion=order.public_id, text=text, by=by, at=at
        )
        if number == "S-2006":
            deciding.refuse(question, reason=ANSWER, by=ACCOUNT_MANAGER.user(), at=at + timedelta(days=1))


def _look_for_risk(program: Program, *, now: datetime) -> None:
    """Let the monitor look as it does when orders are credited and every day; it opens a case, and somebody looks into it."""
    at = now - timedelta(days=2)
    monitor.watch_conversions([_order("S-2012").pk], at=at)
    monitor.watch(at=now - timedelta(days=1), program=program)
    manager = ACCOUNT_MANAGER.user()
    case = RiskCase.objects.open().filter(membership=membership_of(PARTNER_CODE)).first()
    if case is not None:
        cases.investigate(case, by=manager, at=at + timedelta(hours=3))
        cases.note(case, text=FOUND, by=manager, at=at + timedelta(hours=4))


def _count(program: Program, *, now: datetime) -> None:
    """Count the days reports open with, and of the program the visitors came to the days these are compared with."""
    today = local_day(now, program.zone)
    since = today - timedelta(days=COUNTED_DAYS)
    keeping.work(until=lambda: not RollupMark.objects.filter(happened_on__gte=since).exists())
    for number in range(COUNTED_DAYS + 1, 2 * COUNTED_DAYS):
        keeping.rebuild(program, today - timedelta(days=number))
