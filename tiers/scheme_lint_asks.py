"""What can be wrong with one requirement by itself, whatever stands beside it: a threshold nobody or everybody meets, a metric nobody
reads, something that is not there to narrow to, a window that reaches back before there are facts."""

from __future__ import annotations

from fractions import Fraction

from django.utils.translation import gettext as _

from prm.lib import l10n
from prm.lib.periods import local_day
from tiers.qualify import METRICS, Metric, Requirement, Scheme
from tiers.qualify import scheme as parts
from tiers.qualify.windows import bounds
from tiers.requirement_sentences import sentence
from tiers.requirement_words import PARAM_NAMES, figure_text, metric_name
from tiers.scheme_faults import Around, Found

ZERO = Fraction(0)
# What is compared with the window before, so that there have to be facts for both.
_COMPARES = frozenset({"customer_retention"})


def findings_of_requirements(scheme: Scheme, around: Around) -> Found:
    """Yield what is wrong with each requirement, tier by tier."""
    for tier, ask in scheme.asks.items():
        for requirement in ask.requirements:
            where = f"tiers/{tier}/{requirement.key}"
            metric = METRICS[requirement.question.metric]
            yield from _metric(metric, where, around)
            yield from _threshold(requirement, metric, where, around)
            yield from _params(requirement, where, around)
            yield from _window(requirement, where, around)


def _metric(metric: Metric, where: str, around: Around) -> Found:
    if around.readable is not None and metric.key not in around.readable:
        text = _("Nothing in this installation counts “%(metric)s”, so nobody could ever meet it.")
        yield "nobody_reads", f"{where}/metric", text % {"metric": metric_name(metric.key)}


def _threshold(requirement: Requirement, metric: Metric, where: str, around: Around) -> Found:
    place, values = f"{where}/threshold", {"requirement": _sentence(requirement, around)}
    least = _least_that_counts(metric)
    if requirement.operator == parts.AT_LEAST:
        if metric.most is not None and requirement.threshold > metric.most:
            text = _("“%(requirement)s” can never be met: it is %(most)s at most.")
            yield "never_met", place, text % {**values, "most": _figure(requirement, metric.most, around)}
        elif requirement.threshold <= least:
            yield "always_met", place, _("“%(requirement)s” asks for nothing: it is always met.") % values
        return
    if metric.least is not None and requirement.threshold < metric.least:
        text = _("“%(requirement)s” can never be met: it is %(least)s at least.")
        yield "never_met", place, text % {**values, "least": _figure(requirement, metric.least, around)}
    elif metric.most is not None and requirement.threshold >= metric.most:
        yield "always_met", place, _("“%(requirement)s” asks for nothing: it is always met.") % values


def _least_that_counts(metric: Metric) -> Fraction:
    """Return up to where a floor asks for nothing. Amounts can be below zero, but only by giving back more than was sold."""
    return metric.least if metric.least is not None else ZERO


def _params(requirement: Requirement, where: str, around: Around) -> Found:
    for param, keys in requirement.question.params:
        if not around.names.is_known(param):
            continue
        known = {value.key: value for value in around.names.values(param)}
        for key in keys:
            place, values = (
                f"{where}/params/{param}",
                {
                    "what": PARAM_NAMES.get(param, param),
                    "value": known[key].name if key in known else key,
                },
            )
            if key not in known:
                text = _("%(what)s: there is no “%(value)s” in this program.")
                yield "unknown_value", place, text % values
            elif not known[key].is_in_use:
                text = _("%(what)s: “%(value)s” is no longer given; only what was earned before counts.")
                yield "value_not_in_use", place, text % values


def _window(requirement: Requirement, where: str, around: Around) -> Found:
    if around.at is None or requirement.question.window.kind in (parts.NOW, parts.EVER):
        return
    zone, window = around.program.zone, requirement.question.window
    since, _until = bounds(window, around.at, zone)
    if since is not None and requirement.question.metric in _COMPARES:
        since, _until = bounds(window, since, zone)
    begins = around.begins(requirement.question)
    # A window is compared by its first day: what began at noon of that day is all there is of it.
    if since is None or begins is None or local_day(since, zone) >= local_day(begins, zone):
        return
    text = _(
        "“%(requirement)s” is counted from %(since)s on, but the data begins on %(begins)s."
        " Shorten the window, or let the version take effect later."
    )
    values = {
        "requirement": _sentence(requirement, around),
        "since": l10n.date_text(local_day(since, zone), around.locale),
        "begins": l10n.date_text(local_day(begins, zone), around.locale),
    }
    yield "window_before_data", f"{where}/months", text % values


def _sentence(requirement: Requirement, around: Around) -> str:
    return sentence(requirement, around.program, around.locale, names=around.names)


def _figure(requirement: Requirement, value: Fraction, around: Around) -> str:
    return figure_text(requirement.question, value, around.program.currency, around.locale)
