"""Join refunds, chargebacks and chargebacks won back to the sales they are about. What has gone back of a sale is never more than the
sale nor less than nothing, and what arrives before the event it names waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from prm.lib.errors import Refused
from prm.lib.events import announce
from referrals import marks
from referrals.choices import ConversionState, CreditReason
from referrals.customers import among
from referrals.events import ConversionsAttributed
from referrals.facts import GIVES_BACK, MOVES, Event, Key
from referrals.held import Held
from referrals.models import Conversion, Credit
from tiers.choices import EventKind


def hold(events: Iterable[Event]) -> Held:
    """Lock the sales that events are about which name another one, as far as they have arrived."""
    keys = {event.original_key for event in events if event.original_external_id}
    return _hold(keys) if keys else Held()


def link_waiting(held: Held, keys: Iterable[Key], *, at: datetime) -> tuple[set[int], list[int]]:
    """Join what waited for `keys`, events of sales the caller holds; return what is decided now, and of it what got a credit.

    One that is more than what is left of its sale is declined; it was taken in before anybody could know. What waited
    for a chargeback that is joined here follows at once.
    """
    joined: dict[int, int] = {}
    decided: set[int] = set()
    rows = sorted(_waiting_for(keys), key=in_order)
    # Once more as long as one was decided: a chargeback may happen, by its clock, after it was won back.
    while fresh := {row.pk for row in rows if row.pk not in decided and _join(held, row)}:
        decided |= fresh
    for row in rows:
        if row.pk in decided and row.state == ConversionState.RECORDED and row.original_id is not None:
            joined[row.pk] = row.original_id
    return decided, copy_credits(joined, at=at)


def _waiting_for(keys: Iterable[Key]) -> list[Conversion]:
    """Lock what waits for `keys`, and what waits for the chargebacks among that."""
    found: list[Conversion] = []
    wanted, asked = set(keys), set[Key]()
    while wanted:
        asked |= wanted
        waiting = Conversion.objects.waiting_for_original().filter(
            among(wanted, field="original_external_id")
        )
        rows = list(waiting.select_for_update(of=("self",), no_key=True).order_by("pk"))
        found += rows
        charged = {(row.source, row.external_id) for row in rows if row.kind == EventKind.CHARGEBACK}
        wanted = charged - asked
    return found


def in_order(row: Conversion | Event) -> tuple[datetime, bool, str]:
    """Return what puts events that name others in the order they count in, however they arrived."""
    return row.occurred_at, row.kind == GIVES_BACK, row.external_id


def copy_credits(originals: dict[int, int], *, at: datetime) -> list[int]:
    """Credit events (keys) as their sales (values) are credited now; return those that have a credit."""
    if not originals:
        return []
    by_sale: dict[int, list[Credit]] = {}
    standing = Credit.objects.standing().filter(conversion__in=set(originals.values())).order_by("pk")
    for credit in standing:
        by_sale.setdefault(credit.conversion_id, []).append(credit)
    occurred = dict(Conversion.objects.filter(pk__in=originals).values_list("pk", "occurred_at"))
    copies = [
        Credit(
            conversion_id=refund,
            membership_id=credit.membership_id,
            role=credit.role,
            share=credit.share,
            reason=CreditReason.ORIGINAL,
            code_id=credit.code_id,
            click_id=credit.click_id,
            touch_id=credit.touch_id,
            referral_id=credit.referral_id,
            occurred_at=occurred[refund],
            attributed_at=at,
        )
        for refund, sale in sorted(originals.items())
        for credit in by_sale.get(sale, ())
    ]
    Credit.objects.bulk_create(copies)
    return sorted({copy.conversion_id for copy in copies})


def write_states(held: Held) -> None:
    """Write the state of every held sale that refunds or chargebacks have moved."""
    moved: dict[str, list[int]] = {}
    for pk, sale in held.sales.items():
        if sale.state not in (sale.state_now, ConversionState.REJECTED):
            moved.setdefault(sale.state_now, []).append(pk)
    for state, pks in sorted(moved.items()):
        Conversion.objects.filter(pk__in=pks).update(state=state)


def waiting_and_ready() -> list[Key]:
    """Return the keys of events that have arrived while something was still waiting for them, at most 500."""
    same_source = Conversion.objects.filter(source=OuterRef("source"))
    named = same_source.filter(external_id=OuterRef("original_external_id"))
    charged = same_source.filter(
        kind=EventKind.CHARGEBACK, original__external_id=OuterRef("original_external_id")
    )
    # A chargeback is won back when it has its sale, a sale when it has a chargeback; until then nothing is ready.
    is_known = Q(original__isnull=False) | Q(original_external_id="") | Q(state=ConversionState.REJECTED)
    counts = charged.exclude(state=ConversionState.REJECTED)
    can_be_won = Exists(named.filter(is_known, kind__in=MOVES)) | Exists(counts)
    rows = Conversion.objects.waiting_for_original().filter(Exists(named))
    rows = rows.filter(~Q(kind=GIVES_BACK) | can_be_won).order_by("pk")
    return list(rows.values_list("source", "original_external_id")[:500])


@transaction.atomic
def sweep(*, at: datetime) -> int:
    """Join what two workers recorded at the same moment; return how many events were found that something waited for.

    Recording joins them whenever it sees both; only two transactions that cannot see each other leave this work.
    """
    keys = set(waiting_and_ready())
    if not keys:
        return 0
    held = _hold(keys)
    decided, credited = link_waiting(held, keys, at=at)
    write_states(held)
    marks.mark_conversions(decided)
    if credited:
        announce(ConversionsAttributed(tuple(credited)))
    return len(keys)


def _join(held: Held, row: Conversion) -> bool:
    """Join a row to its sale or decline it; return whether that could be decided."""
    key = row.source, row.original_external_id
    try:
        original = held.find(row.kind, key)
        if original is None:
            return False
        row.original_id = original.pk
        original.take(row.kind, row.amount, event=row.external_id, named=row.original_external_id)
        held.note(row, original)
    except Refused:
        row.state = ConversionState.REJECTED
    changes = {"original_id": row.original_id, "state": row.state}
    return bool(Conversion.objects.filter(pk=row.pk, original=None).update(**changes))


def _hold(keys: Iterable[Key]) -> Held:
    """Lock the sales behind `keys` in the order of their primary keys, and count what has gone back of them.

    The lock is the weak one: rows that only point at a sale, such as commission, do not wait for it.
    """
    held = Held()
    found = list(Conversion.objects.filter(among(keys)))
    for row in found:
        held.see(row)
    sales = [named.sale for named in held.named.values() if named.sale is not None]
    for row in (
        Conversion.objects.filter(pk__in=sales).select_for_update(of=("self",), no_key=True).order_by("pk")
    ):
        held.see(row)
    _count(held)
    return held


def _count(held: Held) -> None:
    rows = Conversion.objects.filter(original__in=list(held.sales)).exclude(state=ConversionState.REJECTED)
    for sale, kind, event, named, minor in rows.values_list(
        "original_id", "kind", "external_id", "original_external_id", "amount_minor"
    ):
        if sale is not None:
            held.sales[sale].count(kind, minor, event=event, named=named)
