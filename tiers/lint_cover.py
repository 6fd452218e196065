"""What the rules of a plan cover and what they leave out: events without a rule, rules that never get a turn, rules that pay for the
same event. Made-up events tell; what they cannot tell for certain is said with "may"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from prm.lib.money import Money
from tiers.engine.attributes import ATTRIBUTES, attribute_of
from tiers.engine.conditions import ASSISTED
from tiers.engine.facts import BESIDE, MONTH_MODELS, PlanFacts, RuleFacts
from tiers.engine.probes import OTHER, OTHER_COUNTRY, Probe, Probes, meets, probes_of, tests_of
from tiers.sentence_words import Words, events

Findings = Iterator[tuple[str, str, str]]  # the rule's key, the code, the message

_PERCENT = frozenset(
    {"percent", "percent_plus_flat", "recurring", "prospective", "graduated", "volume", "accelerator"}
)
_FLAT = frozenset({"flat", "per_unit", "stairstep", "package"})
# These do not pay each time their conditions are met, so a rule after them still has its turn.
_SOMETIMES = frozenset({"recurring", "prospective", "lifetime_value"})


def findings_of_events(
    plan: PlanFacts,
    rules: Sequence[RuleFacts],
    tiers: Sequence[tuple[str, str]],
    seen: Sequence[str],
    words: Words,
) -> Findings:
    """Yield what a plan's rules, those of them that can be asked, make of events of the kinds seen."""
    zone = ZoneInfo(plan.time_zone)
    on_events = [rule for rule in rules if rule.kind not in MONTH_MODELS]
    kinds = {*seen, *(kind for rule in on_events for kind in rule.event_kinds), *_kinds_asked(on_events)}
    probes = probes_of(_with(plan, rules), kinds=kinds, tiers=tiers, currency=words.currency)
    met = {
        rule.key: frozenset(at for at, probe in enumerate(probes.all) if meets(rule, probe, zone))
        for rule in on_events
    }
    yield from _uncovered(on_events, probes, met, tiers, seen, words)
    yield from _never(plan, on_events, probes, met)
    yield from _twice(plan, rules, met)


def _with(plan: PlanFacts, rules: Sequence[RuleFacts]) -> PlanFacts:
    return PlanFacts(
        plan.plan_key,
        plan.version_number,
        plan.version_id,
        plan.effective_at,
        plan.combine,
        tuple(rules),
        time_zone=plan.time_zone,
    )


def _kinds_asked(rules: Sequence[RuleFacts]) -> set[str]:
    return {
        value
        for rule in rules
        for test in tests_of(rule.conditions)
        if test.attribute == "kind"
        for value in test.values
    }


def _uncovered(
    rules: Sequence[RuleFacts],
    probes: Probes,
    met: dict[str, frozenset[int]],
    tiers: Sequence[tuple[str, str]],
    seen: Sequence[str],
    words: Words,
) -> Findings:
    """Find kinds of events that no rule is for, in every tier or in some, and those only some of which earn."""
    earning = frozenset().union(*(met[rule.key] for rule in rules if rule.kind not in BESIDE))
    for kind in seen:
        of_kind = {
            at: probe
            for at, probe in enumerate(probes.all)
            if probe.event.kind == kind and probe.event.role != ASSISTED and not probe.standing.depth
        }
        bare = [
            key
            for key, _name in tiers or (("", ""),)
            if not any(at in earning for at, probe in of_kind.items() if probe.standing.tier_key == key)
        ]
        if bare:
            yield "", "no_rule", _no_rule(kind, bare, tiers, words)
        left = [
            probe
            for at, probe in of_kind.items()
            if at not in earning and probe.standing.tier_key not in bare
        ]
        if left:
            yield "", "partly_covered", _partly(kind, min(left, key=_oddness), probes, words)


def _no_rule(kind: str, bare: list[str], tiers: Sequence[tuple[str, str]], words: Words) -> str:
    values = {"events": events(words, [kind])}
    if len(bare) >= len(tiers):
        return _("No rule is for %(events)s: they may earn nothing.") % values
    text = _("No rule is for %(events)s in the %(tiers)s tier: they may earn nothing.")
    return text % {**values, "tiers": words.names_of(bare)}


def _oddness(probe: Probe) -> int:
    """Return how many values of a probe are named ones: the plainest example is the best."""
    return sum(value not in (OTHER, OTHER_COUNTRY, "", None) for value in probe.values.values())


def _partly(kind: str, probe: Probe, probes: Probes, words: Words) -> str:
    asked = [
        name
        for name in probe.values
        if name not in ("kind", "role", "depth") and len({repr(each.values[name]) for each in probes.all}) > 1
    ]
    told = [_value_text(name, probe, words) for name in asked]
    text = _("Some %(events)s may earn nothing, for example with: %(example)s.")
    return text % {"events": events(words, [kind]), "example": "; ".join(told)}


def _value_text(name: str, probe: Probe, words: Words) -> str:
    value: Any = probe.values[name]
    known = ATTRIBUTES.get(name) or attribute_of(name)
    label = _(known.label) if known else name
    return _("%(attribute)s: %(value)s") % {"attribute": label, "value": _shown(name, value, words)}


def _shown(name: str, value: Any, words: Words) -> str:
    if value in (OTHER, OTHER_COUNTRY):
        return _("another")
    if value in ("", None) or value == frozenset():
        return _("none")
    match name:
        case "amount":
            return words.money(Money(value, words.currency).minor)
        case "country" | "partner_country":
            return words.country(value)
        case "date":
            return words.day(value)
        case "tag":
            return words.row(sorted(value))
        case "customer_type":
            return _("returning") if value else _("new")
    return words.name(str(value))


def _never(
    plan: PlanFacts, rules: Sequence[RuleFacts], probes: Probes, met: dict[str, frozenset[int]]
) -> Findings:
    """Find rules that nothing meets, and rules that always come second where only the first is paid."""
    before: list[RuleFacts] = []
    for rule in rules:
        mine = met[rule.key]
        if not mine and probes.is_complete:
            yield rule.key, "never_met", _("Nothing seems to meet all its conditions: it may never pay.")
        if rule.kind in BESIDE:
            continue
        if mine and plan.combine == "first_match":
            first = [each for each in before if met[each.key] & mine]
            if mine <= frozenset().union(*(met[each.key] for each in first)):
                text = _("%(rules)s may always come first: this rule may never pay.")
                named = get_text_list([f"“{each.name}”" for each in first], _("or"))
                yield rule.key, "shadowed", text % {"rules": named}
        if rule.kind not in _SOMETIMES:
            before.append(rule)


def _twice(plan: PlanFacts, rules: Sequence[RuleFacts], met: dict[str, frozenset[int]]) -> Findings:
    """Find two rules of a family that pay for the same event where rules add up, and two for the same month."""
    for one, other in combinations(rules, 2):
        if plan.combine == "stack" and _family(one) and _family(one) == _family(other):
            if met[one.key] & met[other.key]:
                text = _("It may pay for the same orders as “%(rule)s”, and both add up.")
                yield other.key, "pays_twice", text % {"rule": one.name}
        elif one.kind == other.kind and one.kind in MONTH_MODELS and _share_a_tier(one, other):
            text = _("It may pay for the same months as “%(rule)s”, and both add up.")
            yield other.key, "pays_twice", text % {"rule": one.name}


def _family(rule: RuleFacts) -> str:
    if rule.kind in _PERCENT:
        return "percent"
    return "flat" if rule.kind in _FLAT else ""


def _share_a_tier(one: RuleFacts, other: RuleFacts) -> bool:
    return not one.tiers or not other.tiers or bool(one.tiers & other.tiers)
