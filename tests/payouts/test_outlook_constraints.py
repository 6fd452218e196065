"""What the database refuses about earnings in other tiers."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from payouts.models import TierOutlook
from tests.factories.tiering import LATER, TierOutlookFactory

pytestmark = pytest.mark.django_db


def test_one_figure_per_membership_and_tier() -> None:
    kept = TierOutlookFactory.create()
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        TierOutlookFactory.create(membership=kept.membership, tier=kept.tier)
    sqlite = "payouts_tieroutlook.membership_id, payouts_tieroutlook.tier_id"
    assert ("payouts_tieroutlook_once" if connection.vendor == "postgresql" else sqlite) in str(refusal.value)
    assert TierOutlook.objects.count() == 1


def test_its_events_end_after_they_begin() -> None:
    with pytest.raises(IntegrityError, match="payouts_tieroutlook_ends_after_start"), transaction.atomic():
        TierOutlookFactory.create(starts_at=LATER, ends_at=LATER)
    assert not TierOutlook.objects.exists()
