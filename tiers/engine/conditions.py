"""Whether a rule applies to an event, and if not, why, as a code with the figures to say it. A refund meets the conditions its
sale met, so that the same rule takes back what it gave."""

from __future__ import annotations

from datetime import tzinfo
from functools import lru_cache
from typing import NamedTuple

from tiers.engine.facts import MONTH_MODELS, Event, PlanFacts, RuleFacts, Standing
from tiers.engine.groups import Check, WhyNot, compiled

__all__ = ["Check", "Situation", "WhyNot", "compiled", "excluded", "situation", "why_not", "why_not_groups"]

ASSISTED = "assisted"


class Situation(NamedTuple):
    """All that simple conditions look at; equal situations meet the same rules, as far as those go."""

    kind: str
    refunds_kind: str
    tier: str
    country: str
    has_amount: bool
    role: str = "sourced"
    is_recruiter: bool = False


def situation(event: Event, standing: Standing) -> Situation:
    """Return what simple conditions look at; countries compare in capitals."""
    refunds = event.refunds_kind if event.is_refund else ""
    return Situation(
        event.kind,
        refunds,
        standing.tier_key,
        event.country.upper(),
        event.amount.minor != 0,
        event.role,
        standing.depth > 0,
    )


def why_not(rule: RuleFacts, now: Situation) -> WhyNot | None:
    """Return why `rule` does not apply, the first reason of role, kind, tier, country; nothing when it applies.

    A rule for sales applies to refunds of sales. A rule without event kinds applies to every event with an amount.
    """
    other = _other_role(rule, now)
    if other is not None:
        return other
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


def why_not_groups(rule: RuleFacts, event: Event, standing: Standing, zone: tzinfo) -> WhyNot | None:
    """Return the first condition of `rule` that the event does not meet: code "condition", `wanted` its attribute, operator
    and values; or code "no_condition" when none of several is met where one would do."""
    conditions = rule.conditions
    return compiled(conditions, zone)(event, standing) if conditions.tests else None


def excluded(plan: PlanFacts, event: Event) -> WhyNot | None:
    """Return why the plan pays nothing for this event's product or category, nothing when it does pay."""
    if plan.excluded_products and event.product.casefold() in _folded(plan.excluded_products):
        return WhyNot("excluded_product", (), event.product)
    if plan.excluded_categories and event.category.casefold() in _folded(plan.excluded_categories):
        return WhyNot("excluded_category", (), event.category)
    return None


def _other_role(rule: RuleFacts, now: Situation) -> WhyNot | None:
    """Assists earn participation and nothing else, recruiters overrides and nothing else, and a month's rule asks for no event."""
    if rule.kind in MONTH_MODELS:
        return WhyNot("month_model", (), now.kind)
    if (rule.kind == "participation") != (now.role == ASSISTED):
        return WhyNot("other_role", (ASSISTED,) if rule.kind == "participation" else (), now.role)
    if (rule.kind == "override") != now.is_recruiter:
        wanted = "recruiter" if rule.kind == "override" else "seller"
        return WhyNot("other_level", (wanted,), "recruiter" if now.is_recruiter else "seller")
    return None


@lru_cache(maxsize=256)
def _folded(texts: frozenset[str]) -> frozenset[str]:
    return frozenset(text.casefold() for text in texts)
