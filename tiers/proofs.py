"""Prove that a draft can be published: every rule can be read and can pay, names only what exists, and the examples come out as they
say. The first thing that is wrong is refused with the rule and the field named."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from tiers import cases, rulebook
from tiers.choices import Deduction, EventKind, Grandfather
from tiers.engine.facts import PlanFacts, RuleFacts, Step
from tiers.engine.reading import Unreadable, read_rule
from tiers.lint import lint
from tiers.models import PlanVersion, Rule


class NoRules(Refused):
    message = _("A plan version needs at least one rule.")
    field = "rules"


class UnreadableRule(Refused):
    message = _("Rule “%(rule)s”, %(part)s: %(why)s")
    field = "rules"


class UnknownCondition(Refused):
    message = _("Rule “%(rule)s” names %(what)s that does not exist here: %(values)s.")
    field = "rules"


class CertainlyWrong(Refused):
    message = _("Rule “%(rule)s”: %(why)s")
    field = "rules"


class NothingToEarn(Refused):
    message = _("Rule “%(rule)s” pays nothing: give it a percentage or a flat amount.")
    field = "rules"


class UnknownDeduction(Refused):
    message = _("“%(values)s” is nothing an order can contain besides what earns: choose from %(known)s.")
    field = "deducts"


class BadExclusions(Refused):
    message = _("What earns nothing is a list of words: “%(value)s” is none.")


class NobodyToKeep(Refused):
    message = _("An agreement with one partner is for that partner: it cannot leave partners out.")
    field = "grandfather"


class FailingExample(Refused):
    message = _("Example “%(name)s” must earn %(expected)s and earns %(got)s.")
    field = "cases"


class UnreadableExample(Refused):
    message = _("Example “%(name)s”: %(why)s")
    field = "cases"


def prove(version: PlanVersion, *, effective_at: datetime) -> PlanFacts:
    """Return the version as the engine reads it, once nothing speaks against it.

    Raises: NoRules, UnreadableRule, UnknownCondition, NothingToEarn, CertainlyWrong, UnknownDeduction, BadExclusions,
    NobodyToKeep, UnreadableExample, FailingExample.
    """
    _check_settings(version)
    rules = list(version.rules.order_by("position", "key"))
    if not rules:
        raise NoRules
    tiers = set(version.plan.program.tiers.values_list("key", flat=True))
    for rule in rules:
        _check_rule(rule, currency=version.plan.program.currency, tiers=tiers)
    plan = rulebook.facts(version, effective_at=effective_at)
    _check_whole(plan, version)
    _check_examples(version)
    return plan


def _check_settings(version: PlanVersion) -> None:
    unknown = [str(name) for name in version.deducts if name not in Deduction.values]
    if unknown:
        raise UnknownDeduction(params={"values": ", ".join(unknown), "known": ", ".join(Deduction.values)})
    for name in ("excluded_products", "excluded_categories"):
        value = getattr(version, name)
        if not isinstance(value, list) or any(not isinstance(each, str) or not each for each in value):
            raise BadExclusions(field=name, params={"value": str(value)[:60]})
    if version.member_key and version.grandfather == Grandfather.MEMBERSHIPS:
        raise NobodyToKeep


def _check_rule(rule: Rule, *, currency: str, tiers: set[str]) -> None:
    try:
        read = read_rule(rulebook.stored(rule), currency=currency)
    except Unreadable as unreadable:
        raise refusal_of(rule, unreadable) from unreadable
    except ValueError as error:
        raise UnreadableRule(params={"rule": rule.name, "part": _("details"), "why": error}) from error
    _refuse_unknown(rule, _("an event kind"), set(read.event_kinds) - set(EventKind.values))
    _refuse_unknown(rule, _("a tier"), set(read.tiers) - tiers)
    if not pays(read):
        raise NothingToEarn(params={"rule": rule.name})


def refusal_of(rule: Rule, unreadable: Unreadable) -> UnreadableRule:
    """Return why a rule cannot be read, in the language that is active."""
    why = gettext(unreadable.message) % unreadable.params
    return UnreadableRule(params={"rule": rule.name, "part": unreadable.field, "why": why})


def _refuse_unknown(rule: Rule, what: object, values: Iterable[str]) -> None:
    found = ", ".join(sorted(values))
    if found:
        raise UnknownCondition(params={"rule": rule.name, "what": what, "values": found})


_RATED = frozenset({"percent", "percent_plus_flat", "recurring", "participation"})


def pays(rule: RuleFacts) -> bool:
    """Say whether a rule can come to anything at all."""
    has_rate = rule.kind in _RATED and bool(rule.rate)
    has_flat = rule.flat is not None and bool(rule.flat.minor)
    has_schedule = rule.recurring is not None and any(rule.recurring.schedule)
    return has_rate or has_flat or has_schedule or any(rule.levels) or any(map(_step_pays, rule.steps))


def _step_pays(step: Step) -> bool:
    return bool(step.rate or step.flat)


def _check_whole(plan: PlanFacts, version: PlanVersion) -> None:
    """Refuse what the look over the whole plan finds certainly wrong; its warnings are for people."""
    program = version.plan.program
    tiers = list(program.tiers.values_list("key", "name", "rank"))
    names = {rule.key: rule.name for rule in plan.rules}
    for finding in lint(plan, tiers=tiers, event_kinds=(), currency=program.currency):
        if finding.severity == "error":
            raise CertainlyWrong(
                params={"rule": names.get(finding.rule, finding.rule), "why": finding.message}
            )


def _check_examples(version: PlanVersion) -> None:
    for result in cases.run_cases(version):
        if result.problem:
            raise UnreadableExample(params={"name": result.name, "why": result.problem})
        if result.got != result.expected:
            raise FailingExample(params={"name": result.name, "expected": result.expected, "got": result.got})
