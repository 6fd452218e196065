"""Look a version over with what the house knows: the kinds of events it has seen and the codes somebody owns. Both are known downstream,
so whoever knows them says so here; nobody saying anything means that nothing is known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tiers.engine.facts import PlanFacts
from tiers.engine.probes import tests_of
from tiers.lint import Finding, lint
from tiers.models import PlanVersion


@dataclass(frozen=True)
class Surroundings:
    """What a plan lives among."""

    event_kinds: Collection[str] = ()
    codes_without_owner: Sequence[str] = ()


# What the house knows, asked with the codes that a plan's rules name.
Source = Callable[[Sequence[str]], Surroundings]
_sources: list[Source] = []


def learn_from(source: Source) -> None:
    """Ask `source` whenever a version is looked over."""
    _sources.append(source)


def findings_of(version: PlanVersion, plan: PlanFacts, *, locale: str) -> list[Finding]:
    """Return what is worth a look in a version that can be read, errors first."""
    program = version.plan.program
    around = _surroundings(_codes_named(plan))
    return lint(
        plan,
        tiers=list(program.tiers.values_list("key", "name", "rank")),
        event_kinds=around.event_kinds,
        codes_without_owner=around.codes_without_owner,
        currency=program.currency,
        locale=locale,
    )


def _codes_named(plan: PlanFacts) -> list[str]:
    named = {
        value
        for rule in plan.rules
        for test in tests_of(rule.conditions)
        if test.attribute == "code" and test.operator in ("=", "in")
        for value in test.values
    }
    return sorted(named)


def _surroundings(codes: Sequence[str]) -> Surroundings:
    found = [source(codes) for source in _sources]
    kinds = {kind for each in found for kind in each.event_kinds}
    orphans = {code for each in found for code in each.codes_without_owner}
    return Surroundings(sorted(kinds), sorted(orphans))
