"""What one scheme of tiers asks differently from another, in sentences. Everything a scheme settles is compared, so two schemes without a
difference decide the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from django.utils.translation import gettext as _

from tiers.models import Program
from tiers.narrowing import Names
from tiers.process_sentences import process_sentences, rate_sentence
from tiers.qualify import Ask, PointRate, Requirement, Rung, Scheme
from tiers.qualify import scheme as parts
from tiers.requirement_sentences import sentence, with_weight

Kind: TypeAlias = Literal["added", "removed", "changed"]
Ladders: TypeAlias = Mapping[str, tuple[Rung, ...]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is different: about `tier` (its name, or empty), now `text`, before it `before`."""

    kind: Kind
    tier: str
    text: str
    before: str = ""


def differences(
    before: Scheme, after: Scheme, program: Program, ladders: Ladders, locale: str
) -> list[Difference]:
    """Return what `after` asks differently from `before`: tier by tier from the lowest rank up, then points, then reviews."""
    names = Names(program)
    called = {rung.key: rung.name or rung.key for rungs in ladders.values() for rung in rungs}
    keys = [*called, *sorted({*before.asks, *after.asks} - set(called))]
    found: list[Difference] = []
    for key in keys:
        tell = _Tell(program, locale, names, called.get(key, key))
        found += tell.ask(before.ask_of(key), after.ask_of(key))
    found += _rates(before.points, after.points, program, locale, names)
    found += _process(before, after, locale)
    return found


@dataclass(frozen=True)
class _Tell:
    """Tells the differences of one tier."""

    program: Program
    locale: str
    names: Names
    tier: str

    def ask(self, before: Ask, after: Ask) -> Iterator[Difference]:
        was, now = ({_identity(each): each for each in ask.requirements} for ask in (before, after))
        for key, each in was.items():
            if key not in now:
                yield Difference("removed", self.tier, self._text(each, before))
        for key, each in now.items():
            if key not in was:
                yield Difference("added", self.tier, self._text(each, after))
            elif (old := self._text(was[key], before)) != (new := self._text(each, after)):
                yield Difference("changed", self.tier, new, old)
        if after.requirements and before.requirements and _how(before) != _how(after):
            yield Difference("changed", self.tier, _combined(after), _combined(before))

    def _text(self, requirement: Requirement, ask: Ask) -> str:
        told = sentence(requirement, self.program, self.locale, names=self.names)
        return with_weight(told, requirement.weight) if ask.combine == parts.WEIGHTS else told


def _identity(requirement: Requirement) -> tuple[str, str, str]:
    """Return what makes two requirements the same one with another threshold."""
    question = requirement.question
    return requirement.key, question.metric, requirement.operator


def _how(ask: Ask) -> tuple[str, int]:
    return ask.combine, ask.needed if ask.combine == parts.WEIGHTS else 0


def _combined(ask: Ask) -> str:
    if ask.combine == parts.WEIGHTS:
        return _("What is met has to count %(needed)s together.") % {"needed": ask.needed}
    if ask.combine == parts.ANY:
        return _("One requirement is enough.")
    return _("All requirements have to be met.")


def _rates(
    before: tuple[PointRate, ...],
    after: tuple[PointRate, ...],
    program: Program,
    locale: str,
    names: Names,
) -> Iterator[Difference]:
    was, now = (
        [rate_sentence(each, program, locale, names=names) for each in rates] for rates in (before, after)
    )
    yield from (Difference("removed", "", text) for text in was if text not in now)
    yield from (Difference("added", "", text) for text in now if text not in was)


def _process(before: Scheme, after: Scheme, locale: str) -> Iterator[Difference]:
    was = process_sentences(before, locale)
    for name, text in process_sentences(after, locale).items():
        if text != was[name]:
            yield Difference("changed", "", text, was[name])
