"""A refund after a rise changes what the next review finds, and nothing of what was decided, placed or booked before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from partners.models import Placement, ReviewEvidence, TierReview
from partners.tier_reviews import decisions
from payouts.models import Commission
from tests.partners.tier_scene import NOW, a_ladder
from tests.people import mats

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def kept(*rows: Any) -> list[list[dict[str, Any]]]:
    return [list(each.order_by("pk").values()) for each in rows]


def test_a_refund_after_a_rise_is_for_the_next_review() -> None:
    ladder = a_ladder(grace_days=10)
    member = ladder.member("RISER", ladder.start, "1200.00", manager=mats())
    ladder.house.rate(NOW)
    ladder.review()
    case = decisions.decide(ladder.case("RISER"), by=mats(), at=NOW + DAY)
    assert (case.state, case.figures["net_revenue/trailing:3"]["value"]) == ("applied", "120000")
    facts = (
        TierReview.objects.filter(pk=case.pk),
        ReviewEvidence.objects.filter(review=case),
        Placement.objects.filter(membership=member),
        Commission.objects.all(),
    )
    before = kept(*facts)
    ladder.house.refund("back", "900.00", "RISER", NOW + 2 * DAY, of="order-RISER")
    assert kept(*facts) == before
    ladder.review(NOW + 30 * DAY)
    following = ladder.case("RISER")
    assert following.pk != case.pk
    assert (following.outcome, following.state, following.figures["net_revenue/trailing:3"]["value"]) == (
        "down", "proposed", "30000",
    )  # fmt: skip
    assert kept(*facts[:3]) == before[:3]
    lines = list(Commission.objects.order_by("pk").values())
    assert lines[: len(before[3])] == before[3]
