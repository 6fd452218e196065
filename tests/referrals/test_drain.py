"""Clicks that wait in the stream reach the database, each once: from one drain or several, after errors, and when somebody cannot wait."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import DatabaseError, connection, transaction

from prm import health
from prm.lib.ids import instant_of, ulid
from referrals import clicks, drain, hits, stream
from referrals.hits import Hit
from referrals.models import Click, RollupMark
from tests.factories.referrals import LinkFactory, new_membership

needs_redis = pytest.mark.needs_redis
pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def empty_stream(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    """Give tests that speak to Redis an empty stream."""
    if not request.node.get_closest_marker("needs_redis"):
        yield
        return
    settings.CLICK_STREAM = os.environ["REDIS_URL"]
    stream.client().delete(stream.KEY, stream.DEAD)
    yield
    stream.client().delete(stream.KEY, stream.DEAD)


def a_hit(link_id: int, *, at: datetime = AT, **changes: Any) -> Hit:
    return Hit(ulid(), "person", link_id, hits.micros_of(at))._replace(**changes)


def ids() -> list[str]:
    return list(Click.objects.order_by("click_id").values_list("click_id", flat=True))


def test_a_line_of_the_stream_reads_back_as_it_was() -> None:
    full = Hit(
        ulid(), "view", 7, hits.micros_of(AT), *["x", "blog.example", *"abcde", "żółć", "PL", "gclid", "", ""]
    )
    assert hits.decode(full.encode()) == full
    assert full.clicked_at == AT


@pytest.mark.parametrize(
    "spoil",
    [
        lambda row: None,
        lambda row: row[:-1],
        lambda row: ["x", *row[1:]],
        lambda row: [row[0], "friend", *row[2:]],
        lambda row: [*row[:2], "7", *row[3:]],
        lambda row: [*row[:2], True, *row[3:]],
        lambda row: [*row[:3], -1, *row[4:]],
        lambda row: [*row[:3], 10**20, *row[4:]],
        lambda row: [*row[:4], "x" * 27, *row[5:]],
        lambda row: [*row[:6], "a\0b", *row[7:]],
        lambda row: [*row[:6], None, *row[7:]],
    ],
)
def test_a_line_that_is_no_click_is_refused(spoil: Callable[[list[Any]], Any]) -> None:
    with pytest.raises(hits.Unreadable):
        hits.decode(json.dumps(spoil(list(a_hit(7)))).encode())
    with pytest.raises(hits.Unreadable):
        hits.decode(b"\xff")


def test_the_instant_of_an_id_is_read_from_it() -> None:
    assert instant_of("00000000000000000000000000") == datetime(1970, 1, 1, tzinfo=UTC)
    assert instant_of("01kahd8dr0" + "0" * 16) == datetime(2025, 11, 20, 19, 53, 28, 64_000, tzinfo=UTC)
    assert instant_of("7" + "z" * 25).year == 9999
    assert abs(instant_of(ulid()) - datetime.now(UTC)) < timedelta(seconds=5)


def test_clicks_are_written_once_and_their_local_days_marked() -> None:
    london, warsaw = (
        LinkFactory.create(membership=new_membership(time_zone=zone))
        for zone in ("Europe/London", "Europe/Warsaw")
    )
    rows = [a_hit(london.pk), a_hit(warsaw.pk), a_hit(warsaw.pk, at=AT + timedelta(minutes=1))]
    stranger = a_hit(10**9)
    assert clicks.write([*rows, rows[0], stranger]) == [stranger]
    assert clicks.write(rows) == []
    assert ids() == sorted(hit.click_id for hit in rows)
    marked = {(mark.program_id, str(mark.happened_on)) for mark in RollupMark.objects.all()}
    # Half past eleven in London is half past midnight in Warsaw.
    assert marked == {
        (london.membership.program_id, "2026-11-20"),
        (warsaw.membership.program_id, "2026-11-21"),
    }


def test_clicks_somebody_else_has_just_written_are_passed_over() -> None:
    link = LinkFactory.create()
    rows = [a_hit(link.pk) for _number in range(3)]
    clicks.write(rows[:1])
    with mock.patch.object(clicks, "_unwritten", side_effect=lambda given: given):
        clicks.write(rows)
    assert ids() == sorted(hit.click_id for hit in rows)


@needs_redis
def test_what_waits_is_written_and_taken_away() -> None:
    link = LinkFactory.create()
    rows = [a_hit(link.pk) for _number in range(7)]
    for hit in [*rows, rows[0]]:  # one was sent twice
        stream.push(hit)
    assert stream.state()[0] == 8
    assert drain.drain(batch=3) == 8
    assert ids() == sorted(hit.click_id for hit in rows)
    assert stream.state() == (0, 0.0, 0)
    assert drain.drain() == 0


@needs_redis
def test_what_is_no_click_is_put_aside_and_never_stands_in_the_way() -> None:
    link = LinkFactory.create()
    good = [a_hit(link.pk) for _number in range(3)]
    stream.push(good[0])
    stream.client().xadd(stream.KEY, {"c": b"\xff nonsense"})
    stream.client().xadd(stream.KEY, {"other": "field"})
    stream.push(a_hit(10**9))
    stream.push(good[1])
    stream.push(good[2])
    assert drain.drain() == 6
    assert ids() == sorted(hit.click_id for hit in good)
    reasons = [json.loads(line)["why"] for line in stream.client().lrange(stream.DEAD, 0, -1)]
    assert sorted(reasons) == ["it is no JSON", "it is no JSON", "its link does not exist"]
    assert stream.state()[0] == 0


@needs_redis
def test_one_row_the_database_refuses_does_not_keep_back_the_others() -> None:
    link = LinkFactory.create()
    rows = [a_hit(link.pk) for _number in range(5)]
    rows[3] = rows[3]._replace(kind="friend")
    for hit in rows:
        stream.push(hit)
    with mock.patch.object(hits, "_KINDS", {"person", "friend"}):
        drain.drain()
    assert ids() == sorted(hit.click_id for hit in rows if hit.kind == "person")
    assert stream.state()[::2] == (0, 1)


@needs_redis
def test_a_batch_that_failed_is_read_again_first_and_one_left_behind_is_taken_over() -> None:
    link = LinkFactory.create()
    first, second = a_hit(link.pk), a_hit(link.pk)
    stream.push(first)
    with mock.patch.object(clicks, "write", side_effect=DatabaseError), pytest.raises(DatabaseError):
        drain.drain()
    assert ids() == [] and stream.state()[0] == 1
    with mock.patch.object(drain, "_own_name", return_value="somebody else"):
        stream.push(second)
        with mock.patch.object(clicks, "write", side_effect=DatabaseError), pytest.raises(DatabaseError):
            drain.drain()
        assert ids() == []
    assert drain.drain() == 1  # its own; what another holds is not old enough
    assert ids() == [first.click_id]
    assert drain.drain(given_up_ms=0) == 1
    assert ids() == [first.click_id, second.click_id]
    assert stream.state()[0] == 0


@needs_redis
def test_readers_that_are_gone_are_forgotten_unless_they_hold_something(monkeypatch: Any) -> None:
    link = LinkFactory.create()
    drain.drain()
    stream.push(a_hit(link.pk))
    client = stream.client()
    client.xreadgroup(stream.GROUP, "holds", {stream.KEY: ">"})
    client.xgroup_createconsumer(stream.KEY, stream.GROUP, "gone")
    monkeypatch.setattr(drain, "_FORGOTTEN_MS", -1)
    drain._open()
    names = {reader["name"] for reader in client.xinfo_consumers(stream.KEY, stream.GROUP)}
    assert b"holds" in names and b"gone" not in names


@needs_redis
def test_who_cannot_wait_sees_the_click_and_what_came_before_it(
    django_capture_on_commit_callbacks: Any,
) -> None:
    link = LinkFactory.create()
    rows = [a_hit(link.pk, at=datetime.now(UTC), visitor=ulid()) for _number in range(3)]
    for hit in rows:
        stream.push(hit)
    with django_capture_on_commit_callbacks(execute=True):
        clicks.settle(["nonsense", ulid(), rows[1].click_id])
        assert ids() == sorted(hit.click_id for hit in rows)
        assert stream.state()[0] == 3  # until the transaction is through
    assert stream.state()[0] == 0
    assert drain.drain() == 0
    assert Click.objects.count() == 3


@needs_redis
def test_what_was_settled_in_a_transaction_that_was_undone_still_waits() -> None:
    link = LinkFactory.create()
    hit = a_hit(link.pk, at=datetime.now(UTC))
    stream.push(hit)

    def undone() -> None:
        with transaction.atomic():
            clicks.settle([hit.click_id])
            assert ids() == [hit.click_id]
            raise DatabaseError

    with pytest.raises(DatabaseError):
        undone()
    assert ids() == []
    drain.drain()
    assert ids() == [hit.click_id]


@needs_redis
def test_settling_what_is_known_or_too_old_reads_nothing(django_assert_num_queries: Any) -> None:
    link = LinkFactory.create()
    known = a_hit(link.pk)
    clicks.write([known])
    stream.push(a_hit(link.pk))
    with mock.patch.object(stream, "client", side_effect=AssertionError), django_assert_num_queries(1):
        clicks.settle([known.click_id])
    with django_assert_num_queries(1):
        clicks.settle(["01aaaaaaaa" + "0" * 16])
    with django_assert_num_queries(0):
        clicks.settle(["nonsense"])
    assert Click.objects.count() == 1


def test_without_a_stream_nothing_is_asked(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        clicks.settle([ulid()])
        assert drain.drain() == 0
    assert health.clicks() == "written at once"


@needs_redis
def test_the_page_of_health_says_how_long_clicks_wait() -> None:
    assert health.clicks() == "0 wait, the oldest for 0 s, 0 put aside as unreadable"
    old = int((datetime.now(UTC) - timedelta(seconds=90)).timestamp() * 1000)
    stream.client().xadd(stream.KEY, {"c": "x"}, id=f"{old}-0")
    with pytest.raises(RuntimeError, match="1 wait, the oldest for 9"):
        health.clicks()


@needs_redis
@pytest.mark.needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_four_drains_at_once_write_each_click_once() -> None:
    link = LinkFactory.create()
    rows = [a_hit(link.pk) for _number in range(400)]
    for hit in rows:
        stream.push(hit)

    def work(_number: int) -> int:
        try:
            # Taking over at once makes them write the same clicks at the same time.
            return drain.drain(batch=20, given_up_ms=0, seconds=20)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(work, range(4)))
    assert done >= 400
    assert ids() == sorted(hit.click_id for hit in rows)
    assert stream.state()[0] == 0
