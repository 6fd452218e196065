"""Which rules of a plan pay for an event, and why the others do not. What depends on few facts is remembered; conditions on anything
else are asked each time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from tiers.engine.case import Case
from tiers.engine.conditions import Check, WhyNot, compiled, situation, why_not
from tiers.engine.explain import Rejected
from tiers.engine.facts import BESIDE, Combine, Event, PlanFacts, RuleFacts, Standing
from tiers.engine.rates import RATES

# Situations are few (kinds, tiers, countries), but countries come from outside: the memory of them is bounded.
_SITUATIONS_KEPT = 4096

_Key = tuple[str, str, str, str, bool, str, bool]
Chosen = tuple[tuple[RuleFacts, ...], Rejected]
_Judged = tuple[tuple[RuleFacts, WhyNot | None], ...]
# Why a rule that could pay is over, or has not begun.
_NOTHING = {"recurring": "recurring_over", "prospective": "below_first_step", "override": "beyond_levels"}


class Selection:
    """The rules of a plan, ready to choose from."""

    __slots__ = ("_asks", "_checks", "_final", "_open", "_plain", "_plan")

    def __init__(self, plan: PlanFacts, zone: tzinfo) -> None:
        self._plan = plan
        self._checks: dict[str, Check] = {
            rule.key: compiled(rule.conditions, zone) for rule in plan.rules if rule.conditions.tests
        }
        self._final: dict[_Key, Chosen] = {}
        self._plain: dict[_Key, Chosen] = {}
        self._asks: dict[_Key, _Judged] = {}
        self._open: dict[_Key, _Judged] = {}

    def plain(self, event: Event, standing: Standing) -> Chosen | None:
        """Return the choice among rules that need only the base of an event, as quickly as can be.

        Nothing for facts that were not met before, or when a rule needs to know more: then ask `of`.
        """
        key = _key(event, standing)
        known = self._plain.get(key)
        if known is None and (judged := self._asks.get(key)) is not None:
            checks = self._checks
            return _combined(
                self._plan.combine,
                [
                    (
                        rule,
                        reason
                        if reason is not None or rule.key not in checks
                        else checks[rule.key](event, standing),
                    )
                    for rule, reason in judged
                ],
            )
        return known

    def of(self, case: Case) -> Chosen:
        """Return the rules that apply to a case, in order, and the others with the reason of each."""
        key = _key(case.event, case.standing)
        if (final := self._final.get(key)) is not None:
            return final
        judged = self._open.get(key)
        if judged is None:
            judged = self._judge(case)
            self._keep(key, judged)
        return _combined(
            self._plan.combine, ((rule, reason or self._asked(rule, case)) for rule, reason in judged)
        )

    def _judge(self, case: Case) -> _Judged:
        now = situation(case.event, case.standing)
        return tuple((rule, why_not(rule, now)) for rule in self._plan.rules)

    def _keep(self, key: _Key, judged: _Judged) -> None:
        if len(self._final) + len(self._open) >= _SITUATIONS_KEPT:
            self._final.clear()
            self._open.clear()
            self._plain.clear()
            self._asks.clear()
        if any(reason is None and self._is_open(rule) for rule, reason in judged):
            self._open[key] = judged
            if all(reason is not None or _is_plain(rule) for rule, reason in judged):
                self._asks[key] = judged
        else:
            chosen = self._final[key] = _combined(self._plan.combine, judged)
            if all(_is_plain(rule) for rule in chosen[0]):
                self._plain[key] = chosen

    def _is_open(self, rule: RuleFacts) -> bool:
        return rule.key in self._checks or rule.kind in _NOTHING or rule.kind == "lifetime_value"

    def _asked(self, rule: RuleFacts, case: Case) -> WhyNot | None:
        """Return why a rule does not apply that its simple conditions let through."""
        check = self._checks.get(rule.key)
        reason = check(case.event, case.standing) if check is not None else None
        if reason is not None:
            return reason
        if rule.kind in _NOTHING and not case.parts(rule):
            return WhyNot(_NOTHING[rule.kind], (), case.event.customer)
        if rule.kind == "lifetime_value" and not case.event.customer:
            return WhyNot("unknown_customer", (), "")
        return None


def _is_plain(rule: RuleFacts) -> bool:
    """Return whether a rule needs to know nothing but the base of an event."""
    return rule.kind in RATES and rule.limits is None


def _key(event: Event, standing: Standing) -> _Key:
    """Return all that simple conditions look at, as quickly as can be."""
    return (
        event.kind,
        event.refunds_kind,
        standing.tier_key,
        event.country,
        event.amount.minor == 0,
        event.role,
        standing.depth > 0,
    )


def _combined(combine: Combine, judged: Iterable[tuple[RuleFacts, WhyNot | None]]) -> Chosen:
    """Return who pays: all, or of those that compete the first."""
    applied: list[RuleFacts] = []
    rejected: list[tuple[RuleFacts, WhyNot]] = []
    winner: RuleFacts | None = None
    for rule, why in judged:
        reason = why
        if reason is None and combine == "first_match" and rule.kind not in BESIDE:
            if winner is not None:
                reason = WhyNot("earlier_rule_applied", (), winner.key)
            else:
                winner = rule
        if reason is None:
            applied.append(rule)
        else:
            rejected.append((rule, reason))
    return tuple(applied), tuple(rejected)
