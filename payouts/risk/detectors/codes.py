"""What happens to codes: one that gets about without clicks, measured against its own past, and one that is used beyond its limit. A code that was
always told rather than clicked, as in a podcast, raises nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Q, TextField
from django.db.models.functions import Cast

from payouts.choices import RiskKind
from payouts.risk.detectors.base import BROUGHT, LOW, MEDIUM, Look, Signal, of_week, percent
from referrals.models import AttributionRecord, Code, Credit

LEAKED = RiskKind.LEAKED_CODE.value
OVERUSED = RiskKind.CODE_OVERUSED.value
PAST = timedelta(weeks=12)
_USED_UP = "code_used_up"


def leaked_code(look: Look) -> Iterator[Signal]:
    """Yield a signal for each code that suddenly sells without clicks."""
    figures = look.of(LEAKED)
    is_new = Q(occurred_at__gte=look.since)
    without = Q(conversion__click_id="")
    rows = (
        Credit.objects.standing()
        .filter(
            membership__program=look.program,
            code__isnull=False,
            conversion__kind__in=BROUGHT,
            occurred_at__gte=look.since - PAST,
            occurred_at__lt=look.until,
        )
        .order_by()
        .values("membership_id", "code_id")
        .annotate(
            now=Count("pk", filter=is_new),
            now_without=Count("pk", filter=is_new & without),
            before=Count("pk", filter=~is_new),
            before_without=Count("pk", filter=~is_new & without),
        )
        .filter(now_without__gte=figures["conversions"], before__gte=figures["conversions"])
        .order_by("code_id")
    )
    for row in rows:
        share, past = percent(row["now_without"], row["now"]), percent(row["before_without"], row["before"])
        if share < figures["percent"] or share - past < figures["points"]:
            continue
        evidence = {name: row[name] for name in ("now", "now_without", "before", "before_without")}
        yield Signal(
            row["membership_id"],
            LEAKED,
            MEDIUM,
            (look.week, row["code_id"]),
            {**evidence, **look.span, "code_id": row["code_id"], "thresholds": figures},
            goes_on=True,
        )


def code_overused(look: Look) -> Iterator[Signal]:
    """Yield a signal for each code that was tried after its last use."""
    figures = look.of(OVERUSED)
    # Both databases write JSON as text that holds the word; what it means is read below.
    rows = (
        AttributionRecord.objects.annotate(words=Cast("candidates", TextField()))
        .filter(
            conversion__occurred_at__gte=look.since,
            conversion__occurred_at__lt=look.until,
            words__contains=_USED_UP,
        )
        .values_list("conversion_id", "candidates")
    )
    tried: dict[int, set[int]] = defaultdict(set)
    for conversion_id, candidates in rows.iterator(chunk_size=2000):
        for each in candidates:
            if each.get("why") == _USED_UP and each.get("code"):
                tried[each["code"]].add(conversion_id)
    often = {pk: len(found) for pk, found in tried.items() if len(found) >= figures["conversions"]}
    if not often:
        return
    codes = Code.objects.filter(pk__in=often, membership__program=look.program).order_by("pk")
    for pk, membership_id in codes.values_list("pk", "membership_id"):
        yield of_week(look, membership_id, OVERUSED, LOW, count=often[pk], code_id=pk)
