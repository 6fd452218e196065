"""Look over a plan before it is published: what earns nothing, what can never pay, what pays twice or too much. It tries made-up events
on the engine itself; a warning says what may happen, an error what is certainly wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from prm.lib.periods import local_day
from tiers.engine.attributes import LISTS, day_of
from tiers.engine.facts import TAKES_BACK, Group, PlanFacts, RuleFacts
from tiers.engine.probes import tests_of
from tiers.lint_cover import Findings, findings_of_events
from tiers.lint_pay import SMALLEST_ORDER, findings_of_pay
from tiers.sentence_words import Words

__all__ = ["Finding", "lint"]

Severity = Literal["error", "warning"]
_FIRST_AT_0 = frozenset({"graduated", "volume", "accelerator", "prospective"})
_FLAT = frozenset({"flat", "percent_plus_flat", "participation"})
_WITH_AMOUNT = frozenset({"sale", "renewal"})
# What is certainly wrong, whatever happens; everything else may be meant.
_ERRORS = frozenset({"unknown_tier", "no_values", "unusual_rate", "steps_overlap", "limits_cross"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth a look. `rule` is the key of the rule it is about, empty for the plan."""

    severity: Severity
    rule: str
    code: str
    message: str


def lint(
    plan: PlanFacts,
    *,
    tiers: Sequence[tuple[str, str, int]],
    event_kinds: Collection[str],
    codes_without_owner: Sequence[str] = (),
    currency: str | None = None,
    locale: str = "en_GB",
) -> list[Finding]:
    """Return what is worth a look in `plan`, errors first.

    `tiers` are key, name and rank; `event_kinds` the kinds of events the program has seen. Without a `currency` the
    one of the plan's own amounts is taken.
    """
    ladder = sorted(tiers, key=lambda tier: tier[2])
    words = Words(currency or _currency_of(plan), locale, {key: name for key, name, _rank in ladder})
    seen = sorted(set(event_kinds) - TAKES_BACK - {"chargeback_won"}) or ["sale"]
    broken = list(_findings_of_rules(plan, words))
    unfit = {rule for rule, code, _message in broken if code == "no_values"}
    fit = [rule for rule in plan.rules if rule.key not in unfit]
    why_never = {rule for rule, code, _message in broken if code in ("unknown_tier", "past_dates")}
    names = [(key, name) for key, name, _rank in ladder]
    found = [
        *broken,
        *findings_of_events(plan, fit, names, seen, words),
        *findings_of_pay(plan, fit, names, seen, words),
        *_findings_of_codes(plan, codes_without_owner, words),
    ]
    made = [
        Finding("error" if code in _ERRORS else "warning", rule, code, text)
        for rule, code, text in found
        if not (code == "never_met" and rule in why_never)
    ]
    return sorted(made, key=lambda finding: finding.severity != "error")


def _currency_of(plan: PlanFacts) -> str:
    return next((rule.flat.currency for rule in plan.rules if rule.flat is not None), "EUR")


def _findings_of_rules(plan: PlanFacts, words: Words) -> Findings:
    for rule in plan.rules:
        checks = (_rates, _flat, _steps, _limits)
        for check in checks:
            yield from check(rule, words)
        yield from _conditions(plan, rule, words)


def _rates(rule: RuleFacts, words: Words) -> Findings:
    rates = (rule.rate, *rule.levels, *(step.rate for step in rule.steps), *_schedule(rule))
    odd = sorted({rate for rate in rates if not 0 <= rate <= 1})
    if not odd:
        return
    told = words.row([words.percent(rate) for rate in odd])
    if rule.unusual:
        text = _("The rate of %(rates)s has been confirmed; please look once more.")
        yield rule.key, "confirmed_rate", text % {"rates": told}
    else:
        text = _("The rate of %(rates)s is not between 0 and 100%% and nobody has confirmed it.")
        yield rule.key, "unusual_rate", text % {"rates": told}


def _schedule(rule: RuleFacts) -> Iterable[Decimal]:
    return rule.recurring.schedule if rule.recurring else ()


def _flat(rule: RuleFacts, words: Words) -> Findings:
    smallest = words.minor(SMALLEST_ORDER)
    is_for_orders = not rule.event_kinds or rule.event_kinds & _WITH_AMOUNT
    if rule.kind in _FLAT and rule.flat is not None and is_for_orders and rule.flat.minor > smallest:
        text = _("The fixed amount of %(flat)s is more than a small order of %(order)s brings.")
        values = {"flat": words.money(rule.flat.minor), "order": words.money(smallest)}
        yield rule.key, "flat_above_order", text % values


def _steps(rule: RuleFacts, words: Words) -> Findings:
    starts = [step.start for step in rule.steps]
    if starts != sorted(set(starts)):
        yield rule.key, "steps_overlap", _("The steps do not rise one after the other.")
    if rule.kind in _FIRST_AT_0 and starts and starts[0] > 0:
        yield rule.key, "steps_gap", _("The first step does not start at 0: what is below may earn nothing.")
    if rule.kind == "stairstep" and any(
        later.flat < earlier.flat for earlier, later in zip(rule.steps, rule.steps[1:], strict=False)
    ):
        yield rule.key, "step_pays_less", _("A higher step pays less than the one below it.")


def _limits(rule: RuleFacts, words: Words) -> Findings:
    limits = rule.limits
    if limits is None:
        return
    pairs = ((limits.event_min, limits.event_max), (limits.window_min, limits.window_max))
    if any(least is not None and most is not None and least > most for least, most in pairs):
        yield rule.key, "limits_cross", _("A floor is above its cap.")
    if limits.budget_max is not None and limits.budget_window.kind == "lifetime":
        text = _("The budget of %(amount)s has no end: once it is used up, this rule pays nothing more.")
        yield rule.key, "budget_for_life", text % {"amount": words.money(limits.budget_max)}


def _conditions(plan: PlanFacts, rule: RuleFacts, words: Words) -> Findings:
    tests = list(tests_of(rule.conditions))
    if any(not test.values for test in tests):
        yield rule.key, "no_values", _("A condition has an empty list: nothing can meet it.")
    named = set(rule.tiers)
    for test in tests:
        if test.attribute == "tier" and test.operator in (*LISTS, "=", "!="):
            named |= set(test.values)
    unknown = sorted(named - set(words.names))
    if unknown and words.names:
        text = _("There is no tier called %(tiers)s.")
        yield rule.key, "unknown_tier", text % {"tiers": words.row(unknown, "or")}
    if _is_past(plan, rule):
        yield rule.key, "past_dates", _("Its dates are over before the plan takes effect.")


def _is_past(plan: PlanFacts, rule: RuleFacts) -> bool:
    """Return whether a date that the rule must meet ends before the plan begins."""
    if rule.conditions.join == "any" and len(rule.conditions.tests) > 1:
        return False
    first = local_day(plan.effective_at, ZoneInfo(plan.time_zone))
    for test in rule.conditions.tests:
        if isinstance(test, Group) or test.attribute != "date" or not test.values:
            continue
        day = day_of(test.values[0])
        is_over = {"<": day is not None and day <= first, "<=": day is not None and day < first}
        is_over["="] = is_over["<="]
        if is_over.get(test.operator, False):
            return True
    return False


def _findings_of_codes(plan: PlanFacts, codes: Sequence[str], words: Words) -> Findings:
    if not codes:
        return
    text = _("Nobody owns code %(codes)s: orders with it may earn nobody anything.")
    yield "", "code_without_owner", text % {"codes": words.row(sorted(codes), "or")}
    orphans = {code.casefold() for code in codes}
    for rule in plan.rules:
        asked = {value for value in _codes(rule) if value.casefold() in orphans}
        if asked:
            told = words.row(sorted(asked), "or")
            yield (
                rule.key,
                "code_without_owner",
                _("It asks for code %(codes)s, which nobody owns.") % {"codes": told},
            )


def _codes(rule: RuleFacts) -> Iterator[str]:
    for test in tests_of(rule.conditions):
        if test.attribute == "code" and test.operator in ("=", "in"):
            yield from test.values
