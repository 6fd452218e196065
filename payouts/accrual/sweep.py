"""Work off the queue of unrated credits, a batch at a time. What cannot be computed holds up nobody else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError
from django.db.models import Q

from partners.models import Membership
from payouts.accrual.batch import accrue_batch
from payouts.accrual.loading import Accrued
from referrals.models import Credit

logger = logging.getLogger(__name__)

BATCH = 1000  # on SQLite a transaction holds the one write lock: keep it short


def accrue(conversion_ids: Sequence[int], *, at: datetime) -> Accrued:
    """Rate the unrated credits of these conversions, in batches of one transaction each.

    Credits that another worker holds are left to it; calling again is harmless.
    """
    done = Accrued()
    for start in range(0, len(conversion_ids), BATCH):
        done.add(accrue_batch(Q(conversion__in=conversion_ids[start : start + BATCH]), at=at))
    return done


def drain(
    *, at: datetime, older_than: timedelta = timedelta(0), membership: Membership | None = None
) -> Iterator[Accrued]:
    """Rate everything nobody rated yet, of all or of one membership, oldest event first, yielding what each batch did.

    Reads the queue once per batch from where the last one ended, so that a refund still waiting for its sale does
    not come up again and again.
    """
    queue = Credit.objects.unrated().filter(attributed_at__lte=at - older_than).order_by("occurred_at", "pk")
    if membership is not None:
        queue = queue.filter(membership=membership)
    after: tuple[datetime, int] | None = None
    while True:
        rest = queue if after is None else queue.filter(_later_than(after))
        rows = list(rest.values_list("occurred_at", "pk")[:BATCH])
        if not rows:
            return
        after = rows[-1]
        yield _accrue_what_can_be([pk for _instant, pk in rows], at=at)


def sweep(
    *, at: datetime, older_than: timedelta = timedelta(0), until: Callable[[], bool] = lambda: False
) -> Accrued:
    """Rate everything nobody rated yet; `until` is asked after each batch whether to stop."""
    done = Accrued()
    for step in drain(at=at, older_than=older_than):
        done.add(step)
        if until():
            break
    return done


def _later_than(place: tuple[datetime, int]) -> Q:
    instant, pk = place
    return Q(occurred_at__gt=instant) | Q(occurred_at=instant, pk__gt=pk)


def _accrue_what_can_be(ids: Sequence[int], *, at: datetime) -> Accrued:
    """Rate a batch; when an event cannot be computed, halve until it stands alone, and report that one.

    Without this the one would hold up everybody's commission, sweep after sweep. It stays unrated, so its own
    program's month cannot close before the fault is mended.
    """
    try:
        return accrue_batch(Q(pk__in=ids), at=at)
    except (ArithmeticError, DataError, LookupError, ObjectDoesNotExist, TypeError, ValueError):
        if len(ids) == 1:
            logger.exception("Credit %s cannot be rated.", ids[0])
            return Accrued(failed=1)
    half = len(ids) // 2
    done = _accrue_what_can_be(ids[:half], at=at)
    done.add(_accrue_what_can_be(ids[half:], at=at))
    return done
