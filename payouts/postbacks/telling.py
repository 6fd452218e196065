"""Write down what partners' servers are to be told: leads and sales credited to a membership, and its commission lines. Each thing is told
once per address, however often somebody looks; what happened before an address was set is not told to it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partners.choices import MembershipState
from payouts.choices import PostbackDeliveryState, PostbackEvent
from payouts.models import Commission, Postback, PostbackDelivery
from prm.lib.errors import Refused
from prm.lib.ids import ulid
from prm.lib.money import Money
from referrals.attribution.shares import part, weights_of
from referrals.choices import ConversionState
from referrals.models import Click, Credit
from tiers.choices import EventKind

# How far back a sweep looks for what no bell told of.
LOOKS_BACK = timedelta(days=2)
AT_ONCE = 500
TESTS_AN_HOUR = 20
EVENTS = {
    EventKind.SIGNUP: PostbackEvent.LEAD,
    EventKind.QUALIFIED_LEAD: PostbackEvent.LEAD,
    EventKind.SALE: PostbackEvent.SALE,
    EventKind.RENEWAL: PostbackEvent.SALE,
}


def tell_credits(conversion_ids: Collection[int], *, at: datetime) -> int:
    """Write the calls about conversions just credited; return how many are new."""
    credits = Credit.objects.standing().filter(conversion__in=conversion_ids)
    return _tell_credits(credits, at=at)


def sweep(*, at: datetime) -> int:
    """Write the calls nobody has written yet: about credits and commission lines of the last days."""
    since = at - LOOKS_BACK
    told = _tell_credits(Credit.objects.standing().filter(attributed_at__gte=since), at=at)
    return told + _tell_lines(since, at=at)


class TooManyTests(Refused):
    message = _("That is enough for now: %(most)s tests an hour are the most. Try again later.")


def test_call(postback: Postback, *, at: datetime) -> PostbackDelivery:
    """Write a call that says it is a test.

    Raises: TooManyTests.
    """
    lately = postback.deliveries.filter(key__startswith="test:", created_at__gt=at - timedelta(hours=1))
    if lately.count() >= TESTS_AN_HOUR:
        raise TooManyTests(params={"most": TESTS_AN_HOUR})
    facts = {"test": True, "program": postback.membership.program.slug}
    return PostbackDelivery.objects.create(
        postback=postback,
        event=postback.events[0],
        key=f"test:{ulid()}",
        body=_body(postback.events[0], facts, at=at),
        state=PostbackDeliveryState.QUEUED,
        created_at=at,
        next_at=at,
    )


def _tell_credits(credits: QuerySet[Credit], *, at: datetime) -> int:
    wanted = _wanted((PostbackEvent.LEAD, PostbackEvent.SALE))
    if not wanted:
        return 0
    rows = list(
        credits.filter(membership__in=wanted, conversion__kind__in=EVENTS)
        .exclude(conversion__state=ConversionState.REJECTED)
        .select_related("conversion", "click__link", "code", "membership__program")
        .order_by("pk")
    )
    weights = weights_of(Credit.objects.filter(pk__in=[row.pk for row in rows if row.share < 1]))
    calls: list[PostbackDelivery] = []
    for row in rows:
        event = EVENTS[EventKind(row.conversion.kind)]
        for postback in wanted[row.membership_id]:
            if event in postback.events and row.attributed_at >= postback.created_at:
                own = part(
                    row.conversion.amount_minor,
                    row.conversion.currency,
                    conversion=row.conversion_id,
                    membership=row.membership_id,
                    weights=weights,
                )
                body = _body(event, _of_credit(row, own), at=at)
                calls.append(_call(postback, event, f"{event}:{row.conversion.public_id}", body, at=at))
    return _write(calls)


def _tell_lines(since: datetime, *, at: datetime) -> int:
    wanted = _wanted((PostbackEvent.COMMISSION,))
    if not wanted:
        return 0
    lines = (
        Commission.objects.filter(membership__in=wanted, computed_at__gte=since)
        .exclude(amount_minor=0)
        .select_related("membership__program", "conversion")
        .order_by("pk")
    )
    calls = [
        _call(
            postback,
            PostbackEvent.COMMISSION,
            f"commission:{line.public_id}",
            _body(PostbackEvent.COMMISSION, _of_line(line), at=at),
            at=at,
        )
        for line in lines
        for postback in wanted[line.membership_id]
        if PostbackEvent.COMMISSION in postback.events and line.computed_at >= postback.created_at
    ]
    return _write(calls)


def _wanted(events: Sequence[PostbackEvent]) -> dict[int, list[Postback]]:
    """Return the addresses that want any of `events`, by membership."""
    found: dict[int, list[Postback]] = {}
    in_use = Postback.objects.in_use().filter(disabled_at=None)
    # A partner that was banned is told nothing more.
    for postback in in_use.exclude(membership__state=MembershipState.BANNED).order_by("pk"):
        if any(event in postback.events for event in events):
            found.setdefault(postback.membership_id, []).append(postback)
    return found


def _of_credit(row: Credit, minor: int) -> dict[str, Any]:
    """Return what a partner may know of an event credited to it: its own part, and by which of its links or codes."""
    conversion, click = row.conversion, row.click
    return {
        "conversion": conversion.public_id,
        "order": conversion.external_id,
        "kind": conversion.kind,
        "program": row.membership.program.slug,
        "happened_at": conversion.occurred_at.isoformat(),
        "amount": str(Money(minor, conversion.currency).decimal()),
        "currency": conversion.currency,
        "share": f"{row.share:f}",
        "role": row.role,
        "reason": row.reason,
        "link": click.link.slug if click is not None else "",
        "click_id": click.click_id if click is not None else "",
        "sub_ids": _sub_ids(click),
        "campaign": click.campaign if click is not None else "",
        "code": row.code.code if row.code is not None else "",
    }


def _sub_ids(click: Click | None) -> list[str]:
    if click is None:
        return []
    found = [click.sub_id, click.sub2, click.sub3, click.sub4, click.sub5]
    while found and not found[-1]:
        found.pop()
    return found


def _of_line(line: Commission) -> dict[str, Any]:
    return {
        "commission": line.public_id,
        "conversion": line.conversion.public_id if line.conversion is not None else None,
        "order": line.conversion.external_id if line.conversion is not None else "",
        "kind": line.kind,
        "program": line.membership.program.slug,
        "happened_at": line.effective_at.isoformat(),
        "amount": str(line.amount.decimal()),
        "currency": line.currency,
        "state": line.state,
        "ready_to_pay_from": line.payable_at.isoformat(),
    }


def _body(event: str, facts: dict[str, Any], *, at: datetime) -> str:
    told = {"type": str(event), "timestamp": at.isoformat(), "data": facts}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _call(postback: Postback, event: str, key: str, body: str, *, at: datetime) -> PostbackDelivery:
    return PostbackDelivery(
        postback=postback,
        event=event,
        key=key,
        body=body,
        state=PostbackDeliveryState.QUEUED,
        created_at=at,
        next_at=at,
    )


def _write(calls: Iterable[PostbackDelivery]) -> int:
    """Write calls, passing over those that were written before, and return how many were not."""
    written = 0
    wanted = list(calls)
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        keys = {call.key for call in some}
        known = set(PostbackDelivery.objects.filter(key__in=keys).values_list("postback_id", "key"))
        fresh = [call for call in some if (call.postback_id, call.key) not in known]
        # Two workers that look at once write the same calls: the second finds the first's.
        PostbackDelivery.objects.bulk_create(fresh, ignore_conflicts=True)
        written += len(fresh)
    return written
