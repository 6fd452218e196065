"""Put a membership's figures beside what its tier and the next one ask, in words and figures for staff. The sentences are the ones partners
read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from prm.accounts.back_office import locale
from tiers import requirement_sentences as sentences
from tiers.models import Program
from tiers.narrowing import Names
from tiers.qualify import Outcome, RungVerdict, Verdict
from tiers.qualify.evaluate import Found


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement beside its figure; `gap` is empty where nothing is missing or nobody can know."""

    question: str
    sentence: str
    figure: str
    target: str
    gap: str
    is_met: bool
    rows: int


@dataclass(frozen=True, slots=True)
class RungLines:
    """What one tier asks, beside the figures; `combined` says how it goes together."""

    key: str
    name: str
    is_reached: bool
    combined: str
    lines: Sequence[Line]


class Wording:
    """Words for one program; names of certifications and the like are read once."""

    def __init__(self, program: Program) -> None:
        self.program, self.names = program, Names(program)

    def line(self, found: Found) -> Line:
        """Return a requirement with its figure, target and gap."""
        question, currency = found.requirement.question, self.program.currency
        gap = ""
        if found.gap:
            gap = sentences.figure_text(question, found.gap, currency, locale(), is_gap=True)
        return Line(
            question=question.key,
            sentence=sentences.sentence(found.requirement, self.program, locale(), names=self.names),
            figure=sentences.figure_text(question, found.figure.value, currency, locale()),
            target=sentences.figure_text(question, found.requirement.threshold, currency, locale()),
            gap=gap,
            is_met=found.is_met,
            rows=found.figure.rows,
        )

    def rung(self, verdict: RungVerdict, combined: str) -> RungLines:
        """Return what one tier asks."""
        lines = [self.line(each) for each in verdict.found]
        return RungLines(verdict.rung.key, verdict.rung.name, verdict.is_reached, combined, lines)

    def short(self, verdict: Verdict) -> list[str]:
        """Say in a line each why somebody would move, or what is missing for the next tier."""
        said = []
        for each in deciding(verdict):
            line = self.line(each)
            told = {"requirement": line.sentence, "figure": line.figure, "gap": line.gap}
            if line.gap:
                said.append(_("%(requirement)s: %(figure)s, %(gap)s missing") % told)
            else:
                said.append(_("%(requirement)s: %(figure)s") % told)
        return said


def deciding(verdict: Verdict) -> Iterable[Found]:
    """Return the requirements that decide: what is missed for a fall, what is met for a rise, what is missing for the next tier."""
    if verdict.outcome == Outcome.UP:
        return [each for each in verdict.of(verdict.target.key).found if each.is_met]
    up_to = verdict.current.rank
    if verdict.outcome == Outcome.KEEP:
        higher = [each.rung.rank for each in verdict.rungs if each.rung.rank > up_to]
        if not higher:
            return []
        up_to = min(higher)
    rungs = [each for each in verdict.rungs if each.rung.rank <= up_to and not each.is_met]
    return [found for rung in rungs for found in rung.found if not found.is_met]
