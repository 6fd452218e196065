"""Put a partner's tier and the way to the next one into words. The figures are those of the last night where they were taken, else they
are measured now; what is reached here is proposed by the next review, and decided there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from partners.models import Membership, Placement
from portal.tier_meters import figures_of, meter_of
from portal.views.pages import TierCard
from tiers import benefits, qualify, requirement_sentences, schemes
from tiers.models import Tier
from tiers.narrowing import Names
from tiers.qualify import Rung


@dataclass(frozen=True)
class Standing:
    """The tier a membership stands in, the next one up its ladder, and the ladder with all its rungs in use."""

    tier: Tier
    above: Tier | None
    ladder: tuple[Rung, ...] = ()


def standing(membership: Membership, *, at: datetime) -> Standing | None:
    """Return where the membership stands; nothing for one in no tier."""
    here = Placement.objects.in_force(at=at).filter(membership=membership, tier=OuterRef("pk"))
    tiers = list(Tier.objects.filter(program=membership.program).by_rank().annotate(is_here=Exists(here)))
    tier = next((each for each in tiers if each.is_here), None)
    if tier is None:
        return None
    rungs = [each for each in tiers if each.track == tier.track and each.retired_at is None]
    above = next((each for each in rungs if each.rank > tier.rank), None)
    return Standing(tier, above, tuple(Rung(each.key, each.rank, each.name) for each in rungs))


def card(membership: Membership, found: Standing | None, *, at: datetime) -> TierCard | None:
    """Return the card of the tier and of the one above it."""
    if found is None:
        return None
    tier, above = found.tier, found.above
    gives = benefits.given_by([above or tier])[(above or tier).pk]
    lines = tuple(each.text for each in gives)
    if above is None:
        return TierCard(title=_("%(tier)s, the highest tier") % {"tier": tier.name}, benefits=lines)
    title = _("%(tier)s, on the way to %(next)s") % {"tier": tier.name, "next": above.name}
    row = schemes.in_force(membership.program, at=at)
    scheme = schemes.scheme_of(row) if row is not None else None
    if row is None or scheme is None or not scheme.ask_of(above.key).requirements:
        return TierCard(title=title, benefits=lines, text=_("We place partners in %(next)s.") % _next(above))
    verdict = qualify.evaluate(
        scheme,
        found.ladder,
        figures_of(membership, row, scheme, at=at),
        current=_place(tier, above),
    ).of(above.key)
    names = Names(membership.program)
    return TierCard(
        title=title,
        lead=requirement_sentences.combined(scheme.ask_of(above.key)),
        meters=tuple(meter_of(each, membership.program, names) for each in verdict.found),
        text=_("That is enough for %(next)s. The next review proposes the move.") % _next(above)
        if verdict.is_met
        else "",
        benefits=lines,
    )


def _next(above: Tier) -> dict[str, str]:
    return {"next": above.name}


def _place(tier: Tier, above: Tier) -> str:
    # Who stands in a tier that is no longer in use is measured against the one above it.
    return tier.key if tier.retired_at is None else above.key
