"""Look a scheme of tiers over before it counts. An error is certainly wrong and keeps a scheme from being published; a warning says what
may not be meant."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from django.utils.translation import gettext as _

from prm.lib import l10n
from tiers.models import Program
from tiers.narrowing import Names
from tiers.qualify import Question, Rung, Scheme
from tiers.qualify import scheme as parts
from tiers.requirement_words import PARAM_NAMES
from tiers.scheme_faults import Around, Finding, Found
from tiers.scheme_lint_asks import findings_of_requirements
from tiers.scheme_lint_ladders import findings_of_ladders

__all__ = ["BY_ITSELF", "WINDOWS", "Finding", "findings_of", "learn_metrics", "lint"]

_WARNINGS = frozenset(
    {
        "asked_twice",
        "value_not_in_use",
        "no_weight",
        "rates_without_points",
        "no_reviews",
        "never_down",
        "no_grace",
        "appeal_after_grace",
        "odd_multiplier",
    }
)
# What nothing else in the scheme can put right: it is refused as soon as it is written.
BY_ITSELF = frozenset(
    {"never_met", "always_met", "nobody_reads", "unknown_value", "unknown_tier", "lowest_asks", "no_points"}
)
# The one error a person may wave through: figures are then of what there is.
WINDOWS = "window_before_data"

Known = Callable[[], Collection[str]]
Beginning = Callable[[Question, Program], datetime | None]
_metrics: list[tuple[Known, Beginning]] = []


def learn_metrics(known: Known, begins: Beginning) -> None:
    """Let whoever measures say which metrics somebody reads, and since when a program has facts a question could count."""
    _metrics.append((known, begins))


def readable() -> set[str]:
    """Return the metrics somebody reads; nothing when nobody said, so that any may be."""
    return {metric for known, _begins in _metrics for metric in known()}


def findings_of(
    scheme: Scheme, program: Program, ladders: dict[str, tuple[Rung, ...]], *, at: datetime | None = None
) -> list[Finding]:
    """Return what is worth a look in a scheme of a program, errors first.

    `at` is the instant from which it is measured; without it windows are not compared with the data.
    """

    def begins(question: Question) -> datetime | None:
        told = [found for _known, begin in _metrics if (found := begin(question, program)) is not None]
        return min(told, default=None)

    around = Around(
        program=program,
        ladders=ladders,
        names=Names(program),
        locale=l10n.active_locale(),
        readable=readable() or None,
        begins=begins,
        at=at,
    )
    return lint(scheme, around)


def lint(scheme: Scheme, around: Around) -> list[Finding]:
    """Return what is worth a look in a scheme, errors first."""
    found = [
        *findings_of_ladders(scheme, around),
        *findings_of_requirements(scheme, around),
        *_points(scheme, around),
        *_process(scheme),
    ]
    made = [
        Finding("warning" if code in _WARNINGS else "error", code, where, text) for code, where, text in found
    ]
    return sorted(made, key=lambda finding: finding.severity != "error")


def _points(scheme: Scheme, around: Around) -> Found:
    asks = any(question.metric == "points" for question in scheme.questions())
    if asks and not scheme.points:
        yield "no_point_rates", "points", _("Points are asked for, but nothing earns any.")
    if scheme.points and not asks:
        yield "rates_without_points", "points", _("Points are earned, but no tier asks for any.")
    for at, rate in enumerate(scheme.points, start=1):
        if rate.points <= 0:
            yield "no_points", f"points/{at}/points", _("A rate of points has to earn more than nothing.")
        for param, value in (("credit_role", rate.role), ("kind", rate.kind)):
            if not value or not around.names.is_known(param):
                continue
            if value not in {each.key for each in around.names.values(param)}:
                text = _("%(what)s: there is no “%(value)s” in this program.")
                values = {"what": PARAM_NAMES.get(param, param), "value": value}
                yield (
                    "unknown_value",
                    f"points/{at}/{'role' if param == 'credit_role' else param}",
                    text % values,
                )
        for country, multiplier in rate.multipliers:
            if multiplier <= 0:
                text = _("The multiplier of %(country)s is not above 0: nothing earns points there.")
                yield (
                    "odd_multiplier",
                    f"points/{at}/multipliers",
                    text % {"country": around.names.name("market", country)},
                )


def _process(scheme: Scheme) -> Found:
    process, calendar = scheme.process, scheme.calendar
    never_up, never_down = (each.every == parts.NEVER for each in (calendar.promotion, calendar.demotion))
    if never_up and never_down:
        yield "no_reviews", "calendar", _("No review comes by itself: somebody has to ask for each.")
    elif never_down:
        yield "never_down", "calendar/demotion", _("Nobody is ever reviewed for a lower tier.")
    if process.down == parts.AUTOMATIC and process.grace_days == 0:
        text = _("Whoever falls behind goes down at once, without a day to make up for it.")
        yield "no_grace", "process/grace_days", text
    elif process.down == parts.AUTOMATIC and process.appeal_days > process.grace_days:
        text = _(
            "An appeal may come after the demotion has taken effect: it is open longer than the grace period."
        )
        yield "appeal_after_grace", "process/appeal_days", text
