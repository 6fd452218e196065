"""What a plan pays for sample orders, worked out by the engine: a tier that earns less than the one below it, an order that costs more
than it brings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from django.utils.translation import gettext as _

from prm.lib.money import Money
from tiers.engine.compute import Rater, prepare
from tiers.engine.conditions import ASSISTED
from tiers.engine.facts import BONUS_LIKE, MONTH_MODELS, PlanFacts, RuleFacts
from tiers.engine.probes import FREE_KINDS, Probe, probes_of
from tiers.sentence_words import Words, events

SMALLEST_ORDER = Decimal(50)
ORDER_SIZES = (SMALLEST_ORDER, Decimal(200), Decimal(1000), Decimal(10000))
_MOST_CONTEXTS = 200

Findings = Iterator[tuple[str, str, str]]


def findings_of_pay(
    plan: PlanFacts,
    rules: Sequence[RuleFacts],
    tiers: Sequence[tuple[str, str]],
    seen: Sequence[str],
    words: Words,
) -> Findings:
    """Yield what is odd about the amounts sample orders earn, by the rules that can be asked; `tiers` lowest first."""
    tried = replace(plan, rules=tuple(rule for rule in rules if rule.kind not in MONTH_MODELS))
    rater = prepare(tried)
    contexts = _contexts(tried, tiers, seen, words)
    yield from _tiers_that_pay_less(rater, contexts, tiers, words)
    yield from _costs_more(rater, contexts, words)


def _contexts(
    plan: PlanFacts, tiers: Sequence[tuple[str, str]], seen: Sequence[str], words: Words
) -> list[Probe]:
    """Return what sample orders can differ in besides the tier and the amount: the lowest tier's of each."""
    lowest = tiers[:1]
    probes = probes_of(plan, kinds=seen, tiers=lowest, currency=words.currency)
    found: dict[str, Probe] = {}
    for probe in probes.all:
        if probe.event.role != ASSISTED and not probe.standing.depth:
            values = {name: value for name, value in probe.values.items() if name not in ("amount", "tier")}
            found.setdefault(repr(values), probe)
    return list(found.values())[:_MOST_CONTEXTS]


def _orders(context: Probe, words: Words) -> list[Probe]:
    """Return a context with each size of order; what has no amount comes once."""
    if context.event.kind in FREE_KINDS:
        return [context]
    return [
        replace(context, event=replace(context.event, amount=Money(words.minor(size), words.currency)))
        for size in ORDER_SIZES
    ]


def _earned(rater: Rater, order: Probe, tier: tuple[str, str] | None = None) -> int:
    """Return what an order earns a partner who has sold nothing before."""
    standing = (
        order.standing if tier is None else replace(order.standing, tier_key=tier[0], tier_name=tier[1])
    )
    return sum(line.amount.minor for line in rater(order.event, standing))


def _tiers_that_pay_less(
    rater: Rater, contexts: Sequence[Probe], tiers: Sequence[tuple[str, str]], words: Words
) -> Findings:
    for lower, higher in pairwise(tiers):
        for order in (order for context in contexts for order in _orders(context, words)):
            below, above = _earned(rater, order, lower), _earned(rater, order, higher)
            if above < below:
                yield "", "tier_pays_less", _less(order, (lower[1], below), (higher[1], above), words)
                break


def _less(order: Probe, lower: tuple[str, int], higher: tuple[str, int], words: Words) -> str:
    text = _(
        "The %(higher)s tier may earn less than the %(lower)s tier below it: for %(order)s, %(above)s instead of"
        " %(below)s."
    )
    return text % {
        "higher": higher[0],
        "lower": lower[0],
        "order": _order_text(order, words),
        "above": words.money(higher[1]),
        "below": words.money(lower[1]),
    }


def _order_text(order: Probe, words: Words) -> str:
    if not order.event.amount.minor:
        return events(words, [order.event.kind])
    return _("an order of %(amount)s") % {"amount": words.money(order.event.amount.minor)}


def _costs_more(rater: Rater, contexts: Sequence[Probe], words: Words) -> Findings:
    """Find an order that the rules together pay more for than it brings; bonuses are for many orders and left out."""
    for order in (order for context in contexts for order in _orders(context, words)):
        lines = [line for line in rater(order.event, order.standing) if line.kind not in BONUS_LIKE]
        earned, amount = sum(line.amount.minor for line in lines), order.event.amount.minor
        if amount and earned > amount:
            text = _("An order of %(order)s may earn %(earned)s, more than it brings.")
            values = {"order": words.money(amount), "earned": words.money(earned)}
            yield (lines[0].rule_key if len(lines) == 1 else ""), "pays_more_than_order", text % values
            return
