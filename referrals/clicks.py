"""Write clicks down. With a stream a click waits there and is written with many others; without one, or while the stream is away, it is
written at once. Either way the same rows come of it, each once, and a visitor is sent on even when nothing can be written.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from django.db import DatabaseError, IntegrityError, transaction
from redis.exceptions import RedisError

from prm.lib.bulk import BulkWriter
from prm.lib.ids import instant_of
from prm.lib.periods import local_day
from referrals import hits, marks, stream
from referrals.hits import Hit, Unreadable
from referrals.models import Click, Link
from referrals.redirect import Target

log = logging.getLogger(__name__)
MOST_SETTLED = 50_000
AT_ONCE = 5_000
_APART = timedelta(minutes=1)  # clocks of servers may differ by so much
Places = dict[int, tuple[int, tzinfo]]


def record(hit: Hit, target: Target) -> bool:
    """Write a click down before its visitor is answered, and say whether that could be done."""
    if stream.is_used():
        try:
            stream.push(hit)
        except stream.StreamDown:
            pass
        else:
            return True
    try:
        write([hit], places={target.link_id: (target.program_id, target.zone)})
    except DatabaseError:
        # Losing a click is bad, keeping a customer from the shop is worse; an id nobody knows must not be handed on.
        log.exception("A click on link %s could not be written.", target.link_id)
        return False
    return True


@transaction.atomic
def write(clicks: Iterable[Hit], *, places: Places | None = None) -> list[Hit]:
    """Write those clicks that are not written yet, and mark the days they belong to; return those whose link does not exist.

    `places` names the program and time zone of links, when the caller knows them.
    """
    # In one order, so that two who write the same clicks wait for each other and never in a circle.
    rows = sorted({hit.click_id: hit for hit in clicks}.values())
    known = places if places is not None else _places({hit.link_id for hit in rows})
    good = [hit for hit in rows if hit.link_id in known]
    fresh = good if places is not None else _unwritten(good)
    if fresh:
        _insert(fresh)
        days = {
            (hit.link_id, hit.micros // 900_000_000): hit for hit in fresh
        }.values()  # days begin on quarters
        marks.mark(
            {(known[hit.link_id][0], local_day(hit.clicked_at, known[hit.link_id][1])) for hit in days}
        )
    return [hit for hit in rows if hit.link_id not in known]


def settle(click_ids: Collection[str]) -> None:
    """Make clicks that may still wait in the stream visible to the caller's transaction, with all that came before them.

    It is cheap when the ids are known, or older or younger than anything that waits.
    """
    if not stream.is_used():
        return
    asked = {click_id for click_id in click_ids if hits.is_click_id(click_id)}
    known = (
        set(Click.objects.filter(click_id__in=asked).values_list("click_id", flat=True)) if asked else set()
    )
    unknown = asked - known
    if not unknown:
        return
    try:
        entries = _waiting_since(max(unknown))
    except RedisError as error:
        log.error("Clicks that wait cannot be read: %s.", type(error).__name__)
        return
    found, settled = [], []
    for entry, line in entries:
        try:
            found.append(hits.decode(line or b""))
        except Unreadable:
            continue  # the drain puts it aside
        settled.append(entry)
    if not found:
        return
    with transaction.atomic():
        write(found)
        transaction.on_commit(lambda: _take_away(settled), robust=True)


def _waiting_since(latest: str) -> Sequence[stream.Entry]:
    """Return what waits, oldest first, unless all of it is younger than the latest click that is asked for."""
    first = stream.waiting(1)
    if not first:
        return ()
    oldest = datetime.fromtimestamp(int(first[0][0].split("-")[0]) / 1000, UTC)
    return stream.waiting(MOST_SETTLED) if instant_of(latest) >= oldest - _APART else ()


def _take_away(entries: Sequence[str]) -> None:
    for begin in range(0, len(entries), AT_ONCE):
        stream.take_away(entries[begin : begin + AT_ONCE])


def _unwritten(rows: Sequence[Hit]) -> list[Hit]:
    found: set[str] = set()
    for begin in range(0, len(rows), AT_ONCE):
        ids = [hit.click_id for hit in rows[begin : begin + AT_ONCE]]
        found.update(Click.objects.filter(click_id__in=ids).values_list("click_id", flat=True))
    return [hit for hit in rows if hit.click_id not in found]


def _places(link_ids: set[int]) -> Places:
    rows = Link.objects.filter(pk__in=link_ids).values_list(
        "pk", "membership__program", "membership__program__time_zone"
    )
    return {pk: (program, ZoneInfo(zone)) for pk, program, zone in rows}


def _insert(rows: Sequence[Hit]) -> None:
    try:
        with transaction.atomic():
            BulkWriter(Click, hits.COLUMNS).write((*hit[:3], hit.clicked_at, *hit[4:]) for hit in rows)
    except IntegrityError:
        # Somebody else wrote some of them since we looked.
        Click.objects.bulk_create((_row(hit) for hit in rows), ignore_conflicts=True, batch_size=AT_ONCE)


def _row(hit: Hit) -> Click:
    return Click(**dict(zip(hits.COLUMNS, (*hit[:3], hit.clicked_at, *hit[4:]), strict=True)))
