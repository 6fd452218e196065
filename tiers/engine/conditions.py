"""Whether a rule applies to an event, and if not, why, as a code with the figures to say it. A refund meets the conditions its
sale met, so that the same rule takes back what it gave."""

from __future__ import annotations

from typing import NamedTuple

from tiers.engine.facts import Event, RuleFacts, Standing


class Situation(NamedTuple):
    """All that conditions look at; equal situations meet the same rules."""

    kind: str
    refunds_kind: str
    tier: str
    country: str
    has_amount: bool


class WhyNot(NamedTuple):
    """A reason as a code and what was wanted and found, ready for JSON."""

    code: str
    wanted: tuple[str, ...]
    found: str


def situation(event: Event, standing: Standing) -> Situation:
    """Return what conditions look at; countries compare in capitals."""
    refunds = event.refunds_kind if event.is_refund else ""
    return Situation(event.kind, refunds, standing.tier_key, event.country.upper(), event.amount.minor != 0)


def why_not(rule: RuleFacts, now: Situation) -> WhyNot | None:
    """Return why `rule` does not apply, the first reason of kind, tier, country; nothing when it applies.

    A rule for sales applies to refunds of sales. A rule without event kinds applies to every event with an amount.
    """
    if not rule.event_kinds:
        if not now.has_amount:
            return WhyNot("no_amount", (), now.kind)
    elif now.kind not in rule.event_kinds and now.refunds_kind not in rule.event_kinds:
        return WhyNot("other_event_kind", tuple(sorted(rule.event_kinds)), now.kind)
    if rule.tiers and now.tier not in rule.tiers:
        return WhyNot("other_tier", tuple(sorted(rule.tiers)), now.tier)
    if rule.countries:
        countries = {country.upper() for country in rule.countries}
        if now.country not in countries:
            return WhyNot("other_country", tuple(sorted(countries)), now.country)
    return None
