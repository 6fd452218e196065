"""Sales that come back: a partner's share of refunds and chargebacks against the rest of the program. A small partner raises nothing, whatever its
share, and a program where much comes back is its own measure."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Q

from payouts.choices import RiskKind
from payouts.risk.detectors.base import MEDIUM, TAKEN_BACK, Look, Signal, of_week, percent
from referrals.choices import ConversionState
from referrals.models import Credit
from tiers.choices import EventKind

REFUNDS = RiskKind.REFUND_RATE.value


def refund_rate(look: Look) -> Iterator[Signal]:
    """Yield a signal for each partner much more of whose sales come back than of the others'."""
    figures = look.of(REFUNDS)
    rows = list(
        Credit.objects.standing()
        .filter(membership__program=look.program, occurred_at__gte=look.since, occurred_at__lt=look.until)
        .exclude(conversion__state=ConversionState.REJECTED)
        .order_by()
        .values("membership_id")
        .annotate(
            sales=Count("pk", filter=Q(conversion__kind__in=[EventKind.SALE, EventKind.RENEWAL])),
            back=Count("pk", filter=Q(conversion__kind__in=TAKEN_BACK)),
        )
        .order_by("membership_id")
    )
    all_sales, all_back = sum(row["sales"] for row in rows), sum(row["back"] for row in rows)
    for row in rows:
        sales, back = row["sales"], row["back"]
        others, others_back = all_sales - sales, all_back - back
        if sales < figures["conversions"] or percent(back, sales) < figures["percent"]:
            continue
        # back / sales > times × others_back / others, compared across; alone in a program nobody compares.
        if others and back * others > figures["times"] * others_back * sales:
            yield of_week(
                look,
                row["membership_id"],
                REFUNDS,
                MEDIUM,
                sales=sales,
                back=back,
                others_sales=others,
                others_back=others_back,
            )
