"""A scheme that asks for net revenue of twelve months, for tests that need tiers which ask for something."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.factories.tiering import TierSchemeFactory
from tests.factories.tiers import EPOCH
from tiers import qualify
from tiers.models import Program, TierScheme


def asks_revenue(
    program: Program, minor: Mapping[str, int], *, at: datetime = EPOCH, **scheme: Any
) -> TierScheme:
    """Publish, from `at` on, a scheme in which each tier named asks for so much net revenue of the last 12 months."""
    window = qualify.Window("trailing", 12)
    asks = {
        key: qualify.Ask(
            (
                qualify.Requirement(
                    "revenue", qualify.Question("net_revenue", window), "at_least", Fraction(each)
                ),
            )
        )
        for key, each in minor.items()
    }
    definition = qualify.dump(qualify.Scheme(asks=asks, **scheme))
    return TierSchemeFactory.create(
        program=program, definition=definition, published=True, effective_at=at, published_at=at, number=1
    )
