"""Tell the look over a plan what it lives among: the kinds of events that come in, and which codes nobody owns."""

from __future__ import annotations

from collections.abc import Sequence

from referrals.models import Code, Conversion
from referrals.models.code import fold
from tiers.findings import Surroundings

RECENT = 10_000  # enough to have seen every kind a shop sends, few enough to ask on every page


def surroundings(codes: Sequence[str]) -> Surroundings:
    """Return the kinds of the latest events, and those of `codes` that no partner has."""
    kinds = set(Conversion.objects.order_by("-pk").values_list("kind", flat=True)[:RECENT])
    owned = set(Code.objects.filter(code__in=[fold(code) for code in codes]).values_list("code", flat=True))
    return Surroundings(sorted(kinds), [code for code in codes if fold(code) not in owned])
