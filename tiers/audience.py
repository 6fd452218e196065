"""Which rules of a plan can concern a partner at all. A rule for another tier, another partner or another kind of partner is nothing
this one needs to read, and what was agreed with somebody else is nobody's business: other partners and deals are not named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from prm.lib.money import Money
from tiers import sentences
from tiers.engine.facts import Event, Group, PlanFacts, RuleFacts, Standing, Test
from tiers.engine.groups import compiled
from tiers.sentence_words import UNNAMED

# What a condition asks of the partner; what it asks of the event can still be met.
OF_THE_PARTNER = frozenset({"partner", "partner_country", "partnership_type", "tier", "tag"})
_PERSONAL = frozenset({"partner", "tag", "deal"})
_MEMBERSHIP = "mem_"  # how public ids of memberships begin
_ANY_EVENT = Event("any", "sale", datetime(2000, 1, 1, tzinfo=UTC), Money(0, "EUR"))


def for_partner(plan: PlanFacts, standing: Standing) -> PlanFacts:
    """Return the plan with only the rules that can concern a partner of this standing, naming nobody else in them.

    Deals are told only by the version that was agreed with this partner.
    """
    is_own = plan.member_key != "" and plan.member_key == standing.membership
    rules = (rule for rule in plan.rules if concerns(rule, standing, is_own=is_own))
    return replace(plan, rules=tuple(_unnamed(rule, standing, is_own=is_own) for rule in rules))


def for_strangers(plan: PlanFacts) -> PlanFacts:
    """Return the plan without the rules that ask for a partner by its name, its tags or its deals: newcomers have none."""
    rules = (rule for rule in plan.rules if _can_hold(rule.conditions, Standing(""), _PERSONAL))
    return replace(plan, rules=tuple(_unnamed(rule, Standing("")) for rule in rules))


def concerns(rule: RuleFacts, standing: Standing, *, is_own: bool = False) -> bool:
    """Say whether some event could earn a partner of this standing something by the rule; `is_own` ones were agreed with it.

    What a version for everybody says about a deal concerns nobody who reads it: whose deal it is, it does not say.
    """
    if rule.tiers and standing.tier_key not in rule.tiers:
        return False
    return _can_hold(rule.conditions, standing, OF_THE_PARTNER if is_own else OF_THE_PARTNER | {"deal"})


def _can_hold(node: Group | Test, standing: Standing, known: frozenset[str]) -> bool:
    if isinstance(node, Test):
        if node.attribute not in known:
            return True
        return compiled(Group("all", (node,)), UTC)(_ANY_EVENT, standing) is None
    found = [_can_hold(each, standing, known) for each in node.tests]
    return any(found) if node.join == "any" and found else all(found)


def _unnamed(rule: RuleFacts, standing: Standing, *, is_own: bool = False) -> RuleFacts:
    """Return the rule without the names of other partners and of deals that are none of the reader's.

    The conditions stay where they are, because their attributes decide on the order of the rules.
    """
    hidden = _hide(rule.conditions, standing.membership, is_own)
    return replace(rule, conditions=hidden) if hidden != rule.conditions else rule


def _hide(group: Group, own: str, is_own: bool) -> Group:
    tests = (
        _hide(each, own, is_own) if isinstance(each, Group) else _hide_values(each, own, is_own)
        for each in group.tests
    )
    return replace(group, tests=tuple(tests))


def _hide_values(test: Test, own: str, is_own: bool) -> Test:
    if test.attribute == "deal" and not is_own:
        return replace(test, values=(UNNAMED,))
    values = dict.fromkeys(_readable(test.attribute, value, own) for value in test.values)
    if test.attribute == "partner" and own in values:  # who else is meant is nothing to this reader
        return replace(test, values=(own,))
    return replace(test, values=tuple(values))


def _readable(attribute: str, value: str, own: str) -> str:
    if value.casefold() == own.casefold():
        return own or value
    names_somebody = attribute == "partner" or value.casefold().startswith(_MEMBERSHIP)
    return UNNAMED if names_somebody else value


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
