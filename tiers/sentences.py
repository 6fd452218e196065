"""The plain-language sentence of a rule and of a plan. It is generated from the facts the engine rates by, never typed, so that it
cannot promise anything else."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tiers.engine.facts import BESIDE, DEDUCTIONS, MONTH_MODELS, Limits, PlanFacts, RuleFacts
from tiers.sentence_conditions import conditions, group_text
from tiers.sentence_rates import pays
from tiers.sentence_words import Words, in_window

Names = Mapping[str, str]


def rule_text(rule: RuleFacts, *, currency: str, locale: str, names: Names | None = None) -> str:
    """Return what a rule pays, for what and for whom, as part of a sentence: 15% of every order, in the Gold tier.

    `names` gives the names of tiers, partners and whatever else the rule knows by key.
    """
    return _offer(rule, Words(currency, locale, names or {}))


def rule_sentence(rule: RuleFacts, *, currency: str, locale: str, names: Names | None = None) -> str:
    """Return a rule in whole sentences, with its floors and caps and what a refund does to a fixed amount."""
    return _rule(rule, Words(currency, locale, names or {}))


def conditions_sentence(rule: RuleFacts, *, currency: str, locale: str, names: Names | None = None) -> str:
    """Return a rule's conditions as one sentence; a rule without any says so."""
    words = Words(currency, locale, names or {})
    told = conditions(rule, words)
    return _sentence(told) if told else _("Always.")


def plan_sentence(plan: PlanFacts, *, currency: str, locale: str, names: Names | None = None) -> str:
    """Return a whole plan: its rules in the order they are tried, what commission is on, and what refunds do."""
    return " ".join(plan_sentences(plan, currency=currency, locale=locale, names=names))


def plan_sentences(plan: PlanFacts, *, currency: str, locale: str, names: Names | None = None) -> list[str]:
    """Return a whole plan as `plan_sentence` does, one piece for each rule and each thing that holds for all of them."""
    words = Words(currency, locale, names or {})
    competing = [rule for rule in plan.rules if rule.kind not in BESIDE | MONTH_MODELS]
    beside = [rule for rule in plan.rules if rule.kind in BESIDE | MONTH_MODELS]
    told = [_intro(plan, len(competing))]
    told += [_rule(rule, words) for rule in competing]
    if competing and beside:
        told.append(_("Besides:"))
    told += [_rule(rule, words) for rule in beside]
    told += [_base(plan, words), *_exclusions(plan, words), _refunds(plan)]
    return [part for part in told if part]


def _offer(rule: RuleFacts, words: Words) -> str:
    told = pays(rule, words)
    only = conditions(rule, words)
    return _("%(offer)s, %(conditions)s") % {"offer": told, "conditions": only} if only else told


def _rule(rule: RuleFacts, words: Words) -> str:
    told = [_sentence(_offer(rule, words)), *_limits(rule.limits, words), _flat_on_refund(rule)]
    return " ".join(part for part in told if part)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _limits(limits: Limits | None, words: Words) -> list[str]:
    if limits is None:
        return []
    window = in_window(words, limits.window)
    told = (
        (_("At least %(amount)s for one order."), limits.event_min),
        (_("At most %(amount)s for one order."), limits.event_max),
        (_("At most %(amount)s for one customer."), limits.customer_max),
        (_("At least %(amount)s %(window)s."), limits.window_min),
        (_("At most %(amount)s %(window)s."), limits.window_max),
    )
    texts = [
        text % {"amount": words.money(amount), "window": window}
        for text, amount in told
        if amount is not None
    ]
    if limits.budget_max is not None:
        text = _("At most %(amount)s %(window)s for all partners together.")
        values = {"amount": words.money(limits.budget_max), "window": in_window(words, limits.budget_window)}
        texts.append(text % values)
    return texts


def _flat_on_refund(rule: RuleFacts) -> str:
    """Say what a refund does to a fixed amount, unless it goes back in proportion like everything else."""
    if rule.flat is None or rule.is_windowed or rule.kind in MONTH_MODELS:
        return ""
    return {
        "kept": _("The fixed amount is kept when an order is refunded."),
        "until_full": _("The fixed amount goes back only when the whole order is refunded."),
        "at_first": _("The fixed amount goes back with the first refund of an order."),
    }.get(rule.flat_on_refund, "")


def _intro(plan: PlanFacts, rules: int) -> str:
    if rules < 2:
        return ""
    if plan.combine == "stack":
        return _("All of these that apply add up:")
    return _("The first of these that applies is paid:")


def _base(plan: PlanFacts, words: Words) -> str:
    names = {"tax": _("tax"), "shipping": _("shipping"), "discount": _("discounts"), "cost": _("costs")}
    taken = [names[each] for each in DEDUCTIONS if each in plan.deducts]
    if not taken:
        return _("Percentages are of the full amount.")
    return _("Percentages are of the amount without %(parts)s.") % {"parts": words.row(taken)}


def _exclusions(plan: PlanFacts, words: Words) -> list[str]:
    told = []
    if plan.excluded_products:
        count = len(plan.excluded_products)
        text = ngettext("Product %(what)s earns nothing.", "Products %(what)s earn nothing.", count)
        told.append(text % {"what": words.row(sorted(plan.excluded_products))})
    if plan.excluded_categories:
        count = len(plan.excluded_categories)
        text = ngettext("Category %(what)s earns nothing.", "Categories %(what)s earn nothing.", count)
        told.append(text % {"what": words.row(sorted(plan.excluded_categories))})
    return told


def _refunds(plan: PlanFacts) -> str:
    days = plan.clawback_days
    if days is None:
        return _("A refund takes back the commission on what was refunded.")
    text = ngettext(
        "A refund within %(count)s day of the sale takes back the commission on what was refunded.",
        "A refund within %(count)s days of the sale takes back the commission on what was refunded.",
        days,
    )
    return text % {"count": days}


__all__ = [
    "conditions_sentence",
    "group_text",
    "plan_sentence",
    "plan_sentences",
    "rule_sentence",
    "rule_text",
]
