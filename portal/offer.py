"""Say what a program offers, from the plan in force and the program's settings. Every figure is computed by the engine that will
compute the commission, so the page cannot promise what is not paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from portal.credit_words import earned_when
from portal.formats import active_locale
from portal.offer_paid import Fact as Fact
from portal.offer_paid import Question, how_paid, questions
from prm.lib.money import Money, exponent
from referrals import attribution_versions
from referrals.attribution.settings import Settings
from tiers import sentence_words, sentences
from tiers.engine.compute import prepare
from tiers.engine.facts import BESIDE, MONTH_MODELS, REFUND, SALE, Event, PlanFacts, RuleFacts, Standing
from tiers.models import Program, Tier
from tiers.sentence_words import Words

_SIMPLE = frozenset({"percent", "flat", "percent_plus_flat"})
ORDER_SIZES = (50, 200, 1000)  # in the program's currency


@dataclass(frozen=True)
class TierColumn:
    """What a tier earns by a sale, in whole sentences."""

    tier: Tier
    rates: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    order: Money
    earned: tuple[Money, ...]


@dataclass(frozen=True)
class Offer:
    """What the public page of a program shows."""

    sentence: str
    headings: tuple[str, ...]
    examples: tuple[Example, ...]
    tiers: tuple[TierColumn, ...]
    paid: tuple[Fact, ...]
    questions: tuple[Question, ...]


def offer_of(
    program: Program, plan: PlanFacts | None, tiers: list[Tier], *, at: datetime, can_apply: bool = True
) -> Offer:
    """Describe `program` with its `plan` in force at `at`; `tiers` come ladder by ladder, lowest rank first."""
    first = [tier for tier in tiers if tier.track == tiers[0].track]
    headings, examples = _examples(program, plan, first, at) if plan else ((), ())
    return Offer(
        sentence=sentence(program, plan, tiers, at=at),
        headings=headings,
        examples=examples,
        tiers=tuple(TierColumn(tier, rates_of(program, tier, plan, at=at)) for tier in tiers),
        paid=how_paid(program, at=at),
        questions=questions(program, plan, at=at, can_apply=can_apply),
    )


def sentence(
    program: Program,
    plan: PlanFacts | None,
    tiers: list[Tier],
    *,
    at: datetime,
    credit: Settings | None = None,
) -> str:
    """Return the offer in one sentence, as newcomers get it; empty while no plan is in force. `credit` is how credit is given, for who
    has read it already."""
    if plan is None:
        return ""
    # Newcomers begin on the first ladder, and look up to its top.
    standings = [_standing(tier) for tier in tiers if tier.track == tiers[0].track] or [Standing("")]
    rules = _rules_for_sale(program, plan, standings[0], at)
    if not rules:
        return _other_events(program, plan)
    given = credit or attribution_versions.settings_at(program, at=at)
    return f"{_offered(program, plan, rules, standings, at)}, {earned_when(given)}"


def _offered(
    program: Program,
    plan: PlanFacts,
    rules: tuple[RuleFacts, ...],
    standings: list[Standing],
    at: datetime,
) -> str:
    """Return what a sale earns a newcomer, and how much more at the top where one rate says that."""
    if not _is_simple(rules):
        return _("; ").join(rule_text(rule, program) for rule in rules)
    text = _("%(rate)s of every order") if _all_percent(rules) else _("%(rate)s for every order")
    text %= {"rate": _(" plus ").join(rate_text(rule) for rule in rules)}
    best = _rules_for_sale(program, plan, standings[-1], at)
    lowest, highest = (_earned(program, plan, each, 100, at) for each in (standings[0], standings[-1]))
    if highest > lowest and _is_simple(best):
        more = _(" plus ").join(rate_text(rule) for rule in best)
        text += _(", up to %(rate)s in the %(tier)s tier") % {"rate": more, "tier": standings[-1].tier_name}
    return text


def rate_text(rule: RuleFacts) -> str:
    """Return the rate of a rule for single events in words: 8%, £10, or 5% plus £2."""
    flat = rule.flat.minor if rule.kind != "percent" and rule.flat else 0
    currency = rule.flat.currency if rule.flat else "EUR"  # a percentage alone names no currency
    rate = Decimal(0) if rule.kind == "flat" else rule.rate
    return sentence_words.rate_text(Words(currency, active_locale()), rate, flat)


def rule_text(rule: RuleFacts, program: Program, names: Mapping[str, str] | None = None) -> str:
    """Return a rule in words, with all its conditions but the tier."""
    everybody = replace(rule, tiers=frozenset())
    return sentences.rule_text(
        everybody, currency=program.currency, locale=active_locale(), names=names or {}
    )


def _other_events(program: Program, plan: PlanFacts) -> str:
    told = [rule_text(rule, program) for rule in plan.rules]
    return f"{_('; ').join(told)}." if told else ""


def _is_simple(rules: tuple[RuleFacts, ...]) -> bool:
    """Whether the rate alone says what every order earns."""
    return all(rule.kind in _SIMPLE and not rule.conditions.tests and not rule.limits for rule in rules)


def _all_percent(rules: tuple[RuleFacts, ...]) -> bool:
    return all(rule.kind == "percent" for rule in rules)


def _standing(tier: Tier) -> Standing:
    return Standing(tier.key, tier.name)


def _order(program: Program, major: int, at: datetime) -> Event:
    amount = Money(major * 10 ** exponent(program.currency), program.currency)
    return Event(key="example", kind=SALE, occurred_at=at, amount=amount)


def _rules_for_sale(
    program: Program, plan: PlanFacts, standing: Standing, at: datetime
) -> tuple[RuleFacts, ...]:
    """Return the rules that pay for a sale itself; bonuses beside it are told with the tiers."""
    chosen = prepare(plan).select(_order(program, 100, at), standing)[0]
    return tuple(rule for rule in chosen if rule.kind not in BESIDE)


def _earned(program: Program, plan: PlanFacts, standing: Standing, major: int, at: datetime) -> Money:
    total = Money(0, program.currency)
    for line in prepare(plan)(_order(program, major, at), standing):
        total += line.amount
    return total


def _examples(
    program: Program, plan: PlanFacts, tiers: list[Tier], at: datetime
) -> tuple[tuple[str, ...], tuple[Example, ...]]:
    standings = [_standing(tier) for tier in tiers] or [Standing("")]
    rows = []
    for major in ORDER_SIZES:
        earned = tuple(_earned(program, plan, standing, major, at) for standing in standings)
        rows.append(Example(_order(program, major, at).amount, earned))
    if all(not any(row.earned) for row in rows):
        return (), ()
    if all(len(set(row.earned)) == 1 for row in rows):
        return (_("You earn"),), tuple(Example(row.order, row.earned[:1]) for row in rows)
    return tuple(standing.tier_name for standing in standings), tuple(rows)


def rates_of(
    program: Program,
    tier: Tier,
    plan: PlanFacts | None,
    *,
    at: datetime,
    names: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Return what a partner of a tier earns, one sentence for each rule that can pay."""
    if plan is None:
        return ()
    return tuple(rule_text(rule, program, names) for rule in _rules_of_tier(program, plan, tier, at))


def _rules_of_tier(program: Program, plan: PlanFacts, tier: Tier, at: datetime) -> list[RuleFacts]:
    """Return the rules a partner of this tier can meet: those the engine chooses for an order or another event, and those that
    ask for more than an order like any other: a country, a condition, an assist, a recruit, a month."""
    standing, order = _standing(tier), _order(program, 100, at)
    kinds = sorted({SALE}.union(*(rule.event_kinds for rule in plan.rules)) - {REFUND})
    rater = prepare(plan)
    chosen = {rule.key for kind in kinds for rule in rater.select(replace(order, kind=kind), standing)[0]}
    return [
        rule
        for rule in plan.rules
        if rule.key in chosen or (_asks_for_more(rule) and (not rule.tiers or tier.key in rule.tiers))
    ]


def _asks_for_more(rule: RuleFacts) -> bool:
    is_for_others = rule.kind in BESIDE or rule.kind in MONTH_MODELS
    return bool(rule.countries or rule.conditions.tests) or is_for_others
