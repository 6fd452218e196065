"""What the way from click to purchase tells: too quick, more buyers than clicks, another country, a pixel, throw-away mailboxes. One odd purchase is
never enough: each needs a number of them, and a share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count, Q

from payouts.choices import RiskKind
from payouts.risk.detectors.base import HIGH, LOW, MEDIUM, SHOWN, Look, Signal, of_week, percent
from referrals.choices import Channel
from tiers.choices import EventKind

SOON = RiskKind.TOO_SOON.value
VELOCITY = RiskKind.VELOCITY.value
COUNTRY = RiskKind.COUNTRY_MISMATCH.value
PIXEL = RiskKind.PIXEL.value
MAIL = RiskKind.DISPOSABLE_MAIL.value
_FIRST = (EventKind.SALE, EventKind.SIGNUP, EventKind.QUALIFIED_LEAD, EventKind.INSTALL)
BUYERS_A_CLICK = 2  # a household


@dataclass
class _Tally:
    """What is counted of one partner, and the rows it is counted from."""

    total: int = 0
    odd: int = 0
    rows: list[str] = field(default_factory=list)

    def add(self, is_odd: bool, row: str) -> None:
        self.total += 1
        if is_odd:
            self.odd += 1
            if len(self.rows) < SHOWN:
                self.rows.append(row)


def too_soon(look: Look) -> Iterator[Signal]:
    """Yield a signal for each partner several of whose buyers bought within seconds of their click."""
    figures, tallies = look.of(SOON), defaultdict[int, _Tally](_Tally)
    limit = timedelta(seconds=figures["seconds"])
    rows = (
        look.credits()
        .filter(click__isnull=False)
        .exclude(conversion__kind=EventKind.RENEWAL)
        .values_list("membership_id", "occurred_at", "click__clicked_at", "conversion__public_id")
    )
    for membership_id, occurred_at, clicked_at, public_id in rows.iterator(chunk_size=2000):
        tallies[membership_id].add(occurred_at - clicked_at < limit, public_id)
    for membership_id, tally in sorted(tallies.items()):
        share = percent(tally.odd, tally.total)
        if tally.odd < figures["conversions"] or share < figures["percent"]:
            continue
        severity = HIGH if tally.odd >= 3 * figures["conversions"] and share > 50 else MEDIUM
        yield of_week(
            look,
            membership_id,
            SOON,
            severity,
            count=tally.odd,
            of=tally.total,
            conversions=tally.rows,
        )


def velocity(look: Look) -> Iterator[Signal]:
    """Yield a signal for each partner with more buyers than clicks can bring, or with far more a click than the program's others."""
    figures = look.of(VELOCITY)
    buyers = {
        row["membership_id"]: (row["buyers"], row["behind"])
        for row in look.credits()
        .filter(click__isnull=False, conversion__kind__in=_FIRST)
        .order_by()
        .values("membership_id")
        .annotate(
            buyers=Count("conversion__customer", distinct=True)
            + Count("conversion", distinct=True, filter=Q(conversion__customer=None)),
            behind=Count("click", distinct=True),
        )
    }
    clicks = dict(
        look.clicks()
        .of_people()
        .order_by()
        .values("link__membership_id")
        .annotate(n=Count("pk"))
        .values_list("link__membership_id", "n")
    )
    all_buyers, all_clicks = sum(each for each, _behind in buyers.values()), sum(clicks.values())
    for membership_id, (bought, behind) in sorted(buyers.items()):
        if bought < figures["conversions"]:
            continue
        if bought > BUYERS_A_CLICK * behind:
            yield of_week(look, membership_id, VELOCITY, HIGH, buyers=bought, behind=behind)
            continue
        own = clicks.get(membership_id, 0)
        others, others_clicks = all_buyers - bought, all_clicks - own
        # The rates are compared across: bought / own > times × others / others_clicks.
        known = own >= figures["clicks"] and others >= figures["conversions"]
        if known and bought * others_clicks > figures["times"] * others * own:
            yield of_week(
                look,
                membership_id,
                VELOCITY,
                MEDIUM,
                buyers=bought,
                clicks=own,
                others_buyers=others,
                others_clicks=others_clicks,
            )


def country_mismatch(look: Look) -> Iterator[Signal]:
    """Yield a signal for each partner most of whose buyers live in another country than they clicked in."""
    figures, tallies = look.of(COUNTRY), defaultdict[int, _Tally](_Tally)
    rows = (
        look.credits()
        .filter(click__isnull=False)
        .exclude(Q(click__country="") | Q(conversion__country=""))
        .values_list("membership_id", "click__country", "conversion__country", "conversion__public_id")
    )
    for membership_id, clicked, bought, public_id in rows.iterator(chunk_size=2000):
        # A country's name in words cannot be compared with a code.
        if len(bought) == 2:
            tallies[membership_id].add(clicked.upper() != bought.upper(), public_id)
    for membership_id, tally in sorted(tallies.items()):
        if tally.total >= figures["conversions"] and percent(tally.odd, tally.total) >= figures["percent"]:
            yield of_week(
                look,
                membership_id,
                COUNTRY,
                MEDIUM,
                count=tally.odd,
                of=tally.total,
                conversions=tally.rows,
            )


def pixel(look: Look) -> Iterator[Signal]:
    """Yield a signal for each partner who was credited for what only a browser told."""
    rows = (
        look.credits()
        .filter(conversion__channel=Channel.PIXEL)
        .order_by()
        .values("membership_id")
        .annotate(n=Count("conversion", distinct=True))
        .filter(n__gte=look.of(PIXEL)["conversions"])
        .order_by("membership_id")
    )
    for row in rows:
        yield of_week(look, row["membership_id"], PIXEL, LOW, count=row["n"])


def disposable_mail(look: Look) -> Iterator[Signal]:
    """Yield a signal for each partner many of whose customers use throw-away mailboxes."""
    figures = look.of(MAIL)
    rows = (
        look.credits()
        .filter(conversion__customer__isnull=False)
        .order_by()
        .values("membership_id")
        .annotate(
            of=Count("conversion__customer", distinct=True),
            odd=Count(
                "conversion__customer",
                distinct=True,
                filter=Q(conversion__customer__has_disposable_mail=True),
            ),
        )
        .filter(odd__gte=figures["customers"])
        .order_by("membership_id")
    )
    for row in rows:
        share = percent(row["odd"], row["of"])
        if share < figures["percent"]:
            continue
        severity = HIGH if row["odd"] >= 2 * figures["customers"] and share >= 50 else MEDIUM
        yield of_week(look, row["membership_id"], MAIL, severity, count=row["odd"], of=row["of"])
