"""Which rules of a plan can concern a partner at all. A rule for another tier, another partner or another kind of partner is nothing
this one needs to read, and what was agreed with somebody else is nobody's business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from prm.lib.money import Money
from tiers import sentences
from tiers.engine.facts import Event, Group, PlanFacts, RuleFacts, Standing, Test
from tiers.engine.groups import compiled

# What a condition asks of the partner; what it asks of the event can still be met.
OF_THE_PARTNER = frozenset({"partner", "partner_country", "partnership_type", "tier", "tag"})
_PERSONAL = frozenset({"partner", "tag", "deal"})
_ANY_EVENT = Event("any", "sale", datetime(2000, 1, 1, tzinfo=UTC), Money(0, "EUR"))


def for_partner(plan: PlanFacts, standing: Standing) -> PlanFacts:
    """Return the plan with only the rules that can concern a partner of this standing."""
    return replace(plan, rules=tuple(rule for rule in plan.rules if concerns(rule, standing)))


def for_strangers(plan: PlanFacts) -> PlanFacts:
    """Return the plan without the rules that ask for a partner by its name, its tags or its deals: newcomers have none."""
    rules = (rule for rule in plan.rules if _can_hold(rule.conditions, Standing(""), _PERSONAL))
    return replace(plan, rules=tuple(rules))


def concerns(rule: RuleFacts, standing: Standing) -> bool:
    """Say whether some event could earn a partner of this standing something by the rule."""
    if rule.tiers and standing.tier_key not in rule.tiers:
        return False
    return _can_hold(rule.conditions, standing, OF_THE_PARTNER)


def _can_hold(node: Group | Test, standing: Standing, known: frozenset[str]) -> bool:
    if isinstance(node, Test):
        if node.attribute not in known:
            return True
        return compiled(Group("all", (node,)), UTC)(_ANY_EVENT, standing) is None
    found = [_can_hold(each, standing, known) for each in node.tests]
    return any(found) if node.join == "any" and found else all(found)


@dataclass(frozen=True)
class Change:
    """What is different for a partner, in sentences: those that no longer hold, and those that are new."""

    before: tuple[str, ...]
    after: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.before or self.after)


def told(
    plan: PlanFacts, standing: Standing, *, currency: str, locale: str, names: Mapping[str, str]
) -> list[str]:
    """Return what a plan means for a partner of this standing, sentence by sentence."""
    mine = for_partner(plan, standing)
    return sentences.plan_sentences(mine, currency=currency, locale=locale, names=names)


def change(
    old: PlanFacts,
    new: PlanFacts,
    standing: Standing,
    *,
    currency: str,
    locale: str,
    names: Mapping[str, str],
) -> Change:
    """Return what is different for a partner of this standing when `new` follows `old`."""
    before = told(old, standing, currency=currency, locale=locale, names=names)
    after = told(new, standing, currency=currency, locale=locale, names=names)
    return Change(
        tuple(each for each in before if each not in after),
        tuple(each for each in after if each not in before),
    )
