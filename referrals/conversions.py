"""Record what happened. An event is recorded once per source for ever, together with the credit partners have in it; a repeat is
answered with the first telling, and another telling under the same id is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from prm.lib.events import announce
from prm.lib.money import Money
from referrals import clicks, marks, refunds, writing
from referrals.attribution.contacts import Contacts
from referrals.crediting import Crediting
from referrals.customers import Customers, among
from referrals.events import ConversionsAttributed
from referrals.facts import Event, Key, Outcome, Status
from referrals.held import Held, Original
from referrals.models import Conversion
from referrals.repeats import OtherBody

MOST_AT_ONCE = 1_000


class DeductionsAboveAmount(Refused):
    """An event says that more than the whole of it is tax, shipping and discount."""

    message = _("%(names)s come to %(sum)s, more than the amount of %(amount)s.")

    def __init__(self, event: Event, names: Sequence[str], total: int) -> None:
        currency = event.amount.currency
        told = {"sum": str(Money(total, currency)), "amount": str(event.amount)}
        super().__init__(params={"names": ", ".join(names), **told}, field=names[-1])


@dataclass
class Batch:
    """One transaction's worth of events on their way into the books."""

    at: datetime
    firsts: dict[Key, Event]
    stored: dict[Key, tuple[int, str, str]] = field(default_factory=dict)
    refused: dict[Key, Refused] = field(default_factory=dict)
    created: dict[Key, int] = field(default_factory=dict)
    credited: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)
    held: Held = field(default_factory=Held)


def record(event: Event, *, at: datetime) -> Outcome:
    """Record one event, or answer with the conversion that it is a repeat of.

    Raises: OtherBody, DeductionsAboveAmount, UnknownCode, OtherCurrency, NotASale, NotAChargeback,
        OtherCurrencyThanSale, MoreThanSold, MoreThanChargedBack.
    """
    outcome = record_many([event], at=at)[0]
    if outcome.refusal is not None:
        raise outcome.refusal
    return outcome


@transaction.atomic
def record_many(events: Sequence[Event], *, at: datetime) -> list[Outcome]:
    """Record up to 1,000 events in one transaction and return an outcome for each, in their order.

    Every worker touches rows in the same order (sales under refund, limited codes, customers, new conversions by key, waiting
    refunds), so ten workers fed the same events wait for each other and never in a circle.
    """
    if len(events) > MOST_AT_ONCE:
        raise ValueError(f"At most {MOST_AT_ONCE} events fit one transaction.")
    firsts: dict[Key, Event] = {}
    for event in events:
        firsts.setdefault(event.key, event)
    ordered = sorted(firsts.values(), key=lambda event: event.key)

    clicks.settle({event.click_id for event in ordered if event.click_id})
    batch = Batch(at=at, firsts=firsts, held=refunds.hold(ordered))
    batch.stored = _stored(firsts)
    new, crediting = _attribute(batch, [event for event in ordered if event.key not in batch.stored])
    crediting.customers.ensure(new)
    _store(batch, [event for event in new if not event.original_external_id], crediting)
    _store_refunds(batch, [event for event in new if event.original_external_id], crediting.customers)
    crediting.customers.forget(event for event in new if event.key in batch.refused)
    _join_waiting(batch)
    refunds.write_states(batch.held)
    if batch.credited:
        announce(ConversionsAttributed(tuple(sorted(batch.credited))))
    return _outcomes(batch, events)


def _attribute(batch: Batch, events: Sequence[Event]) -> tuple[list[Event], Crediting]:
    """Decide who brought each event, setting aside those that are refused."""
    contacts = Contacts()
    contacts.read_codes(events)
    if contacts.limited:
        # Whoever held the codes may have recorded some of these events meanwhile.
        limited = [event.key for event in events if event.code in contacts.limited]
        batch.stored.update(_stored(limited))
        events = [event for event in events if event.key not in batch.stored]
    crediting = Crediting.of(events, Customers.of(events), contacts)
    for event in sorted(events, key=refunds.in_order):
        try:
            _check_deductions(event)
            crediting.decide(event)
        except Refused as refusal:
            batch.refused[event.key] = refusal
    return [event for event in events if event.key not in batch.refused], crediting


def _check_deductions(event: Event) -> None:
    """Refuse parts of the amount that are more than the amount, naming the one that goes beyond it."""
    total, names = 0, []
    for name in ("tax", "shipping", "discount"):
        part = getattr(event, f"{name}_minor")
        total += part
        names += [name] if part else []
        if total > event.amount.minor:
            raise DeductionsAboveAmount(event, names, total)


def _store(batch: Batch, events: Sequence[Event], crediting: Crediting) -> None:
    """Insert events that name no original, with the credit the rule gave."""
    _insert(batch, events, crediting.customers)
    batch.credited.update(crediting.write(events, batch.created, at=batch.at))


def _store_refunds(batch: Batch, events: Sequence[Event], customers: Customers) -> None:
    """Insert events that name another, joined to their sale when it is here; they are credited as it is."""
    if not events:
        return
    _see_own(batch, {event.original_key for event in events})
    joined: dict[Key, Original] = {}
    taken: set[Key] = set()
    for event in sorted(events, key=refunds.in_order):
        try:
            original = _take(batch, event)
        except Refused as refusal:
            batch.refused[event.key] = refusal
            continue
        taken.add(event.key)
        if original is not None:
            joined[event.key] = original
    originals = {key: original.pk for key, original in joined.items()}
    created = _insert(batch, [event for event in events if event.key in taken], customers, originals)
    for event in events:
        # Another worker, who could not see the sale, has put this one in meanwhile: it waits, and is joined below.
        if event.key in joined and event.key not in created:
            batch.held.give_back(event, joined.pop(event.key))
    batch.waiting.update(batch.created[key] for key in created - joined.keys())
    pairs = {batch.created[key]: original.pk for key, original in joined.items()}
    batch.credited.update(refunds.copy_credits(pairs, at=batch.at))
    marks.mark_conversions(batch.created[key] for key in created)


def _take(batch: Batch, event: Event) -> Original | None:
    """Count an event against its sale; None when it has to wait."""
    original = batch.held.find(event.kind, event.original_key)
    if original is not None:
        original.take(event.kind, event.amount, event=event.external_id, named=event.original_external_id)
        batch.held.note(event, original)
    return original


def _join_waiting(batch: Batch) -> None:
    """Join what came before the events it names, events that this batch brings or holds."""
    keys = batch.created.keys() | batch.held.named.keys()
    waiting = Conversion.objects.waiting_for_original().filter(among(keys, field="original_external_id"))
    wanted = set(waiting.values_list("source", "original_external_id")) if keys else set()
    if not wanted:
        return
    _see_own(batch, wanted)
    decided, credited = refunds.link_waiting(batch.held, wanted, at=batch.at)
    batch.waiting -= decided
    marks.mark_conversions(decided)
    batch.credited.update(credited)


def _see_own(batch: Batch, keys: Iterable[Key]) -> None:
    """Look at events this transaction has just inserted; nobody else can see them, so they need no lock."""
    own = [batch.created[key] for key in keys if key in batch.created and key not in batch.held.named]
    for row in Conversion.objects.filter(pk__in=own).order_by("pk") if own else ():
        batch.held.see(row)


def _insert(
    batch: Batch,
    events: Sequence[Event],
    customers: Customers,
    originals: Mapping[Key, int] = MappingProxyType({}),
) -> set[Key]:
    """Insert events, passing over those another worker inserted meanwhile; return the keys that are ours."""
    if not events:
        return set()
    rows = [
        writing.row_of(
            event,
            customer=customers.pk_of(event),
            original=originals.get(event.key),
            sha256=event.fingerprint(),
            at=batch.at,
        )
        for event in events
    ]
    ours: set[Key] = set()
    for event, row, pk in zip(events, rows, writing.insert_conversions(rows), strict=True):
        if pk is not None:
            ours.add(event.key)
            batch.created[event.key] = pk
            batch.stored[event.key] = pk, row[0], row[-1]
    batch.stored.update(_stored(event.key for event in events if event.key not in ours))
    return ours


def _stored(keys: Iterable[Key]) -> dict[Key, tuple[int, str, str]]:
    """Return primary key, public id and fingerprint of the events already in the books."""
    rows = Conversion.objects.filter(among(keys)).values_list(
        "source", "external_id", "pk", "public_id", "payload_sha256"
    )
    return {(source, external_id): (pk, name, sha256) for source, external_id, pk, name, sha256 in rows}


def _outcomes(batch: Batch, events: Sequence[Event]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    fresh = set(batch.created)
    for event in events:
        if event.key in batch.refused:
            outcomes.append(Outcome(Status.REFUSED, refusal=batch.refused[event.key]))
            continue
        pk, public_id, sha256 = batch.stored[event.key]
        is_told_first = event.key in fresh and event is batch.firsts[event.key]
        if not is_told_first and sha256 != event.fingerprint():
            first = Conversion.objects.select_related("customer").get(pk=pk)
            refusal = OtherBody(event, first)
            outcomes.append(Outcome(Status.CONFLICT, pk, public_id, refusal))
            continue
        status = Status.CREATED if event.key in fresh else Status.REPLAYED
        fresh.discard(event.key)
        outcomes.append(
            Outcome(
                status,
                pk,
                public_id,
                is_credited=pk in batch.credited,
                is_waiting=pk in batch.waiting and status == Status.CREATED,
            )
        )
    return outcomes
