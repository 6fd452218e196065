"""Every rate on a window against another way to compute it: penny by penny and piece by piece, in fractions, without tables."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiers.engine.rates.rules import minor, rule, slices, step, total
from tiers.engine.facts import RuleFacts, Step
from tiers.engine.rates import WINDOWED

TELESCOPING = sorted(set(WINDOWED) - {"volume"})
VOLUMES = st.integers(-500, 2_000)
RATES = st.decimals(0, 1, places=4)


@st.composite
def tables(draw: st.DrawFn, flats: st.SearchStrategy[int] | None = None) -> tuple[Step, ...]:
    starts = sorted(draw(st.sets(st.integers(0, 1_500), min_size=1, max_size=5)))
    amounts = flats if flats is not None else st.integers(0, 300)
    return tuple(Step(start, draw(RATES), draw(amounts)) for start in starts)


@st.composite
def rules(draw: st.DrawFn, kind: str) -> RuleFacts:
    return rule(
        kind,
        *(() if kind == "package" else draw(tables())),
        metric=draw(st.sampled_from(["revenue", "sales"])),
        target=draw(st.integers(1, 2_000)),
        package=draw(st.integers(1, 400)),
        flat=minor(draw(st.integers(1, 300))) if kind == "package" else None,
        stacking=draw(st.booleans()),
    )


# One line of arithmetic for each model, on the volume alone.


def bounds(found: RuleFacts) -> list[int]:
    if found.kind != "accelerator":
        return [each.start for each in found.steps]
    return [ceil(Fraction(each.start * found.target, 100)) for each in found.steps]


def marginal(found: RuleFacts, volume: int) -> Fraction:
    """Price unit after unit: the one after `at` belongs to the last step that starts at `at` or below."""
    is_counted, owed = found.metric != "revenue", Fraction(0)
    prices = [Fraction(each.flat) if is_counted else Fraction(each.rate) for each in found.steps]
    starts = bounds(found)
    if volume <= 0:
        return prices[0] * volume if starts[0] == 0 else owed
    for start, end, price in zip(starts, [*starts[1:], volume], prices, strict=True):
        owed += price * max(min(volume, end) - start, 0) if start < volume else 0
    if not is_counted:
        owed += sum(each.flat for each, start in zip(found.steps, starts, strict=True) if volume >= start)
    return owed


def reached(found: RuleFacts, volume: int) -> list[Step]:
    return [each for each in found.steps if each.start <= volume and volume > 0]


def oracle(found: RuleFacts, volume: int) -> Fraction:
    match found.kind:
        case "graduated" | "accelerator":
            return marginal(found, volume)
        case "stairstep":
            return Fraction(([0] + [each.flat for each in reached(found, volume)])[-1])
        case "milestone":
            flats = [each.flat for each in reached(found, volume)] or [0]
            return Fraction(sum(flats) if found.stacking else flats[-1])
        case "package":
            assert found.flat is not None
            return Fraction(found.flat.minor * max(ceil(Fraction(volume, found.package)), 0))
        case "lifetime_value":
            (first, *_) = found.steps
            rate = Fraction(first.rate if found.metric == "revenue" else 0)
            return first.flat + rate * volume if volume >= first.start and volume > 0 else Fraction(0)
    raise AssertionError(found.kind)


@pytest.mark.parametrize("kind", TELESCOPING)
@given(data=st.data(), offset=VOLUMES, volume=VOLUMES)
def test_what_is_owed_agrees_with_the_other_way(
    kind: str, data: st.DataObject, offset: int, volume: int
) -> None:
    found = data.draw(rules(kind))
    assert total(found, volume, offset) == oracle(found, offset + volume) - oracle(found, offset)


@pytest.mark.parametrize("kind", TELESCOPING)
@given(data=st.data(), offset=VOLUMES, cuts=st.lists(VOLUMES, max_size=6))
def test_however_a_volume_is_cut_its_rows_add_up_to_what_it_is_owed(
    kind: str, data: st.DataObject, offset: int, cuts: list[int]
) -> None:
    found = data.draw(rules(kind))
    row_sums = Fraction(0)
    for before, after in pairwise([0, *cuts]):
        rows = slices(found, before, after, offset)
        change = sum(Fraction(str(each["exact"])) for each in rows)
        assert change == total(found, after, offset) - total(found, before, offset)
        row_sums += change
    assert row_sums == total(found, ([0, *cuts])[-1], offset)


@pytest.mark.parametrize("kind", sorted(set(WINDOWED) - {"lifetime_value"}))
@given(data=st.data(), offset=VOLUMES, before=VOLUMES, after=VOLUMES)
def test_rows_account_for_the_whole_change_and_are_ready_for_json(
    kind: str, data: st.DataObject, offset: int, before: int, after: int
) -> None:
    rows = slices(data.draw(rules(kind)), before, after, offset)
    assert sum(int(each["volume"] or 0) for each in rows) == after - before
    assert json.loads(json.dumps(rows)) == list(rows)
    assert bool(rows) is (before != after)


@pytest.mark.parametrize("kind", sorted(WINDOWED))
@given(data=st.data(), offset=VOLUMES)
def test_no_volume_is_owed_nothing(kind: str, data: st.DataObject, offset: int) -> None:
    assert total(data.draw(rules(kind)), 0, offset) == 0


@pytest.mark.parametrize("kind", TELESCOPING)
@given(data=st.data(), offset=VOLUMES, volume=VOLUMES)
def test_the_way_back_takes_all_of_it(kind: str, data: st.DataObject, offset: int, volume: int) -> None:
    found = data.draw(rules(kind))
    assert total(found, -volume, offset + volume) == -total(found, volume, offset)


@pytest.mark.parametrize("kind", ["graduated", "accelerator"])
@given(data=st.data(), offset=VOLUMES, volumes=st.lists(VOLUMES, min_size=2, max_size=2))
def test_more_volume_is_never_owed_less(
    kind: str, data: st.DataObject, offset: int, volumes: list[int]
) -> None:
    less, more = sorted(volumes)
    found = data.draw(rules(kind))
    assert total(found, less, offset) <= total(found, more, offset)


@pytest.mark.parametrize("kind", ["graduated", "accelerator"])
@given(steps=tables(flats=st.just(0)), target=st.integers(1, 2_000))
def test_without_flat_amounts_nothing_jumps_at_a_bound(
    kind: str, steps: tuple[Step, ...], target: int
) -> None:
    found = rule(kind, *steps, target=target)
    for bound in bounds(found):
        for volume in (bound - 1, bound, bound + 1):
            assert 0 <= total(found, volume + 1) - total(found, volume) <= 1  # no rate is over 100 %


@given(steps=tables(flats=st.just(0)), volume=VOLUMES, offset=VOLUMES)
def test_a_volume_is_owed_the_rate_it_reaches_times_itself(
    steps: tuple[Step, ...], volume: int, offset: int
) -> None:
    found = rule("volume", *steps)
    rates = [each.rate for each in steps if each.start <= max(offset + volume, 0)] or [Decimal(0)]
    assert total(found, volume, offset) == Fraction(rates[-1]) * volume


@given(data=st.data(), offset=VOLUMES, before=VOLUMES, after=VOLUMES)
def test_a_volume_rate_leaves_a_true_up_only_when_the_step_changes(
    data: st.DataObject, offset: int, before: int, after: int
) -> None:
    found = data.draw(rules("volume"))
    line = total(found, after, offset) - WINDOWED["volume"].carried(found, offset, before, after)
    assert line == sum(Fraction(str(each["exact"])) for each in slices(found, before, after, offset))
    if reached(found, offset + before) == reached(found, offset + after):
        assert line == total(found, after, offset) - total(found, before, offset)


def test_the_first_step_of_the_oracle_agrees_with_the_table_by_hand() -> None:
    by_hand = rule("graduated", step(0, "0.05", 200), step(100, "0.08", 50))
    assert marginal(by_hand, 150) == 200 + 5 + 50 + 4
    assert marginal(by_hand, -10) == Fraction("-0.5")
