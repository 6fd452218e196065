"""Say what brings a membership back to its tier: each requirement of it, and of the tiers below, that is not met, with what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils import translation

from partners import metrics
from partners.models import TierReview
from partners.tier_reviews.ladders import Ladders
from prm.lib import l10n
from tiers import requirement_sentences, schemes
from tiers.qualify import Found, evaluate


def stored(case: TierReview, lacking: Iterable[tuple[str, Found]]) -> list[dict[str, Any]]:
    """Return what is missing as it is kept with the notice, in the partner's language.

    `gap` is an exact number in the metric's unit, None where the figure is unknown; `tier` and `requirement` name the
    criterion in the scheme of the round.
    """
    partner, program = case.membership.partner, case.membership.program
    locale = l10n.reader_locale(partner.language)
    with translation.override(partner.language):
        return [
            {
                "tier": tier,
                "requirement": found.requirement.key,
                "question": found.requirement.question.key,
                "sentence": requirement_sentences.sentence(found.requirement, program, locale),
                "gap": None if found.gap is None else str(found.gap),
            }
            for tier, found in lacking
        ]


def missing(case: TierReview) -> Iterator[tuple[str, Found]]:
    """Yield the requirements up to the own tier that the figures of a case do not meet, each question's once."""
    scheme = schemes.scheme_of(case.round.scheme)
    ladder = Ladders(case.membership.program).with_(case.from_tier_id)
    verdict = evaluate(scheme, ladder, metrics.loaded(case.figures), current=case.from_tier.key)
    seen: set[tuple[str, str, object]] = set()
    for rung in reversed(verdict.rungs):
        if rung.rung.rank > verdict.current.rank or rung.is_met:
            continue
        for found in rung.found:
            asked = found.requirement
            known = (asked.question.key, asked.operator, asked.threshold)
            if not found.is_met and known not in seen:
                seen.add(known)
                yield rung.rung.key, found
