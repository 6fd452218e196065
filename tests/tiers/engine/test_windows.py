"""Which window a month lies in and how many months have passed: tables at the ends of months, years and clock changes, and that
windows divide all of time in every zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prm.lib.periods import Month
from tiers.engine import windows
from tiers.engine.facts import Window, WindowKind

ODD_ZONES = [
    "UTC",
    "Europe/Paris",
    "America/Los_Angeles",
    "America/St_Johns",  # until 2011 clocks changed at 00:01
    "America/Asuncion",  # on 1 October 2017 midnight was skipped
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Apia",  # had no 30 December 2011
    "Australia/Lord_Howe",  # half an hour of summer time
]
PARIS = ZoneInfo("Europe/Paris")
MONTHS = st.builds(Month, st.integers(1950, 2100), st.integers(1, 12))
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from(ODD_ZONES).map(ZoneInfo)
# Those that part time: each moment is in one. A trailing window moves with the month instead.
PARTING = st.builds(
    Window,
    st.sampled_from(["month", "quarter", "year", "lifetime", "joining"]),
    st.integers(1, 18),
)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def month(text: str) -> Month:
    return Month.parse(text)


@pytest.mark.parametrize(
    ("kind", "months", "at", "key", "first", "last"),
    [
        ("month", 1, "2026-03", "2026-03", "2026-03", "2026-03"),
        ("quarter", 1, "2026-01", "2026-Q1", "2026-01", "2026-03"),
        ("quarter", 1, "2026-03", "2026-Q1", "2026-01", "2026-03"),
        ("quarter", 1, "2026-04", "2026-Q2", "2026-04", "2026-06"),
        ("quarter", 1, "2026-09", "2026-Q3", "2026-07", "2026-09"),
        ("quarter", 1, "2026-12", "2026-Q4", "2026-10", "2026-12"),
        ("year", 1, "2026-01", "2026", "2026-01", "2026-12"),
        ("year", 1, "2026-12", "2026", "2026-01", "2026-12"),
        ("trailing", 1, "2026-03", "2026-03", "2026-03", "2026-03"),
        ("trailing", 3, "2026-01", "2026-01", "2025-11", "2026-01"),
        ("trailing", 12, "2026-12", "2026-12", "2026-01", "2026-12"),
        ("joining", 6, "2025-11", "2025-11+6", "2025-11", "2026-04"),  # the month of joining is the first
        ("joining", 6, "2026-04", "2025-11+6", "2025-11", "2026-04"),
        ("joining", 6, "2026-05", "2026-05+6", "2026-05", "2026-10"),
        (
            "joining",
            6,
            "2025-10",
            "2025-05+6",
            "2025-05",
            "2025-10",
        ),  # before joining: blocks go on backwards
        ("joining", 1, "2026-05", "2026-05+1", "2026-05", "2026-05"),
        ("joining", 12, "2027-10", "2026-11+12", "2026-11", "2027-10"),
    ],
)
def test_a_month_lies_in_a_window_of_each_kind(
    kind: WindowKind, months: int, at: str, key: str, first: str, last: str
) -> None:
    window, joined = Window(kind, months), month("2025-11")
    assert windows.key_of(window, month(at), joined) == key
    assert windows.months_of(window, month(at), joined) == (month(first), month(last))


def test_a_lifetime_has_neither_beginning_nor_end() -> None:
    assert windows.key_of(Window("lifetime"), month("1999-12")) == windows.LIFETIME
    assert windows.months_of(Window("lifetime"), month("1999-12")) == (None, None)


def test_blocks_run_from_a_january_where_nobody_knows_when_the_partner_joined() -> None:
    keys = [windows.key_of(Window("joining", 6), Month(2026, number)) for number in range(1, 13)]
    assert keys == ["2026-01+6"] * 6 + ["2026-07+6"] * 6


@given(window=PARTING, at=MONTHS, joined=st.none() | MONTHS)
def test_windows_of_a_kind_divide_the_months(window: Window, at: Month, joined: Month | None) -> None:
    first, last = windows.months_of(window, at, joined)
    if first is None or last is None:
        assert window.kind == "lifetime"
        return
    key = windows.key_of(window, at, joined)
    assert first <= at <= last
    inside = [
        first.plus(number) for number in range((last.year - first.year) * 12 + last.month - first.month + 1)
    ]
    assert {windows.key_of(window, each, joined) for each in inside} == {key}
    assert {windows.months_of(window, each, joined) for each in inside} == {(first, last)}
    assert windows.key_of(window, first.previous(), joined) != key
    assert windows.key_of(window, last.next(), joined) != key


@given(window=PARTING, at=INSTANTS, zone=ZONES, joined=MONTHS)
@example(
    Window("month"), instant("2026-10-31T10:00:00+00:00"), ZoneInfo("Pacific/Kiritimati"), Month(2026, 1)
)
@example(Window("quarter"), instant("2026-03-31T18:15:00+00:00"), ZoneInfo("Asia/Kathmandu"), Month(2026, 1))
@example(Window("year"), instant("2026-12-31T23:00:00+00:00"), PARIS, Month(2026, 1))
def test_each_instant_lies_between_the_bounds_of_its_window(
    window: Window, at: datetime, zone: ZoneInfo, joined: Month
) -> None:
    first, last = windows.months_of(window, Month.of(at, zone), joined)
    assert first is None or first.starts_at(zone) <= at
    assert last is None or at < last.ends_at(zone)


@pytest.mark.parametrize(
    ("at", "zone", "kind", "key"),
    [
        # 31 March 18:14:59Z is 23:59:59 in Kathmandu (+05:45); a second later it is April there.
        ("2026-03-31T18:14:59+00:00", "Asia/Kathmandu", "quarter", "2026-Q1"),
        ("2026-03-31T18:15:00+00:00", "Asia/Kathmandu", "quarter", "2026-Q2"),
        # Kiritimati (+14) is the first to have a new year.
        ("2026-12-31T09:59:59+00:00", "Pacific/Kiritimati", "year", "2026"),
        ("2026-12-31T10:00:00+00:00", "Pacific/Kiritimati", "year", "2027"),
        ("2026-10-31T23:30:00+00:00", "Europe/Paris", "month", "2026-11"),
        ("2026-10-31T23:30:00+00:00", "America/Los_Angeles", "month", "2026-10"),
    ],
)
def test_the_window_of_an_instant_is_the_one_of_the_zone(
    at: str, zone: str, kind: WindowKind, key: str
) -> None:
    assert windows.key_of(Window(kind), Month.of(instant(at), ZoneInfo(zone))) == key


@pytest.mark.parametrize(
    ("start", "until", "months"),
    [
        ("2026-03-15T10:00", "2026-03-15T10:00", 0),
        ("2026-03-15T10:00", "2026-04-15T09:59:59.999999", 0),
        ("2026-03-15T10:00", "2026-04-15T10:00", 1),
        ("2026-03-15T10:00", "2027-03-15T09:59", 11),
        ("2026-03-15T10:00", "2027-03-15T10:00", 12),
        ("2026-03-15T10:00", "2026-02-01T00:00", 0),  # before the start
        ("2026-03-15T10:00", "2020-01-01T00:00", 0),
        # The anniversaries of 31 January: 28 February, 31 March, 30 April.
        ("2026-01-31T10:00", "2026-02-28T09:59", 0),
        ("2026-01-31T10:00", "2026-02-28T10:00", 1),
        ("2026-01-31T10:00", "2026-03-30T23:59", 1),
        ("2026-01-31T10:00", "2026-03-31T10:00", 2),
        ("2026-01-31T10:00", "2026-04-30T09:59", 2),
        ("2026-01-31T10:00", "2026-04-30T10:00", 3),
        ("2028-01-31T10:00", "2028-02-28T23:59", 0),  # a leap year: the 29th
        ("2028-01-31T10:00", "2028-02-29T10:00", 1),
        ("2028-02-29T10:00", "2029-02-28T09:59", 11),
        ("2028-02-29T10:00", "2029-02-28T10:00", 12),
        ("2028-02-29T10:00", "2032-02-28T10:00", 47),  # the 29th again
        ("2028-02-29T10:00", "2032-02-29T10:00", 48),
        ("2026-12-31T10:00", "2027-01-31T09:59", 0),
        ("2026-12-31T10:00", "2027-01-31T10:00", 1),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "Asia/Kathmandu", "Pacific/Kiritimati"])
def test_months_are_counted_by_anniversaries_of_the_start(
    start: str, until: str, months: int, zone: str
) -> None:
    local = ZoneInfo(zone)
    began, now = (instant(text).replace(tzinfo=local) for text in (start, until))
    assert windows.months_since(began, now, local) == months


@pytest.mark.parametrize(
    ("start", "until", "months"),
    [
        # 28 February 02:30 in Paris. On 29 March clocks jump from 02:00 to 03:00; the start's hour comes at 01:30Z.
        ("2026-02-28T01:30:00+00:00", "2026-03-28T01:29:59+00:00", 0),
        ("2026-02-28T01:30:00+00:00", "2026-03-28T01:30:00+00:00", 1),
        ("2026-01-29T01:30:00+00:00", "2026-03-29T01:29:59+00:00", 1),  # 03:29:59 after the jump
        ("2026-01-29T01:30:00+00:00", "2026-03-29T01:30:00+00:00", 2),
        # 25 September 02:30 is 00:30Z. On 25 October 02:30 comes twice, at 00:30Z and 01:30Z: the first time counts, and
        # 02:10 of the second time, at 01:10Z, is not before it again.
        ("2026-09-25T00:30:00+00:00", "2026-10-25T00:29:59+00:00", 0),
        ("2026-09-25T00:30:00+00:00", "2026-10-25T00:30:00+00:00", 1),
        ("2026-09-25T00:30:00+00:00", "2026-10-25T01:10:00+00:00", 1),
        # From 02:30 of the second time, the anniversary is 02:30 of 25 November, 01:30Z.
        ("2026-10-25T01:30:00+00:00", "2026-10-25T01:30:00+00:00", 0),
        ("2026-10-25T01:30:00+00:00", "2026-11-25T01:29:59+00:00", 0),
        ("2026-10-25T01:30:00+00:00", "2026-11-25T01:30:00+00:00", 1),
        # Summer to winter: 10:00 is 08:00Z, then 09:00Z.
        ("2026-10-01T08:00:00+00:00", "2026-11-01T08:59:59+00:00", 0),
        ("2026-10-01T08:00:00+00:00", "2026-11-01T09:00:00+00:00", 1),
    ],
)
def test_an_anniversary_comes_once_in_the_nights_the_clocks_change(
    start: str, until: str, months: int
) -> None:
    assert windows.months_since(instant(start), instant(until), PARIS) == months


def test_the_zone_decides_which_day_a_start_was() -> None:
    # 31 January 20:00Z is already 1 February in Kathmandu and Kiritimati, still 31 January in Paris.
    began, now = instant("2026-01-31T20:00:00+00:00"), instant("2026-02-28T20:00:00+00:00")
    kathmandu, sooner = ZoneInfo("Asia/Kathmandu"), instant("2026-02-28T19:59:59+00:00")
    assert windows.anniversary(began, 1, PARIS) == now  # 28 February 21:00, the 31st clamped
    assert windows.anniversary(began, 1, kathmandu) == now  # 1 March 01:45
    assert windows.months_since(began, sooner, kathmandu) == 0
    assert windows.anniversary(began, 2, PARIS) == instant(
        "2026-03-31T19:00:00+00:00"
    )  # 21:00 of summer time
    assert windows.anniversary(began, 2, kathmandu) == instant("2026-03-31T20:00:00+00:00")


def test_a_clock_put_back_into_the_old_month_does_not_undo_an_anniversary() -> None:
    # St John's: 1 October 2009 00:00:30 is 02:30:30Z. On 1 November at 00:01 clocks went back to 23:01 of 31 October.
    zone, began = ZoneInfo("America/St_Johns"), instant("2009-10-01T02:30:30+00:00")
    reached = instant("2009-11-01T02:30:30+00:00")
    assert windows.months_since(began, reached - timedelta(seconds=1), zone) == 0
    assert windows.months_since(began, reached, zone) == 1
    assert windows.months_since(began, reached + timedelta(minutes=30), zone) == 1


@given(start=INSTANTS, zone=ZONES, ahead=st.integers(0, 400 * 86400), step=st.integers(0, 90_000))
def test_a_later_instant_is_never_fewer_months_away(
    start: datetime, zone: ZoneInfo, ahead: int, step: int
) -> None:
    sooner = start + timedelta(seconds=ahead)
    later = sooner + timedelta(seconds=step)
    assert windows.months_since(start, sooner, zone) <= windows.months_since(start, later, zone)


@given(start=INSTANTS, zone=ZONES, months=st.integers(1, 60))
def test_the_month_changes_exactly_at_the_anniversary(start: datetime, zone: ZoneInfo, months: int) -> None:
    due = windows.anniversary(start, months, zone)
    assert windows.months_since(start, due, zone) == months
    assert windows.months_since(start, due - timedelta(microseconds=1), zone) == months - 1


@given(start=INSTANTS, zone=ZONES)
def test_anniversaries_come_one_after_the_other_and_begin_with_the_start(
    start: datetime, zone: ZoneInfo
) -> None:
    found = [windows.anniversary(start, months, zone) for months in range(30)]
    assert found[0] == start
    assert all(earlier < later for earlier, later in pairwise(found))
