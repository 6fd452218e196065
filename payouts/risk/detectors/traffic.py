"""What clicks alone tell: floods from one address, robots, and paid search where it is forbidden. Offices and telephone networks share addresses,
so only what no office does is severe."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Count, Q
from django.db.models.functions import TruncHour

from payouts.choices import RiskKind
from payouts.risk.detectors.base import HIGH, LOW, MEDIUM, SHOWN, Look, Signal, of_week, percent
from referrals.choices import ClickKind
from referrals.models import TrackingSettings

FLOOD = RiskKind.CLICK_FLOOD.value
BOTS = RiskKind.BOT_SHARE.value
PAID = RiskKind.PAID_SEARCH.value
SEVERE_FLOOD = 10  # times the threshold


def click_flood(look: Look) -> Iterator[Signal]:
    """Yield a signal for each partner one of whose links was clicked very often in one hour from one address."""
    least = look.of(FLOOD)["clicks"]
    rows = (
        look.clicks()
        .of_people()
        .exclude(address_hash="")
        .annotate(hour=TruncHour("clicked_at"))
        .order_by()
        .values("link__membership_id", "address_hash", "hour")
        .annotate(n=Count("pk"))
        .filter(n__gte=least)
    )
    worst: dict[int, int] = {}
    hours: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        membership_id = row["link__membership_id"]
        worst[membership_id] = max(worst.get(membership_id, 0), row["n"])
        hours[membership_id].append(row["hour"].isoformat())
    for membership_id, most in sorted(worst.items()):
        severity = HIGH if most >= SEVERE_FLOOD * least else MEDIUM
        found = sorted(hours[membership_id])
        yield of_week(
            look, membership_id, FLOOD, severity, clicks=most, count=len(found), hours=found[:SHOWN]
        )


def bot_share(look: Look) -> Iterator[Signal]:
    """Yield a signal for each partner most of whose hits are robots, or pages that load the link unseen."""
    figures = look.of(BOTS)
    rows = (
        look.clicks()
        .order_by()
        .values("link__membership_id")
        .annotate(
            hits=Count("pk", filter=Q(kind__in=[ClickKind.PERSON, ClickKind.BOT, ClickKind.EMBEDDED])),
            bots=Count("pk", filter=Q(kind=ClickKind.BOT)),
            embedded=Count("pk", filter=Q(kind=ClickKind.EMBEDDED)),
        )
        .filter(hits__gte=figures["hits"])
        .order_by("link__membership_id")
    )
    for row in rows:
        hits, bots, embedded = row["hits"], row["bots"], row["embedded"]
        if percent(bots + embedded, hits) < figures["percent"]:
            continue
        # Robots come to every popular link by themselves; somebody put an image or a frame there.
        severity = MEDIUM if embedded > bots else LOW
        yield of_week(
            look, row["link__membership_id"], BOTS, severity, hits=hits, bots=bots, embedded=embedded
        )


def paid_search(look: Look) -> Iterator[Signal]:
    """Yield a signal for each partner whose clicks come from paid search, in a program that forbids it."""
    if not TrackingSettings.objects.filter(program=look.program, forbids_paid_search=True).exists():
        return
    rows = (
        look.clicks()
        .of_people()
        .exclude(ad_parameter="")
        .order_by()
        .values("link__membership_id")
        .annotate(n=Count("pk"))
        .filter(n__gte=look.of(PAID)["clicks"])
        .order_by("link__membership_id")
    )
    for row in rows:
        yield of_week(look, row["link__membership_id"], PAID, MEDIUM, clicks=row["n"])
