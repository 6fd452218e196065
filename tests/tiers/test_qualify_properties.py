"""A verdict is a pure function of a scheme and figures: nobody's order counts, more is never worse, and what is stored is read back."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from prm.lib.periods import Month
from tiers.qualify import (
    METRICS,
    Ask,
    Calendar,
    Cycle,
    Figure,
    Outcome,
    PointRate,
    Process,
    Question,
    Requirement,
    Rung,
    Scheme,
    Verdict,
    Window,
    dump,
    evaluate,
    read,
)
from tiers.qualify import scheme as parts
from tiers.qualify.many import judge
from tiers.qualify.windows import bounds

KEYS = ("a", "b", "c", "d", "e")
numbers = st.fractions(min_value=-50, max_value=150, max_denominator=6)
windows = st.one_of(
    st.builds(Window, st.just(parts.TRAILING), st.integers(1, 60)),
    st.sampled_from([Window(kind) for kind in (parts.MONTH, parts.QUARTER, parts.YEAR, parts.EVER)]),
)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    metric = METRICS[draw(st.sampled_from(("net_revenue", "sales", "certified_ratio", "activities")))]
    names = sorted(draw(st.sets(st.sampled_from(metric.params)))) if metric.params else []
    params = tuple((name, tuple(sorted(draw(st.sets(st.sampled_from("xyz"), min_size=1))))) for name in names)
    return Question(metric.key, draw(windows) if metric.is_windowed else Window(), params)


@st.composite
def asks(draw: st.DrawFn, operators: tuple[str, ...]) -> Ask:
    count = draw(st.integers(0, 4))
    return Ask(
        tuple(
            Requirement(
                f"r{at}",
                draw(questions()),
                draw(st.sampled_from(operators)),
                draw(numbers),
                draw(st.integers(0, 5)),
            )
            for at in range(count)
        ),
        draw(st.sampled_from(parts.COMBINES)),
        draw(st.integers(0, 8)),
    )


@st.composite
def schemes(draw: st.DrawFn, operators: tuple[str, ...] = parts.OPERATORS) -> Scheme:
    rate = PointRate("activity", Fraction(5, 2), 1, "", "x", (("FR", Fraction(2)), ("GB", Fraction(1, 3))))
    return Scheme(
        asks=draw(st.dictionaries(st.sampled_from(KEYS), asks(operators))),
        points=draw(st.sampled_from([(), (rate,), (rate, PointRate("revenue", Fraction(1), 100))])),
        calendar=Calendar(
            Cycle(draw(st.sampled_from(parts.PROMOTION_CYCLES)), draw(st.integers(1, 28)), 4),
            Cycle(draw(st.sampled_from(parts.DEMOTION_CYCLES)), 1, draw(st.integers(1, 12))),
        ),
        process=Process(
            grace_days=draw(st.integers(0, 730)),
            fall=draw(st.sampled_from(parts.FALLS)),
            customers_keep_months=draw(st.none() | st.integers(0, 120)),
        ),
    )


ladders = st.integers(1, len(KEYS)).map(lambda count: [Rung(key, at) for at, key in enumerate(KEYS[:count])])


def figures_for(scheme: Scheme, draw: st.DataObject) -> dict[str, Figure]:
    return {
        question.key: Figure(draw.draw(st.none() | numbers))
        for question in scheme.questions()
        if draw.draw(st.booleans())
    }


def said(verdict: Verdict) -> tuple[object, ...]:
    """Return a verdict without the order its requirements were told in."""
    return (
        verdict.current,
        verdict.measured,
        verdict.target,
        verdict.outcome,
        [
            (each.rung, each.is_met, each.is_reached, each.weight, sorted(map(str, each.found)))
            for each in verdict.rungs
        ],
    )


@settings(max_examples=40, deadline=None)
@given(schemes(), ladders, st.randoms(use_true_random=False), st.data())
def test_nobodys_order_counts(
    scheme: Scheme, ladder: list[Rung], chance: random.Random, data: st.DataObject
) -> None:
    figures, current = figures_for(scheme, data), data.draw(st.sampled_from(ladder)).key
    verdict = evaluate(scheme, ladder, figures, current=current)
    asked = {
        key: replace(ask, requirements=tuple(chance.sample(ask.requirements, len(ask.requirements))))
        for key, ask in chance.sample(list(scheme.asks.items()), len(scheme.asks))
    }
    shuffled = dict(chance.sample(list(figures.items()), len(figures)))
    again = evaluate(
        replace(scheme, asks=asked), chance.sample(ladder, len(ladder)), shuffled, current=current
    )
    assert said(again) == said(verdict)
    assert evaluate(scheme, ladder, figures, current=current) == verdict
    # What many at once are told is what one is told, and everybody has exactly one tier of the ladder.
    decision = judge(scheme, ladder)(figures, current)
    assert (decision.measured, decision.target, decision.outcome) == (
        verdict.measured.key,
        verdict.target.key,
        verdict.outcome,
    )
    assert [rung.key for rung in ladder].count(verdict.target.key) == 1
    ways = {Outcome.UP: 1, Outcome.KEEP: 0, Outcome.DOWN: -1}
    way = verdict.target.rank - verdict.current.rank
    assert ways[verdict.outcome] == (way > 0) - (way < 0)


@settings(max_examples=40, deadline=None)
@given(schemes(operators=(parts.AT_LEAST,)), ladders, st.data())
def test_more_of_a_figure_never_lowers_the_tier(
    scheme: Scheme, ladder: list[Rung], data: st.DataObject
) -> None:
    before, current = figures_for(scheme, data), data.draw(st.sampled_from(ladder)).key
    after = dict(before)
    for key in [question.key for question in scheme.questions() if data.draw(st.booleans())]:
        was = before.get(key, Figure(None)).value
        after[key] = Figure((Fraction(-50) if was is None else was) + data.draw(st.integers(0, 300)))
    low = evaluate(scheme, ladder, before, current=current)
    high = evaluate(scheme, ladder, after, current=current)
    assert high.measured.rank >= low.measured.rank
    assert high.target.rank >= low.target.rank


@settings(max_examples=30, deadline=None)
@given(schemes())
def test_what_is_stored_is_read_back(scheme: Scheme) -> None:
    kept = json.loads(json.dumps(dump(scheme)))
    assert read(kept) == scheme
    assert dump(read(kept)) == dump(scheme)


instants = st.integers(0, 4 * 366 * 24 * 60).map(
    lambda minutes: datetime(2023, 6, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
zones = st.sampled_from(["Europe/London", "America/St_Johns", "Asia/Kathmandu", "America/Santiago"]).map(
    ZoneInfo
)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from([parts.MONTH, parts.QUARTER, parts.HALF_YEAR, parts.YEAR]), instants, zones)
def test_calendar_windows_follow_one_another_without_a_gap(kind: str, at: datetime, zone: ZoneInfo) -> None:
    since, until = bounds(Window(kind), at, zone)
    assert since is not None
    assert since < until <= at
    # The window before ends where this one begins, and this one is the last whole one.
    assert bounds(Window(kind), until - timedelta(seconds=1), zone)[1] == since
    months, month = 0, Month.of(since, zone)
    while month.starts_at(zone) < until:
        months, month = months + 1, month.next()
    assert months == parts.MONTHS_IN[kind]
    assert at < bounds(Window(kind), at, zone)[1] + timedelta(days=31 * months + 1)


@settings(max_examples=120, deadline=None)
@given(st.integers(1, 60), instants, zones)
def test_trailing_windows_begin_with_a_day_and_never_move_back(
    months: int, at: datetime, zone: ZoneInfo
) -> None:
    since, until = bounds(Window(parts.TRAILING, months), at, zone)
    assert until == at
    assert since is not None
    day = since.astimezone(zone).date()
    assert (since - timedelta(seconds=1)).astimezone(zone).date() < day
    later, _ = bounds(Window(parts.TRAILING, months), at + timedelta(hours=7), zone)
    longer, _ = bounds(Window(parts.TRAILING, months + 1), at, zone)
    assert later is not None
    assert longer is not None
    assert longer < since <= later


def test_a_tier_that_asks_for_nothing_is_given_by_a_person() -> None:
    sold = Question("sales", Window(parts.EVER))
    ladder = [Rung("a", 1), Rung("b", 2), Rung("c", 3), Rung("d", 4)]
    scheme = Scheme(
        asks={
            "b": Ask((Requirement("ten", sold, parts.AT_LEAST, Fraction(10)),)),
            "d": Ask((Requirement("fifty", sold, parts.AT_LEAST, Fraction(50)),)),
        }
    )
    # c asks for nothing: 10 sales lead to b, 50 past c to d; from d the step down is b, and who stands in c stays there.
    led = {
        (current, sales): evaluate(scheme, ladder, {sold.key: Figure(Fraction(sales))}, current=current)
        for current in "abcd"
        for sales in (0, 10, 50)
    }
    assert {at: verdict.target.key for at, verdict in led.items()} == {
        ("a", 0): "a", ("a", 10): "b", ("a", 50): "d",
        ("b", 0): "a", ("b", 10): "b", ("b", 50): "d",
        ("c", 0): "c", ("c", 10): "c", ("c", 50): "d",
        ("d", 0): "b", ("d", 10): "b", ("d", 50): "d",
    }  # fmt: skip
    for (current, sales), verdict in led.items():
        told = judge(scheme, ladder)({sold.key: Figure(Fraction(sales))}, current)
        assert told == (verdict.measured.key, verdict.target.key, verdict.outcome)
        assert not verdict.of("c").is_reached
