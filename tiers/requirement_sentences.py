"""What a tier asks in sentences that partners read. They are generated from what reviews evaluate, never typed, so that they cannot ask
for anything else."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tiers import requirement_words as words
from tiers.models import Program
from tiers.narrowing import Names
from tiers.qualify import Ask, Requirement
from tiers.qualify import scheme as parts
from tiers.requirement_words import figure_text, metric_name, window_text

__all__ = ["combined", "figure_text", "metric_name", "of_ask", "sentence", "window_text"]


def sentence(requirement: Requirement, program: Program, locale: str, *, names: Names | None = None) -> str:
    """Return one requirement: Net revenue of at least £50,000.00 in the last 12 months.

    Whoever writes many passes `names`, so that those of certifications and courses are read once.
    """
    told = _bare(requirement, program, locale)
    only = _narrowed(requirement, locale, names or Names(program))
    return _("%(requirement)s (%(only)s)") % {"requirement": told, "only": only} if only else told


def of_ask(ask: Ask, program: Program, locale: str, *, names: Names | None = None) -> list[str]:
    """Return what a tier asks, one sentence for each requirement; where they are weighed, with what each counts."""
    known = names or Names(program)
    told = []
    for each in ask.requirements:
        text = sentence(each, program, locale, names=known)
        told.append(with_weight(text, each.weight) if ask.combine == parts.WEIGHTS else text)
    return told


def with_weight(text: str, weight: int) -> str:
    """Return a requirement with what it counts where requirements are weighed."""
    said = ngettext("%(requirement)s: counts %(count)s", "%(requirement)s: counts %(count)s", weight)
    return said % {"requirement": text, "count": weight}


def combined(ask: Ask) -> str:
    """Return how the requirements of a tier go together, as a line above them; empty when there is one or none."""
    if len(ask.requirements) < 2 and ask.combine != parts.WEIGHTS:
        return ""
    if ask.combine == parts.ALL:
        return _("All of these:")
    if ask.combine == parts.ANY:
        return _("One of these is enough:")
    return _("What is met has to count %(needed)s together:") % {"needed": ask.needed}


def _bare(requirement: Requirement, program: Program, locale: str) -> str:
    question, operator = requirement.question, requirement.operator
    figure = figure_text(question, requirement.threshold, program.currency, locale)
    window = window_text(question.window)
    if question.metric not in words.COUNTED:
        return str(words.SENTENCES[question.metric, operator]) % {"figure": figure, "window": window}
    what = words.COUNTED[question.metric](int(requirement.threshold)) % {"figure": figure}
    if operator == parts.AT_MOST:
        text = _("At most %(what)s %(window)s") if window else _("At most %(what)s")
    else:
        text = _("At least %(what)s %(window)s") if window else _("At least %(what)s")
    return text % {"what": what, "window": window}


def _narrowed(requirement: Requirement, locale: str, names: Names) -> str:
    return _(", ").join(names.row(param, keys, locale) for param, keys in requirement.question.params)
