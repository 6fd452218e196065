"""Put what a tier asks beside a partner's figures, as meters with words. The figures are those of the last night where they were taken by
the scheme in force, else they are measured now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import lcm

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from partners import metrics
from partners.metrics import Group
from partners.models import Membership, MetricSnapshot
from portal.formats import active_locale
from tiers import qualify, requirement_sentences
from tiers.models import Program, TierScheme
from tiers.narrowing import Names
from tiers.qualify import Figure, Found
from tiers.qualify.scheme import AT_LEAST


@dataclass(frozen=True)
class TierMeter:
    """One thing a tier asks: how far the partner is, in figures that a meter can show and in words."""

    label: str
    value: int
    goal: int
    text: str


def figures_of(
    membership: Membership, row: TierScheme, scheme: qualify.Scheme, *, at: datetime
) -> dict[str, Figure]:
    """Return the figures of the last night, as far as they were taken by the scheme in force, else those of this moment."""
    kept = MetricSnapshot.objects.filter(membership=membership, scheme=row).first()
    if kept is not None:
        return metrics.loaded(kept.figures)
    group = Group(membership.program, membership.pk, membership.pk)
    return metrics.measure(group, scheme, at=at)(membership.pk)


def meter_of(found: Found, program: Program, names: Names) -> TierMeter:
    """Return one requirement beside its figure, as a meter and in words."""
    requirement, question = found.requirement, found.requirement.question
    locale, value = active_locale(), found.figure.value
    figure = requirement_sentences.figure_text(question, value, program.currency, locale)
    goal = requirement_sentences.figure_text(question, requirement.threshold, program.currency, locale)
    told = {"figure": figure, "goal": goal}
    if value is None:
        text = capfirst(figure) + "."
    elif requirement.operator != AT_LEAST:
        text = _("%(figure)s, at most %(goal)s.") % told
    elif found.is_met:
        text = _("%(figure)s of %(goal)s: enough.") % told
    else:
        told["rest"] = requirement_sentences.figure_text(
            question, found.gap, program.currency, locale, is_gap=True
        )
        text = _("%(figure)s of %(goal)s. %(rest)s to go.") % told
    reached, whole = _parts(value or Fraction(0), requirement.threshold)
    return TierMeter(
        label=requirement_sentences.sentence(requirement, program, locale, names=names),
        value=reached,
        goal=whole,
        text=text,
    )


def _parts(value: Fraction, threshold: Fraction) -> tuple[int, int]:
    """Return how far a figure is and how far it has to come, as whole numbers a meter can show."""
    unit = lcm(value.denominator, threshold.denominator)
    goal = max(int(threshold * unit), 1)
    return max(0, min(int(value * unit), goal)), goal
