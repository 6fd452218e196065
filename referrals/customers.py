"""Know the buyers of the operator's shops. A customer exists once per source, however many workers meet it at the same time, and
was first seen at its earliest event, whatever the order events arrive in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Min, Q

from referrals.choices import ConversionState
from referrals.facts import NOBODY_KNOWN, Event, Key
from referrals.models import Conversion, Customer
from tiers.choices import EventKind

SALES = (EventKind.SALE, EventKind.RENEWAL)
# Who is known by an e-mail address only has an id made of its key.
BY_EMAIL, LONGEST_KEY = "email:", 40
_KEYS = ("email_key", "mailbox_key", "domain_key", "vat_key")


@dataclass(slots=True)
class Known:
    """A customer as the books have it; without a primary key it is still to be made."""

    key: Key
    pk: int | None = None
    first_seen_at: datetime | None = None
    keys: dict[str, str] = field(default_factory=dict)


@dataclass
class Customers:
    """The customers of a batch of events. Who is named by the shop is found by that name, else by the e-mail address among those of the
    source; so one person stays one, also after having bought as a guest."""

    by_key: dict[Key, Known] = field(default_factory=dict)
    of_event: dict[Key, Known] = field(default_factory=dict)
    made: set[Key] = field(default_factory=set)

    @classmethod
    def of(cls, events: Sequence[Event]) -> Customers:
        """Find the customers of events; nothing is written."""
        found = cls()
        by_email = found._read(events)
        has_mail = any(event.buyer.email_key for event in events)  # else it does not matter who comes first
        for event in sorted(events, key=_order) if has_mail else events:
            mail = event.source, event.buyer.email_key
            key = event.source, event.customer_id
            if not event.customer_id:
                if not event.buyer.email_key:
                    continue
                key = _guest(event)
            known = found.by_key.get(key) or by_email.get(mail) or Known(key)
            found.by_key.setdefault(known.key, known)
            found.of_event[event.key] = known
            if event.buyer.email_key:
                by_email.setdefault(mail, known)
        return found

    def pk_of(self, event: Event) -> int | None:
        """Return the primary key of an event's customer; None when nobody knows it, or it is still to be made."""
        known = self.of_event.get(event.key)
        return known.pk if known is not None else None

    def key_of(self, event: Event) -> Key | None:
        """Return what tells an event's customer from every other one, also before it is made."""
        known = self.of_event.get(event.key)
        return known.key if known is not None else None

    @property
    def pks(self) -> dict[int, Key]:
        """Return the customers that are in the books."""
        return {known.pk: known.key for known in self.by_key.values() if known.pk is not None}

    def ensure(self, events: Iterable[Event]) -> None:
        """Make the customers of events that are new, and add to the others what was not known of them."""
        told: dict[Key, list[Event]] = {}
        for event in events:
            if named := self.of_event.get(event.key):
                told.setdefault(named.key, []).append(event)
        missing = sorted(key for key in told if self.by_key[key].pk is None)
        if missing:
            # Sorted, so that two workers that meet the same new customers wait for each other and never in a circle.
            rows = [_new(key, told[key]) for key in missing]
            Customer.objects.bulk_create(rows, ignore_conflicts=True)
            for made in _stored(among(missing)):
                mine = self.by_key[made.key]
                mine.pk, mine.first_seen_at, mine.keys = made.pk, made.first_seen_at, made.keys
            self.made |= set(missing)
        for key in sorted(told, key=lambda key: self.by_key[key].pk or 0):
            known = self.by_key[key]
            if known.pk is not None:
                _add(known.pk, known, told[key])

    def forget(self, events: Iterable[Event]) -> None:
        """Take away customers that were made just now, and only for events that were refused after all."""
        keys = {named.key for event in events if (named := self.of_event.get(event.key))} & self.made
        if keys:
            pks = [pk for key in keys if (pk := self.by_key[key].pk) is not None]
            Customer.objects.filter(pk__in=pks, conversions=None, referrals=None, touches=None).delete()

    def _read(self, events: Sequence[Event]) -> dict[Key, Known]:
        """Read the customers the shop names and those of the e-mail addresses told; return the latter by address."""
        keys = {(event.source, event.customer_id) for event in events if event.customer_id}
        mails = {event.buyer.email_key for event in events if event.buyer.email_key}
        keys |= {_guest(event) for event in events if event.buyer.email_key}
        if not keys:
            return {}
        condition = among(keys) | Q(email_key__in=mails) if mails else among(keys)
        by_email: dict[Key, Known] = {}
        for known in _stored(condition):
            self.by_key[known.key] = known
            if known.keys.get("email_key"):
                by_email.setdefault((known.key[0], known.keys["email_key"]), known)
        return by_email


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


def _order(event: Event) -> tuple[datetime, str]:
    return event.occurred_at, event.external_id


def _guest(event: Event) -> Key:
    """Return the name of somebody the shop has none for."""
    return event.source, BY_EMAIL + event.buyer.email_key[:LONGEST_KEY]


def _told(events: Sequence[Event]) -> dict[str, str]:
    """Return the keys of a buyer that events tell, each by the earliest one that has it."""
    found: dict[str, str] = {}
    for event in sorted((event for event in events if event.buyer is not NOBODY_KNOWN), key=_order):
        for name in _KEYS:
            if value := getattr(event.buyer, name):
                found.setdefault(name, value)
    return found


def _new(key: Key, events: Sequence[Event]) -> Customer:
    first = min(events, key=_order)
    return Customer(
        source=key[0],
        external_id=key[1],
        country=first.country,
        first_seen_at=first.occurred_at,
        has_disposable_mail=any(event.buyer.has_disposable_mail for event in events),
        **_told(events),
    )


def _add(pk: int, known: Known, events: Sequence[Event]) -> None:
    """Write what events tell of a customer that was not known: keys that were empty, and an earlier first event. Each column is asked for
    again by the update, because another worker may have been first."""
    for name, value in _told(events).items():
        if not known.keys.get(name):
            changes: dict[str, Any] = {name: value}
            if name == "email_key":
                changes["has_disposable_mail"] = any(event.buyer.has_disposable_mail for event in events)
            Customer.objects.filter(pk=pk, **{name: ""}).update(**changes)
    first = min(events, key=_order)
    if known.first_seen_at is not None and first.occurred_at < known.first_seen_at:
        Customer.objects.filter(pk=pk, first_seen_at__gt=first.occurred_at).update(
            first_seen_at=first.occurred_at, country=first.country
        )


def _stored(condition: Q) -> list[Known]:
    rows = Customer.objects.filter(condition).order_by("pk")
    return [
        Known((source, external_id), pk, seen, dict(zip(_KEYS, keys, strict=True)))
        for source, external_id, pk, seen, *keys in rows.values_list(
            "source", "external_id", "pk", "first_seen_at", *_KEYS
        )
    ]
