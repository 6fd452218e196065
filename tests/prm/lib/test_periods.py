"""Months and local days: worked examples at the clock changes of several zones, and that months divide all of time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prm.lib.periods import Month, end_of_day_after, hold_until, months_between, start_of_day

PARIS, LONDON = ZoneInfo("Europe/Paris"), ZoneInfo("Europe/London")
ODD_ZONES = [
    "UTC",
    "Europe/London",
    "Europe/Paris",
    "America/Los_Angeles",
    "America/St_Johns",  # until 2011 clocks changed at 00:01
    "America/Asuncion",  # on 1 October 2017 midnight was skipped
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Apia",  # had no 30 December 2011
    "Australia/Lord_Howe",  # half an hour of summer time
    "Antarctica/Troll",
]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("at", "zone", "month"),
    [
        ("2026-10-31T23:30:00+00:00", "Europe/Paris", "2026-11"),
        ("2026-10-31T23:30:00+00:00", "UTC", "2026-10"),
        ("2026-10-31T23:30:00+00:00", "America/Los_Angeles", "2026-10"),
        ("2026-06-30T22:59:59.999999+00:00", "Europe/London", "2026-06"),
        ("2026-06-30T23:00:00+00:00", "Europe/London", "2026-07"),
        ("2026-10-31T10:00:00+00:00", "Pacific/Kiritimati", "2026-11"),
        ("2026-10-31T18:14:59+00:00", "Asia/Kathmandu", "2026-10"),
        ("2026-10-31T18:15:00+00:00", "Asia/Kathmandu", "2026-11"),
        ("2017-10-01T04:00:00+00:00", "America/Asuncion", "2017-10"),
        ("2017-10-01T03:59:59+00:00", "America/Asuncion", "2017-09"),
        # 1 November 2009 began at 02:30Z; at 00:01 local the clocks went back to 23:01 of 31 October.
        ("2009-11-01T02:30:30+00:00", "America/St_Johns", "2009-11"),
        ("2009-11-01T03:00:00+00:00", "America/St_Johns", "2009-11"),
        ("2009-11-01T02:29:59+00:00", "America/St_Johns", "2009-10"),
    ],
)
def test_the_month_of_an_instant_is_the_one_of_the_zone(at: str, zone: str, month: str) -> None:
    assert str(Month.of(instant(at), ZoneInfo(zone))) == month


def test_bounds_are_local_midnights_in_utc() -> None:
    october = Month(2026, 10)
    assert october.starts_at(PARIS) == instant("2026-09-30T22:00:00+00:00")  # summer time
    assert october.ends_at(PARIS) == instant("2026-10-31T23:00:00+00:00")  # winter time
    assert october.starts_at(PARIS).tzinfo is UTC
    assert october.ends_at(PARIS) - october.starts_at(PARIS) == timedelta(days=31, hours=1)


@given(
    st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2035, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(ODD_ZONES),
)
def test_every_instant_lies_in_exactly_one_month(at: datetime, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    month = Month.of(at, zone)
    assert month.contains(at, zone)
    assert not month.previous().contains(at, zone)
    assert not month.next().contains(at, zone)


@pytest.mark.parametrize("zone_name", ODD_ZONES)
def test_months_follow_each_other_without_gap_around_every_bound(zone_name: str) -> None:
    zone, step = ZoneInfo(zone_name), timedelta(microseconds=1)
    for month in months_between(Month(2005, 1), Month(2028, 12)):
        assert month.ends_at(zone) == month.next().starts_at(zone)
        assert Month.of(month.starts_at(zone), zone) == month
        assert Month.of(month.starts_at(zone) - step, zone) == month.previous()


def test_months_are_read_written_compared_and_counted() -> None:
    november = Month.parse("2026-11")
    assert (november.year, november.month, str(november)) == (2026, 11, "2026-11")
    assert november.next().next() == Month(2027, 1)
    assert Month(2026, 1).previous() == Month(2025, 12)
    assert november.plus(-23) == Month(2024, 12)
    assert Month(2025, 12) < Month(2026, 1) < november
    assert [str(month) for month in months_between(Month(2010, 12), Month(2011, 2))] == [
        "2010-12",
        "2011-01",
        "2011-02",
    ]
    assert list(months_between(november, november.previous())) == []
    assert (Month(2028, 2).first_on, Month(2028, 2).last_on) == (date(2028, 2, 1), date(2028, 2, 29))


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "2026-1", "26-01", "2026-11-01", "2026-11\n", "２０２６-11"]
)
def test_a_text_that_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a month"):
        Month.parse(text)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Month.of(datetime(2026, 11, 1), LONDON)


@pytest.mark.parametrize(
    ("at", "days", "until"),
    [
        ("2026-11-01T15:00:00+00:00", 14, "2026-11-15T00:00:00+00:00"),
        ("2026-11-01T00:00:00+00:00", 14, "2026-11-15T00:00:00+00:00"),
        ("2026-06-30T23:30:00+00:00", 1, "2026-07-01T23:00:00+00:00"),  # 00:30 on 1 July in London
        ("2026-03-20T12:00:00+00:00", 14, "2026-04-02T23:00:00+00:00"),  # over the change to summer time
        ("2026-03-16T12:00:00+00:00", 60, "2026-05-14T23:00:00+00:00"),  # 15 May
        ("2026-11-01T15:00:00+00:00", 0, "2026-11-01T15:00:00+00:00"),
    ],
)
def test_a_hold_ends_with_the_midnight_that_begins_its_last_date(at: str, days: int, until: str) -> None:
    assert hold_until(instant(at), days, LONDON) == instant(until)


def test_a_deadline_in_days_counts_the_whole_last_day() -> None:
    assert end_of_day_after(instant("2026-11-01T15:00:00+00:00"), 14, LONDON) == instant(
        "2026-11-16T00:00:00+00:00"
    )


def test_a_day_whose_midnight_is_skipped_begins_after_the_jump() -> None:
    zone = ZoneInfo("America/Asuncion")
    began = start_of_day(date(2017, 10, 1), zone)
    assert began == instant("2017-10-01T04:00:00+00:00")
    assert began.astimezone(zone).isoformat() == "2017-10-01T01:00:00-03:00"
