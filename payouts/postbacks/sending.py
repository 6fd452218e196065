"""Make the calls that are due. A call is claimed before it is made and its end written afterwards, so that a worker that dies loses none;
one that fails is made again, later each time, and an address that goes on failing is switched off and its owners are told."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.db import transaction
from django.db.models import F, Q

from payouts import notices_postbacks
from payouts.choices import PostbackDeliveryState
from payouts.models import Postback, PostbackDelivery
from payouts.postbacks import signing
from prm import audit
from prm.lib import outbound
from prm.lib.outbound import Answer, Guard

# The wait before each further attempt; after the last one a call is given up.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 2 * 60, 6 * 60, 12 * 60, 24 * 60, 24 * 60))
LEASE = timedelta(minutes=2)  # from the begin of a round; longer than a round and a call can take
LONGEST_SECONDS = 80.0  # of a round; the next one goes on
FAILURES_ALLOWED = 20
FAILING_ALLOWED = timedelta(days=3)
GONE = 410
_PLACE = re.compile(r"\{([a-z_0-9]{1,20})\}")


def send_due(*, at: datetime, limit: int = 50, guard: Guard = outbound.PUBLIC) -> int:
    """Make up to `limit` calls that are due, the oldest first, and return how many were taken.

    Each is claimed when its turn comes, and none so late that its claim is over before it is: slow servers of one partner
    neither let another worker make a call twice, nor are they called on after they were switched off.
    """
    taken, until = 0, time.monotonic() + LONGEST_SECONDS
    for _turn in range(limit):
        claimed = _claim(at=at, limit=1) if time.monotonic() < until else []
        if not claimed:
            break
        taken += send(claimed[0], at=at, guard=guard)
    return taken


def send(delivery: PostbackDelivery, *, at: datetime, guard: Guard = outbound.PUBLIC) -> bool:
    """Make one call that was claimed, and write down what came of it; return whether it was taken."""
    body = delivery.body.encode()
    headers = signing.headers_of(delivery.postback, name=delivery.public_id, body=body, at=at)
    try:
        answer = outbound.post(address_of(delivery), body, headers, guard=guard)
    except outbound.Unreachable as error:
        return _failed(delivery, None, str(error), at=at)
    if answer.is_taken:
        _taken(delivery, answer, at=at)
        return True
    return _failed(delivery, answer, f"The answer was {answer.status}.", at=at)


def again(delivery: PostbackDelivery, *, at: datetime) -> None:
    """Put a call that was made or given up in the queue once more, under the same name."""
    PostbackDelivery.objects.filter(pk=delivery.pk).exclude(state=PostbackDeliveryState.QUEUED).update(
        state=PostbackDeliveryState.QUEUED, attempts=0, next_at=at, last_error=""
    )


def address_of(delivery: PostbackDelivery) -> str:
    """Return the address of a call with the facts put in that its query asks for, such as {click_id}; unknown names become nothing."""
    start, mark, query = delivery.postback.url.partition("?")
    if not mark:
        return start
    facts = _facts(delivery)
    return start + mark + _PLACE.sub(lambda found: quote(str(facts.get(found[1], "")), safe=""), query)


def _facts(delivery: PostbackDelivery) -> dict[str, Any]:
    data = json.loads(delivery.body)["data"]
    subs = data.pop("sub_ids", [])
    named = {f"sub{place}": value for place, value in enumerate(subs, start=1)}
    return {**data, **named, "event": delivery.event, "id": delivery.public_id}


def _claim(*, at: datetime, limit: int) -> list[PostbackDelivery]:
    """Take calls that are due, so that nobody else makes them meanwhile; they come back when this worker dies."""
    with transaction.atomic():
        due = (
            PostbackDelivery.objects.due()
            .filter(next_at__lte=at, postback__disabled_at=None, postback__removed_at=None)
            .order_by("next_at", "pk")
            .select_for_update(of=("self",), skip_locked=True, no_key=True)
        )
        pks = list(due.values_list("pk", flat=True)[:limit])
        PostbackDelivery.objects.filter(pk__in=pks).update(next_at=at + LEASE, attempts=F("attempts") + 1)
    rows = PostbackDelivery.objects.filter(pk__in=pks).select_related("postback__membership__program")
    return list(rows.order_by("next_at", "pk"))


@transaction.atomic
def _taken(delivery: PostbackDelivery, answer: Answer, *, at: datetime) -> None:
    PostbackDelivery.objects.due().filter(pk=delivery.pk).update(
        state=PostbackDeliveryState.SENT, next_at=None, sent_at=at, last_status=answer.status, last_error=""
    )
    Postback.objects.filter(~Q(failures=0), pk=delivery.postback_id).update(failures=0, failing_since_at=None)


@transaction.atomic
def _failed(delivery: PostbackDelivery, answer: Answer | None, why: str, *, at: datetime) -> bool:
    attempts = delivery.attempts
    is_over = attempts > len(WAITS)
    wait = WAITS[min(attempts, len(WAITS)) - 1]
    if answer is not None and answer.retry_after is not None:
        wait = max(wait, min(timedelta(seconds=answer.retry_after), timedelta(days=1)))
    PostbackDelivery.objects.due().filter(pk=delivery.pk).update(
        state=PostbackDeliveryState.GIVEN_UP if is_over else PostbackDeliveryState.QUEUED,
        next_at=None if is_over else at + wait,
        last_status=answer.status if answer is not None else None,
        last_error=why[:300],
    )
    postback = Postback.objects.lock().get(pk=delivery.postback_id)
    postback.failures += 1
    postback.failing_since_at = postback.failing_since_at or at
    postback.save(update_fields=["failures", "failing_since_at"])
    is_gone = answer is not None and answer.status == GONE
    is_lasting = postback.failures >= FAILURES_ALLOWED or at - postback.failing_since_at >= FAILING_ALLOWED
    if postback.disabled_at is None and (is_gone or is_over or is_lasting):
        _switch_off(postback, why, at=at)
    return False


def _switch_off(postback: Postback, why: str, *, at: datetime) -> None:
    postback.disabled_at, postback.disabled_because = at, why[:200]
    postback.save(update_fields=["disabled_at", "disabled_because"])
    audit.record(None, "postback.switched_off", postback, at=at, failures=postback.failures)
    notices_postbacks.tell_switched_off(postback, at=at)
