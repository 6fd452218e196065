"""Know the buyers of the operator's shops. A customer exists once per source, however many workers meet it at the same time, and
was first seen at its earliest event, whatever the order events arrive in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db.models import Min, Q

from referrals.choices import ConversionState
from referrals.facts import Event, Key
from referrals.models import Conversion, Customer
from tiers.choices import EventKind

SALES = (EventKind.SALE, EventKind.RENEWAL)

Stored = dict[Key, tuple[int, datetime]]


def ensure(events: Sequence[Event]) -> dict[Key, int]:
    """Return the primary keys of the customers `events` name, making those that are new."""
    earliest = _earliest(events)
    found = _stored(earliest)
    missing = sorted(key for key in earliest if key not in found)
    if missing:
        # Sorted, so that two workers that meet the same new customers wait for each other and never in a circle.
        Customer.objects.bulk_create([_new(earliest[key]) for key in missing], ignore_conflicts=True)
        found |= _stored(missing)
    _see_earlier(earliest, found)
    return {key: pk for key, (pk, _seen) in found.items()}


def first_sales(customer_ids: Collection[int]) -> dict[int, datetime]:
    """Return when each customer first bought, whoever brought the sale; customers who never did are left out."""
    bought = Conversion.objects.filter(customer__in=customer_ids, kind__in=SALES)
    bought = bought.exclude(state=ConversionState.REJECTED)
    rows = bought.values("customer").annotate(first=Min("occurred_at"))
    return dict(rows.order_by("customer").values_list("customer", "first"))


def among(keys: Iterable[Key], *, field: str = "external_id") -> Q:
    """Return the condition that a row is one of `keys`: the source, and the id in `field`."""
    by_source: dict[str, list[str]] = {}
    for source, external_id in keys:
        by_source.setdefault(source, []).append(external_id)
    condition = Q(pk__in=[])
    for source, ids in sorted(by_source.items()):
        condition |= Q(**{"source": source, f"{field}__in": ids})
    return condition


def _earliest(events: Sequence[Event]) -> dict[Key, Event]:
    """Return each customer's first event; of two in the same instant the one with the smaller id."""
    found: dict[Key, Event] = {}
    for event in events:
        key = event.source, event.customer_id
        first = found.get(key)
        if event.customer_id and (first is None or _order(event) < _order(first)):
            found[key] = event
    return found


def _order(event: Event) -> tuple[datetime, str]:
    return event.occurred_at, event.external_id


def _new(event: Event) -> Customer:
    return Customer(
        source=event.source,
        external_id=event.customer_id,
        country=event.country,
        first_seen_at=event.occurred_at,
    )


def _see_earlier(earliest: dict[Key, Event], found: Stored) -> None:
    late = sorted(
        (found[key][0], key) for key, event in earliest.items() if event.occurred_at < found[key][1]
    )
    for pk, key in late:
        event = earliest[key]
        Customer.objects.filter(pk=pk, first_seen_at__gt=event.occurred_at).update(
            first_seen_at=event.occurred_at, country=event.country
        )


def _stored(keys: Iterable[Key]) -> Stored:
    rows = Customer.objects.filter(among(keys)).values_list("source", "external_id", "pk", "first_seen_at")
    return {(source, external_id): (pk, seen) for source, external_id, pk, seen in rows}
