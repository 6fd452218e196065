"""Record what happened. An event is recorded once per source for ever, together with the credit partners have in it; a repeat is
answered with the first telling, and another telling under the same id is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from prm.lib.events import announce
from referrals import customers, refunds
from referrals.attribution.apply import Candidates
from referrals.attribution.rule import Decision
from referrals.customers import among
from referrals.events import ConversionsAttributed
from referrals.facts import Event, Key, Outcome, Status
from referrals.models import Conversion, Credit
from referrals.refunds import Original

MOST_AT_ONCE = 500


class OtherBody(Refused):
    """An event id that was used before came again with other facts; `names` says which."""

    message = _("The event %(event)s was recorded before with another %(names)s.")
    code = "other_body"

    def __init__(self, event: Event, first: Conversion) -> None:
        self.names = tuple(_differences(event, first))
        super().__init__(params={"event": event.external_id, "names": ", ".join(self.names)})


@dataclass
class Batch:
    """One transaction's worth of events on their way into the books."""

    at: datetime
    stored: dict[Key, tuple[int, str, str]] = field(default_factory=dict)
    refused: dict[Key, Refused] = field(default_factory=dict)
    created: dict[Key, int] = field(default_factory=dict)
    credited: set[int] = field(default_factory=set)
    originals: dict[Key, Original] = field(default_factory=dict)
    decisions: dict[Key, Decision] = field(default_factory=dict)


def record(event: Event, *, at: datetime) -> Outcome:
    """Record one event, or answer with the conversion that it is a repeat of.

    Raises: OtherBody, UnknownCode, OtherCurrency, NotASale, OtherCurrencyThanSale, MoreThanSold.
    """
    outcome = record_many([event], at=at)[0]
    if outcome.refusal is not None:
        raise outcome.refusal
    return outcome


@transaction.atomic
def record_many(events: Sequence[Event], *, at: datetime) -> list[Outcome]:
    """Record up to 500 events in one transaction and return an outcome for each, in their order.

    Every worker touches rows in the same order (sales under refund, customers, new conversions by key, waiting
    refunds), so ten workers fed the same events wait for each other and never in a circle.
    """
    if len(events) > MOST_AT_ONCE:
        raise ValueError(f"At most {MOST_AT_ONCE} events fit one transaction.")
    firsts: dict[Key, Event] = {}
    for event in events:
        firsts.setdefault(event.key, event)
    ordered = sorted(firsts.values(), key=lambda event: event.key)

    batch = Batch(at=at, originals=refunds.lock_originals(ordered))
    batch.stored = _stored(firsts)
    new = [event for event in ordered if event.key not in batch.stored]
    new = _attribute(batch, new)
    known = customers.ensure(new)
    _store(batch, [event for event in new if not event.original_external_id], known)
    _store_refunds(batch, [event for event in new if event.original_external_id], known)
    batch.credited.update(_join_waiting(batch, firsts))
    refunds.write_states(batch.originals.values())
    if batch.credited:
        announce(ConversionsAttributed(tuple(sorted(batch.credited))))
    return _outcomes(batch, events)


def _attribute(batch: Batch, events: Sequence[Event]) -> list[Event]:
    """Decide who brought each event, setting aside those that are refused."""
    candidates = Candidates.of(events)
    taken: list[Event] = []
    for event in events:
        try:
            batch.decisions[event.key] = candidates.decide(event)
        except Refused as refusal:
            batch.refused[event.key] = refusal
        else:
            taken.append(event)
    return taken


def _store(batch: Batch, events: Sequence[Event], known: dict[Key, int]) -> None:
    """Insert events that name no original, with the credit the rule gave."""
    created = _insert(batch, [_row(batch, event, known) for event in events])
    credits = []
    for event in events:
        decision = batch.decisions[event.key]
        if event.key in created and decision.membership_id is not None:
            credits.append(_credit(batch, event, decision, decision.membership_id))
    Credit.objects.bulk_create(credits)
    batch.credited.update(credit.conversion_id for credit in credits)


def _store_refunds(batch: Batch, events: Sequence[Event], known: dict[Key, int]) -> None:
    """Insert refunds that name an original, joined to it when it is here; they are credited as it is."""
    if not events:
        return
    sales = {event.original_key for event in events} & batch.created.keys()
    batch.originals |= _own(batch, sales)
    rows, joined = [], {}
    for event in events:
        original = batch.originals.get(event.original_key)
        try:
            if original is not None:
                original.take(event.amount, name=event.original_external_id)
        except Refused as refusal:
            batch.refused[event.key] = refusal
            continue
        row = _row(batch, event, known)
        if original is not None:
            row.original_id = original.pk
            joined[event.key] = original
        rows.append(row)
    created = _insert(batch, rows)
    for row in rows:
        # Another worker, who could not see the sale, has put this refund in meanwhile: it waits, and is joined below.
        if (key := (row.source, row.external_id)) in joined and key not in created:
            joined.pop(key).give_back(row.amount)
    pairs = {batch.created[key]: original.pk for key, original in joined.items()}
    batch.credited.update(refunds.copy_credits(pairs, at=batch.at))


def _join_waiting(batch: Batch, firsts: dict[Key, Event]) -> list[int]:
    """Join refunds that came before the sales this batch brings or holds."""
    own = {key for key in batch.created if not firsts[key].original_external_id}
    sales = own | batch.originals.keys()
    waiting = Conversion.objects.waiting_for_original().filter(among(sales, field="original_external_id"))
    wanted = set(waiting.values_list("source", "original_external_id")) if sales else set()
    if not wanted:
        return []
    batch.originals |= _own(batch, wanted - batch.originals.keys())
    return refunds.link_waiting({key: batch.originals[key] for key in wanted}, at=batch.at)


def _own(batch: Batch, keys: Iterable[Key]) -> dict[Key, Original]:
    """Return sales this transaction has just inserted; nobody else can see them, so they need no lock."""
    rows = Conversion.objects.filter(pk__in=[batch.created[key] for key in keys])
    return {
        (row.source, row.external_id): Original(row.pk, row.kind, row.state, row.amount)
        for row in rows.order_by("pk")
    }


def _insert(batch: Batch, rows: list[Conversion]) -> set[Key]:
    """Insert `rows`, passing over those another worker inserted meanwhile; return the keys that are ours."""
    if not rows:
        return set()
    Conversion.objects.bulk_create(rows, ignore_conflicts=True)
    mine = {(row.source, row.external_id): row.public_id for row in rows}
    now = _stored(mine)
    ours = {key for key, (_pk, public_id, _sha256) in now.items() if public_id == mine[key]}
    batch.created.update({key: now[key][0] for key in ours})
    batch.stored.update(now)
    return ours


def _row(batch: Batch, event: Event, known: dict[Key, int]) -> Conversion:
    return Conversion(
        source=event.source,
        external_id=event.external_id,
        kind=event.kind,
        occurred_at=event.occurred_at,
        recorded_at=batch.at,
        customer_id=known.get((event.source, event.customer_id)) if event.customer_id else None,
        country=event.country,
        amount_minor=event.amount.minor,
        currency=event.amount.currency,
        code_text=event.code,
        click_id=event.click_id,
        original_external_id=event.original_external_id,
        payload_sha256=event.fingerprint(),
    )


def _credit(batch: Batch, event: Event, decision: Decision, membership_id: int) -> Credit:
    return Credit(
        conversion_id=batch.created[event.key],
        membership_id=membership_id,
        reason=str(decision.reason),
        code_id=decision.code_id,
        click_id=decision.click_id,
        occurred_at=event.occurred_at,
        attributed_at=batch.at,
    )


def _stored(keys: Iterable[Key]) -> dict[Key, tuple[int, str, str]]:
    """Return primary key, public id and fingerprint of the events already in the books."""
    rows = Conversion.objects.filter(among(keys)).values_list(
        "source", "external_id", "pk", "public_id", "payload_sha256"
    )
    return {(source, external_id): (pk, name, sha256) for source, external_id, pk, name, sha256 in rows}


def _differences(event: Event, first: Conversion) -> Iterator[str]:
    pairs = {
        "kind": (event.kind, first.kind),
        "occurred_at": (event.occurred_at, first.occurred_at),
        "amount": (event.amount, first.amount),
        "customer_id": (event.customer_id, first.customer.external_id if first.customer else ""),
        "country": (event.country, first.country),
        "code": (event.code, first.code_text),
        "click_id": (event.click_id, first.click_id),
        "original_event_id": (event.original_external_id, first.original_external_id),
    }
    return (name for name, (told, known) in pairs.items() if told != known)


def _outcomes(batch: Batch, events: Sequence[Event]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    fresh = set(batch.created)
    for event in events:
        if event.key in batch.refused:
            outcomes.append(Outcome(Status.REFUSED, refusal=batch.refused[event.key]))
            continue
        pk, public_id, sha256 = batch.stored[event.key]
        if sha256 != event.fingerprint():
            first = Conversion.objects.select_related("customer").get(pk=pk)
            refusal = OtherBody(event, first)
            outcomes.append(Outcome(Status.CONFLICT, pk, public_id, refusal))
            continue
        status = Status.CREATED if event.key in fresh else Status.REPLAYED
        fresh.discard(event.key)
        waits = bool(event.original_external_id) and event.original_key not in batch.originals
        outcomes.append(
            Outcome(
                status,
                pk,
                public_id,
                is_credited=pk in batch.credited,
                is_waiting=waits and status == Status.CREATED,
            )
        )
    return outcomes
