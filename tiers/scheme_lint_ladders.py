"""What can be wrong between requirements: thresholds that do not rise with the rank, requirements that exclude each other, weights that
cannot be reached, tiers that ask for nothing. A tier asks for what is below it as well, so all of a ladder is looked at together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from django.utils.translation import gettext as _

from tiers.qualify import Ask, Requirement, Rung, Scheme
from tiers.qualify import scheme as parts
from tiers.requirement_sentences import sentence
from tiers.scheme_faults import Around, Found


def findings_of_ladders(scheme: Scheme, around: Around) -> Found:
    """Yield what is wrong with each ladder, and with what is asked outside of all of them."""
    known = {rung.key for rungs in around.ladders.values() for rung in rungs}
    for tier, ask in scheme.asks.items():
        if tier not in known and ask.requirements:
            text = _("There is no tier “%(tier)s” in use, so nothing can be asked for it.")
            yield "unknown_tier", f"tiers/{tier}", text % {"tier": tier}
    for rungs in around.ladders.values():
        yield from _lowest(scheme, rungs[0])
        for rung in rungs[1:]:
            yield from _empty(scheme, rung)
            yield from _weights(scheme.ask_of(rung.key), rung)
            yield from _twice(scheme.ask_of(rung.key), rung, around)
        yield from _order(scheme, rungs, around)
        yield from _exclude(scheme, rungs, around)


def _lowest(scheme: Scheme, rung: Rung) -> Found:
    if scheme.ask_of(rung.key).requirements:
        text = _("Everybody begins in %(tier)s, the lowest tier: it can ask for nothing.")
        yield "lowest_asks", f"tiers/{rung.key}", text % {"tier": _name(rung)}


def _empty(scheme: Scheme, rung: Rung) -> Found:
    if not scheme.ask_of(rung.key).requirements:
        text = _("%(tier)s asks for nothing: whoever has the tier below would move up by itself.")
        yield "asks_nothing", f"tiers/{rung.key}", text % {"tier": _name(rung)}


def _weights(ask: Ask, rung: Rung) -> Found:
    if ask.combine != parts.WEIGHTS or not ask.requirements:
        return
    together = sum(each.weight for each in ask.requirements)
    place = f"tiers/{rung.key}/needed"
    if ask.needed < 1:
        text = _("%(tier)s needs a weight of 0, so it asks for nothing.")
        yield "always_met", place, text % {"tier": _name(rung)}
    elif together < ask.needed:
        text = _(
            "%(tier)s can never be reached: all its requirements count %(together)s together, %(needed)s are needed."
        )
        values = {"tier": _name(rung), "together": together, "needed": ask.needed}
        yield "weights_unreachable", place, text % values
    for each in ask.requirements:
        if not each.weight:
            text = _("%(tier)s: a requirement without a weight counts for nothing.")
            yield "no_weight", f"tiers/{rung.key}/{each.key}/weight", text % {"tier": _name(rung)}


def _twice(ask: Ask, rung: Rung, around: Around) -> Found:
    seen: dict[tuple[str, str], Requirement] = {}
    for each in ask.requirements:
        before = seen.setdefault((each.question.key, each.operator), each)
        if before is not each:
            text = _("%(tier)s asks the same twice: “%(first)s” and “%(second)s”.")
            values = {
                "tier": _name(rung),
                "first": _sentence(before, around),
                "second": _sentence(each, around),
            }
            yield "asked_twice", f"tiers/{rung.key}/{each.key}", text % values


def _order(scheme: Scheme, rungs: Sequence[Rung], around: Around) -> Found:
    """Compare what tiers that combine alike ask of the same figure: a higher one never asks for less."""
    for at, rung in enumerate(rungs):
        ask = scheme.ask_of(rung.key)
        for each in ask.requirements:
            for below in reversed(rungs[1:at]):
                beside = _same(scheme.ask_of(below.key), each)
                if beside is None or not _combine_alike(ask, scheme.ask_of(below.key)):
                    continue
                if _is_less(each, beside):
                    text = _("%(tier)s asks for less than %(below)s below it: “%(less)s”, “%(more)s”.")
                    values = {
                        "tier": _name(rung),
                        "below": _name(below),
                        "less": _sentence(each, around),
                        "more": _sentence(beside, around),
                    }
                    yield "out_of_order", f"tiers/{rung.key}/{each.key}/threshold", text % values
                    break


def _same(ask: Ask, wanted: Requirement) -> Requirement | None:
    return next(
        (
            each
            for each in ask.requirements
            if each.question == wanted.question and each.operator == wanted.operator
        ),
        None,
    )


def _combine_alike(one: Ask, other: Ask) -> bool:
    return _combine(one) == _combine(other)


def _combine(ask: Ask) -> str:
    """Return how a tier combines; one requirement alone is all there is."""
    return parts.ALL if len(ask.requirements) == 1 and ask.combine == parts.ANY else ask.combine


def _is_less(each: Requirement, below: Requirement) -> bool:
    if each.operator == parts.AT_LEAST:
        return each.threshold < below.threshold
    return each.threshold > below.threshold


def _exclude(scheme: Scheme, rungs: Sequence[Rung], around: Around) -> Found:
    """Find a floor above a ceiling among all that has to be met together, from the lowest rung up."""
    floors: dict[str, tuple[Fraction, Requirement]] = {}
    ceilings: dict[str, tuple[Fraction, Requirement]] = {}
    told: set[str] = set()
    for rung, each in _needed(scheme, rungs):
        key = each.question.key
        if each.operator == parts.AT_LEAST:
            floors[key] = max(
                floors.get(key, (each.threshold, each)), (each.threshold, each), key=lambda pair: pair[0]
            )
        else:
            ceilings[key] = min(
                ceilings.get(key, (each.threshold, each)), (each.threshold, each), key=lambda pair: pair[0]
            )
        crosses = key in floors and key in ceilings and floors[key][0] > ceilings[key][0]
        if crosses and key not in told:
            told.add(key)
            text = _("%(tier)s can never be reached: “%(floor)s” and “%(ceiling)s” exclude each other.")
            values = {
                "tier": _name(rung),
                "floor": _sentence(floors[key][1], around),
                "ceiling": _sentence(ceilings[key][1], around),
            }
            yield "excluded", f"tiers/{rung.key}/{each.key}/threshold", text % values


def _needed(scheme: Scheme, rungs: Sequence[Rung]) -> Iterator[tuple[Rung, Requirement]]:
    """Yield what has to be met, tier by tier: of tiers where one of several does, nothing certainly has to."""
    for rung in rungs[1:]:
        ask = scheme.ask_of(rung.key)
        if _combine(ask) == parts.ALL:
            yield from ((rung, each) for each in ask.requirements)


def _name(rung: Rung) -> str:
    return rung.name or rung.key


def _sentence(requirement: Requirement, around: Around) -> str:
    return sentence(requirement, around.program, around.locale, names=around.names)
