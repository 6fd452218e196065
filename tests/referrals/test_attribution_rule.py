"""The rule of attribution: the table of docs/algorithms/attribution.md with its worked shares, edges to the microsecond, and what holds for
whatever contacts there are."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prm.lib.periods import start_of_day
from referrals.attribution.candidates import Candidate, Earner, Happening
from referrals.attribution.rule import Decision, Reason, decide
from referrals.attribution.settings import MODELS, TOUCH_KINDS, Qualifies, Settings, standard
from referrals.attribution.why import EARNS, Why

SALE = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EVENT = Happening(SALE, amount_minor=100_00)
DAY, HOUR, INSTANT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
USUAL = standard(30)
# Everybody in one group: the model alone decides.
OPEN = (("deal", "code", "click", "lead", "intro", "view", "customer"),)
ANA, MATS, EVA = (Earner(number, program_id=1) for number in (1, 2, 3))


def contact(
    kind: str, who: Earner, before: timedelta = HOUR, *, rules: Settings = USUAL, pk: int = 0, **more: Any
) -> Candidate:
    source = {"code": "code", "click": "click", "view": "click", "customer": "referral"}.get(kind, "touch")
    return Candidate(kind, SALE - before, who, rules, source, pk or who.membership_id, **more)  # type: ignore[arg-type]


def shares_of(decision: Decision) -> dict[int, str]:
    return {award.membership_id: str(award.share) for award in decision.awards if not award.is_assist}


def whys(decision: Decision) -> list[tuple[int, str]]:
    return [(each.candidate.earner.membership_id, str(each.why)) for each in decision.verdicts]


def by(model: str, **more: Any) -> Settings:
    return replace(USUAL, model=model, precedence=OPEN, **more)  # type: ignore[arg-type]


def clicks(model: str, *days: tuple[Earner, float], **more: Any) -> list[Candidate]:
    """Return clicks so many days before the sale, all judged by one model."""
    rules = by(model, **more)
    return [
        contact("click", who, timedelta(days=before), rules=rules, pk=pk)
        for pk, (who, before) in enumerate(days, start=1)
    ]


# The table -----------------------------------------------------------------------------------------------------------

A, M, E = 1, 2, 3
TABLE: list[tuple[str, list[Candidate], dict[int, str]]] = [
    ("nothing", [], {}),
    ("a code", [contact("code", ANA, 0 * DAY)], {A: "1"}),
    ("a code and a later click", [contact("code", ANA, DAY), contact("click", MATS)], {A: "1"}),
    ("a deal and a code", [contact("deal", MATS, 80 * DAY), contact("code", ANA, 0 * DAY)], {M: "1"}),
    ("a lead, by default not counted", [contact("lead", ANA)], {}),
    ("last of three clicks", clicks("last_touch", (ANA, 3), (MATS, 1), (ANA, 2)), {M: "1"}),
    ("first of three clicks", clicks("first_touch", (ANA, 3), (MATS, 1), (EVA, 2)), {A: "1"}),
    ("linear, one", clicks("linear", (ANA, 3)), {A: "1"}),
    ("linear, two", clicks("linear", (ANA, 3), (MATS, 1)), {A: "0.500000", M: "0.500000"}),
    (
        "linear, three",
        clicks("linear", (ANA, 3), (MATS, 2), (EVA, 1)),
        {A: "0.333334", M: "0.333333", E: "0.333333"},
    ),
    # 1/3 + 1/3 of the one, the largest remainder goes to the oldest contact, which is hers.
    (
        "linear, twice the same",
        clicks("linear", (ANA, 3), (MATS, 2), (ANA, 1)),
        {A: "0.666667", M: "0.333333"},
    ),
    ("position, one", clicks("position", (ANA, 3)), {A: "1"}),
    ("position, two", clicks("position", (ANA, 3), (MATS, 1)), {A: "0.500000", M: "0.500000"}),
    (
        "position, three",
        clicks("position", (ANA, 3), (MATS, 2), (EVA, 1)),
        {A: "0.400000", M: "0.200000", E: "0.400000"},
    ),
    # 20 % for two in the middle: 10 % each; the first and the last are one partner's.
    (
        "position, four",
        clicks("position", (ANA, 4), (MATS, 3), (EVA, 2), (ANA, 1)),
        {A: "0.800000", M: "0.100000", E: "0.100000"},
    ),
    # Weights 1/2 and 1: a third and two thirds.
    (
        "time decay, one half-life apart",
        clicks("time_decay", (ANA, 8), (MATS, 1)),
        {A: "0.333333", M: "0.666667"},
    ),
    # Weights 1/4, 1/2, 1 of 7/4.
    (
        "time decay, three",
        clicks("time_decay", (ANA, 15), (MATS, 8), (EVA, 1)),
        {A: "0.142857", M: "0.285714", E: "0.571429"},
    ),
    # Weights 2^-0.5 = 0.70710678 and 1: 0.41421356 and 0.58578644 of 1.70710678.
    (
        "time decay, half a half-life apart",
        clicks("time_decay", (ANA, 4.5), (MATS, 1)),
        {A: "0.414214", M: "0.585786"},
    ),
    # 27 half-lives of a day: 2^-27 is less than a millionth, and nothing is left for it.
    (
        "time decay, too long ago",
        clicks("time_decay", (ANA, 28), (MATS, 1), half_life_hours=24),
        {M: "1"},
    ),
    ("participation", clicks("participation", (ANA, 3), (MATS, 1)), {M: "1"}),
]


@pytest.mark.parametrize(
    ("candidates", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_table_of_cases(candidates: list[Candidate], expected: dict[int, str]) -> None:
    assert shares_of(decide(EVENT, candidates)) == expected


FAULTS: list[tuple[str, Candidate, Happening]] = [
    ("code_off", contact("code", ANA, 0 * DAY, is_off=True), EVENT),
    ("code_not_yet", contact("code", ANA, 0 * DAY, starts_at=SALE + INSTANT), EVENT),
    ("code_over", contact("code", ANA, 0 * DAY, ends_at=SALE), EVENT),
    ("code_used_up", contact("code", ANA, 0 * DAY, use_limit=5, is_used_up=True), EVENT),
    ("not_earning", contact("code", Earner(1, gaps=((SALE - DAY, None),)), 0 * DAY), EVENT),
    ("not_earning", contact("code", Earner(1, stops_at=SALE), 0 * DAY), EVENT),
    ("before_joining", contact("code", Earner(1, starts_at=SALE + INSTANT), 0 * DAY), EVENT),
    ("before_joining", contact("click", Earner(1, starts_at=SALE - HOUR), HOUR + INSTANT), EVENT),
    ("after_the_event", contact("click", ANA, -INSTANT), EVENT),
    ("outside_window", contact("click", ANA, 30 * DAY), EVENT),
    ("kind_not_counted", contact("customer", ANA), EVENT),
    ("kind_not_counted", contact("view", ANA), EVENT),
    ("deal_over", contact("deal", ANA, ends_at=SALE), EVENT),
    ("owner_over", contact("customer", ANA, rules=by("linear"), ends_at=SALE), EVENT),
    ("withdrawn", contact("deal", ANA, is_off=True), EVENT),
    (
        "existing_customer",
        contact("click", ANA, rules=replace(USUAL, qualifies=Qualifies(customers="new"))),
        EVENT._replace(bought_before_at=SALE - DAY),
    ),
]


@pytest.mark.parametrize(("why", "candidate", "event"), FAULTS)
def test_each_fault_is_told_and_keeps_the_contact_from_earning(
    why: str, candidate: Candidate, event: Happening
) -> None:
    decision = decide(event, [candidate])
    assert (decision.awards, whys(decision)) == ((), [(1, why)])


QUALIFIES = [
    (Qualifies(kinds=("signup",)), {"kind": "signup"}, {"kind": "sale"}),
    (Qualifies(least_minor=50_00), {"amount_minor": 50_00}, {"amount_minor": 49_99}),
    (Qualifies(countries=("FR",)), {"country": "FR"}, {"country": ""}),
    (Qualifies(products=("P1",)), {"products": ("P2", "P1")}, {"products": ("P2",)}),
    (Qualifies(categories=("C1",)), {"categories": ("C1",)}, {}),
    (
        Qualifies(attributes=(("plan", "yes"),)),
        {"attributes": {"plan": True}},
        {"attributes": {"plan": False}},
    ),
    (Qualifies(attributes=(("seats", "5"),)), {"attributes": {"seats": 5}}, {}),
]


@pytest.mark.parametrize(("asks", "good", "bad"), QUALIFIES)
def test_only_what_the_operator_calls_a_referral_earns(
    asks: Qualifies, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    click = contact("click", ANA, rules=replace(USUAL, qualifies=asks))
    assert shares_of(decide(EVENT._replace(**good), [click])) == {1: "1"}
    assert whys(decide(EVENT._replace(**bad), [click])) == [(1, "not_qualified")]


def test_what_takes_a_sale_back_needs_no_size_and_uses_no_code_up() -> None:
    rules = replace(USUAL, qualifies=Qualifies(kinds=("sale",), least_minor=1_000_00, customers="new"))
    back = Happening(SALE, kind="refund", amount_minor=1, bought_before_at=SALE - DAY)
    code = contact("code", ANA, 0 * DAY, rules=rules, use_limit=1, is_used_up=True)
    assert shares_of(decide(back, [code])) == {1: "1"}


# Who loses, and why --------------------------------------------------------------------------------------------------


def test_every_loser_is_told_what_came_before_it() -> None:
    other = Earner(9, program_id=2)
    found = decide(
        EVENT,
        [
            contact("code", ANA, 0 * DAY),
            contact("click", MATS, DAY),
            contact("click", other, 2 * DAY),
            contact("click", EVA, 31 * DAY),
        ],
    )
    assert whys(found) == [
        (3, "outside_window"),
        (9, "other_program"),
        (2, "lower_precedence"),
        (1, "decided"),
    ]
    assert found.verdicts[0].figures == {"window_hours": 720}
    assert found.verdicts[2].figures == {"by": "code"}


def test_a_code_switched_off_leaves_the_click_its_turn() -> None:
    decision = decide(EVENT, [contact("code", ANA, 0 * DAY, is_off=True), contact("click", MATS, pk=5)])
    (award,) = decision.awards
    assert (award.membership_id, award.reason, award.candidate.pk) == (2, Reason.LAST_CLICK, 5)


def test_of_two_clicks_in_one_instant_the_one_written_last_earns() -> None:
    both = [contact("click", MATS, DAY, pk=9), contact("click", ANA, DAY, pk=8)]
    assert shares_of(decide(EVENT, both)) == {2: "1"}


def test_each_click_has_the_window_of_its_own_program() -> None:
    short = Earner(2, program_id=2)
    found = decide(
        EVENT,
        [
            contact("click", ANA, 5 * DAY, rules=standard(10)),
            contact("click", short, 4 * DAY, rules=standard(3)),
        ],
    )
    assert (shares_of(found), whys(found)) == ({1: "1"}, [(1, "decided"), (2, "outside_window")])


def test_the_program_of_the_best_contact_takes_all_and_shares_by_its_own_model() -> None:
    other = Earner(9, program_id=2)
    both = [*clicks("linear", (ANA, 3), (MATS, 1)), contact("click", other, 2 * DAY, pk=7)]
    found = decide(EVENT, both)
    assert shares_of(found) == {1: "0.500000", 2: "0.500000"}
    assert dict(whys(found))[9] == "other_program"


def test_with_assists_everybody_else_who_qualified_is_credited_with_helping() -> None:
    rules = replace(USUAL, assists=True)
    found = decide(
        EVENT,
        [
            contact("code", ANA, 0 * DAY, rules=rules),
            contact("click", MATS, DAY, rules=rules, pk=20),
            contact("click", MATS, 2 * DAY, rules=rules, pk=21),
            contact("click", ANA, DAY, rules=rules, pk=22),
            contact("click", EVA, 40 * DAY, rules=rules, pk=23),
        ],
    )
    assert [(a.membership_id, a.is_assist, a.candidate.pk) for a in found.awards] == [
        (1, False, 1),
        (2, True, 20),
    ]
    assert {each.candidate.pk: str(each.why) for each in found.verdicts} == {
        1: "decided",
        20: "assisted",
        21: "lower_precedence",
        22: "lower_precedence",
        23: "outside_window",
    }


def test_a_credit_names_the_contact_that_weighs_most() -> None:
    found = decide(EVENT, clicks("position", (ANA, 4), (MATS, 3), (ANA, 2), (EVA, 1)))
    assert [(award.membership_id, award.candidate.pk) for award in found.awards] == [(1, 1), (2, 2), (3, 4)]
    assert {award.reason for award in found.awards} == {Reason.CLICKS}


# Edges ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "earns"),
    [
        (timedelta(0), True),  # the same instant
        (30 * DAY - timedelta(seconds=1), True),
        (30 * DAY - INSTANT, True),
        (30 * DAY, False),  # 30 days of 86,400 seconds later to the microsecond is too late
        (30 * DAY + INSTANT, False),
        (-INSTANT, False),  # clicked after the sale
    ],
)
def test_a_click_earns_from_its_instant_until_the_window_is_over(before: timedelta, earns: bool) -> None:
    assert bool(decide(EVENT, [contact("click", ANA, before)]).awards) is earns


@pytest.mark.parametrize(
    "night", [datetime(2026, 3, 28, 12), datetime(2026, 10, 24, 12), datetime(2026, 2, 28)]
)
def test_a_day_of_a_click_is_86400_seconds_also_when_clocks_change_and_months_end(night: datetime) -> None:
    clicked = night.replace(tzinfo=ZoneInfo("Europe/Paris")).astimezone(UTC)
    click = Candidate("click", clicked, ANA, standard(1), "click", 1)
    last = clicked + timedelta(seconds=86_399)
    assert decide(Happening(last), [click]).awards
    assert not decide(Happening(last + timedelta(seconds=1)), [click]).awards


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        (date(2026, 3, 29), datetime(2026, 3, 29, 22, tzinfo=UTC)),  # 23 hours long, summer time at its end
        (date(2026, 10, 25), datetime(2026, 10, 25, 23, tzinfo=UTC)),  # 25 hours long
        (date(2026, 2, 28), datetime(2026, 2, 28, 23, tzinfo=UTC)),
    ],
)
def test_a_deal_ends_with_its_local_day_in_paris(day: date, ends: datetime) -> None:
    after = start_of_day(day + DAY, ZoneInfo("Europe/Paris"))
    deal = Candidate("deal", ends - 60 * DAY, ANA, USUAL, "touch", 1, ends_at=after)
    assert decide(Happening(ends - INSTANT), [deal]).awards
    assert whys(decide(Happening(ends), [deal])) == [(1, "deal_over")]


# What always holds ---------------------------------------------------------------------------------------------------

JOINED = SALE - 20 * DAY
EARNERS = [
    *(Earner(number, program_id=1 + number // 4, starts_at=JOINED - number * DAY) for number in range(1, 7)),
    Earner(7, program_id=1, stops_at=SALE - DAY),
]


@st.composite
def scenes(draw: st.DrawFn) -> list[Candidate]:
    """Draw contacts of any kind with the settings of two programs."""
    by_program = {}
    for program in (1, 2):
        kinds = draw(st.permutations(TOUCH_KINDS))
        cuts = sorted(draw(st.sets(st.integers(1, 6), max_size=3)))
        groups = [kinds[start:end] for start, end in zip([0, *cuts], [*cuts, 7], strict=True)]
        counted = groups[: draw(st.integers(1, len(groups)))]
        by_program[program] = replace(
            USUAL,
            model=draw(st.sampled_from(MODELS)),
            precedence=tuple(tuple(group) for group in counted),
            half_life_hours=draw(st.sampled_from([1, 24, 168])),
            assists=draw(st.booleans()),
        )
    found = []
    for pk in range(1, draw(st.integers(0, 9)) + 1):
        who = draw(st.sampled_from(EARNERS))
        minutes = draw(st.one_of(st.integers(-10, 60 * 24 * 60), st.sampled_from([0, 1440 * 30, 1440])))
        kind = draw(st.sampled_from(TOUCH_KINDS))
        found.append(
            contact(
                kind,
                who,
                timedelta(minutes=minutes),
                rules=by_program[who.program_id],
                pk=pk,
                is_off=draw(st.integers(0, 5)) == 0,
            )
        )
    return found


def told(decision: Decision) -> Sequence[object]:
    return [(each.candidate, each.why, each.share, dict(each.figures)) for each in decision.verdicts]


@settings(max_examples=150, deadline=None)
@given(scenes(), st.randoms(use_true_random=False))
def test_shares_sum_to_one_every_contact_has_a_reason_and_order_does_not_matter(
    scene: list[Candidate], chance: random.Random
) -> None:
    decision = decide(EVENT, scene)
    parts = [award.share for award in decision.awards if not award.is_assist]
    assert sum(parts, Decimal(0)) == (1 if decision.awards else 0)
    assert all(0 < award.share <= 1 for award in decision.awards)
    assert len({award.membership_id for award in decision.awards}) == len(decision.awards)
    assert {each.candidate.earner.program_id for each in decision.verdicts if each.why in EARNS} <= {
        decision.program_id
    }
    assert sorted(each.candidate.pk for each in decision.verdicts) == sorted(each.pk for each in scene)
    assert all(bool(each.share) == (each.why in (Why.DECIDED, Why.SHARED)) for each in decision.verdicts)
    shuffled = list(scene)
    chance.shuffle(shuffled)
    again = decide(EVENT, shuffled)
    assert (again.awards, told(again)) == (decision.awards, told(decision))


@settings(max_examples=150, deadline=None)
@given(scenes())
def test_nothing_outside_its_window_or_before_joining_earns(scene: list[Candidate]) -> None:
    for each in decide(EVENT, scene).verdicts:
        if each.why in EARNS:
            one, rules = each.candidate, each.candidate.settings
            assert one.kind in rules.kinds
            assert not one.is_off
            assert one.at <= SALE
            assert one.earner.starts_at is None or one.earner.starts_at <= one.at
            if one.kind in ("click", "lead", "intro", "view"):
                assert SALE - one.at < timedelta(hours=rules.window_hours[one.kind])


@settings(max_examples=150, deadline=None)
@given(scenes(), st.sampled_from(TOUCH_KINDS), st.sampled_from(EARNERS))
def test_adding_a_contact_that_loses_changes_nothing_but_the_record(
    scene: list[Candidate], kind: str, who: Earner
) -> None:
    before = decide(EVENT, scene)
    rules = next((each.settings for each in scene if each.earner.program_id == who.program_id), USUAL)
    one = contact(kind, who, 3 * DAY, rules=rules, pk=99)
    after = decide(EVENT, [*scene, one])
    mine = next(each for each in after.verdicts if each.candidate is one)
    if mine.why not in EARNS and mine.why not in (Why.EARLIER_TOUCH, Why.LATER_TOUCH, Why.TOO_SMALL):
        assert after.awards == before.awards
    elif mine.why not in EARNS:  # beside the winner: it takes nothing from anybody
        assert shares_of(after) == shares_of(before)
