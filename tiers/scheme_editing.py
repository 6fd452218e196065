"""Changes to a scheme of tiers, one at a time and without a database: a requirement, how those of a tier go together, what earns points. Each
returns a new scheme, for `tiers.schemes.rewrite`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from tiers.qualify import Ask, Calendar, PointRate, Process, Requirement, Scheme
from tiers.qualify.reading import MOST_REQUIREMENTS

MOST_RATES = 40


class NoSuchRequirement(Refused):
    message = _("This requirement is not in the draft any more.")


class NoSuchRate(Refused):
    message = _("This rate is not in the draft any more.")


class TooMany(Refused):
    message = _("There are %(most)s already; that is all there can be.")


def new_key(scheme: Scheme, tier: str, metric: str) -> str:
    """Return a key for a requirement of this metric that no other one of the tier has."""
    taken = {each.key for each in scheme.ask_of(tier).requirements}
    tries = (metric if at == 1 else f"{metric}-{at}" for at in range(1, len(taken) + 2))
    return next(each for each in tries if each not in taken)


def with_requirement(scheme: Scheme, tier: str, requirement: Requirement) -> Scheme:
    """Ask for something, last of all the tier asks. Raises: TooMany."""
    ask = scheme.ask_of(tier)
    if len(ask.requirements) >= MOST_REQUIREMENTS:
        raise TooMany(params={"most": MOST_REQUIREMENTS})
    return _asking(scheme, tier, replace(ask, requirements=(*ask.requirements, requirement)))


def with_changed(scheme: Scheme, tier: str, requirement: Requirement) -> Scheme:
    """Put a requirement in the place of the one with its key. Raises: NoSuchRequirement."""
    ask = scheme.ask_of(tier)
    if requirement.key not in {each.key for each in ask.requirements}:
        raise NoSuchRequirement
    rows = tuple(requirement if each.key == requirement.key else each for each in ask.requirements)
    return _asking(scheme, tier, replace(ask, requirements=rows))


def without_requirement(scheme: Scheme, tier: str, key: str) -> Scheme:
    """Ask for something no more. Raises: NoSuchRequirement."""
    ask = scheme.ask_of(tier)
    rows = tuple(each for each in ask.requirements if each.key != key)
    if len(rows) == len(ask.requirements):
        raise NoSuchRequirement
    return _asking(scheme, tier, replace(ask, requirements=rows))


def combined(scheme: Scheme, tier: str, *, how: str, needed: int, weights: Mapping[str, int]) -> Scheme:
    """Say how the requirements of a tier go together; `weights` are by key, and a missing one stays."""
    ask = scheme.ask_of(tier)
    rows = tuple(replace(each, weight=weights.get(each.key, each.weight)) for each in ask.requirements)
    return _asking(scheme, tier, Ask(rows, how, needed))


def with_rate(scheme: Scheme, rate: PointRate) -> Scheme:
    """Let something more earn points. Raises: TooMany."""
    if len(scheme.points) >= MOST_RATES:
        raise TooMany(params={"most": MOST_RATES})
    return replace(scheme, points=(*scheme.points, rate))


def with_changed_rate(scheme: Scheme, before: PointRate, rate: PointRate) -> Scheme:
    """Put a rate of points in the place of `before`. Raises: NoSuchRate."""
    if before not in scheme.points:
        raise NoSuchRate
    at = scheme.points.index(before)
    return replace(scheme, points=(*scheme.points[:at], rate, *scheme.points[at + 1 :]))


def without_rate(scheme: Scheme, before: PointRate) -> Scheme:
    """Let something earn points no more. Raises: NoSuchRate."""
    if before not in scheme.points:
        raise NoSuchRate
    at = scheme.points.index(before)
    return replace(scheme, points=(*scheme.points[:at], *scheme.points[at + 1 :]))


def with_calendar(scheme: Scheme, calendar: Calendar) -> Scheme:
    """Say when partners may rise and fall."""
    return replace(scheme, calendar=calendar)


def with_process(scheme: Scheme, process: Process) -> Scheme:
    """Say how a change is gone about."""
    return replace(scheme, process=process)


def _asking(scheme: Scheme, tier: str, ask: Ask) -> Scheme:
    return replace(scheme, asks={**scheme.asks, tier: ask})
