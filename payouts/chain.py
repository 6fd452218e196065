"""Seal what moves a membership's accounts: each transaction becomes a link whose hash covers the one before. Nothing can be changed, put in
or taken out in the middle without every later link telling; each statement notes the last link it knew, so the end is held too."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import OuterRef, QuerySet, Subquery

from partners.models import Membership
from payouts.models import Account, ChainLink, Entry, Transaction
from prm.lib.bulk import BulkWriter

BEGINNING = "0" * 64
_LINK = ("membership_id", "position", "transaction_id", "sha256")
_AT_ONCE = 200  # memberships whose links are in memory together while a chain is checked

Moved = tuple[int, int, int, str]  # the account debited, the one credited, minor units, currency


@dataclass(frozen=True, slots=True)
class Tail:
    """The last link of a membership's chain; position 0 when there is none yet."""

    position: int = 0
    sha256: str = BEGINNING


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a chain does not hold: the membership, the position, and what is wrong with it."""

    membership_id: int
    position: int
    what: str


def hash_of(before: str, position: int, posted: Transaction, moved: Iterable[Moved]) -> str:
    """Return the SHA-256 of a link: the hash before it, what was posted, and what it moved on the membership's accounts."""
    content = [
        before,
        position,
        posted.key,
        posted.kind,
        posted.period_id,
        _text(posted.effective_at),
        _text(posted.posted_at),
        posted.reason,
        sorted(moved),
    ]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def seal(posted: Sequence[tuple[Transaction, Sequence[Moved]]], owners: Mapping[int, int]) -> None:
    """Append one link per transaction and membership it moved; `owners` tells whose each partner account is.

    The memberships are locked by this, in ascending order, until the transaction ends.
    """
    by_member: dict[int, list[tuple[Transaction, list[Moved]]]] = defaultdict(list)
    for transaction, moved in posted:
        for member, mine in _by_owner(moved, owners).items():
            by_member[member].append((transaction, mine))
    if not by_member:
        return
    # Two statements on purpose: what another one sealed while we waited is seen only by a query that begins afterwards.
    list(Membership.objects.lock().filter(pk__in=by_member).values_list("pk", flat=True))
    last = tails(by_member)
    BulkWriter(ChainLink, _LINK).write(
        row for member in sorted(by_member) for row in _links(member, last[member], by_member[member])
    )


def tails(member_ids: Iterable[int]) -> dict[int, Tail]:
    """Return the last link of each membership's chain; one query."""
    ids = set(member_ids)
    found = {pk: Tail() for pk in ids}
    newest = ChainLink.objects.filter(membership=OuterRef("pk")).order_by("-position")
    rows = Membership.objects.filter(pk__in=ids).annotate(
        position=Subquery(newest.values("position")[:1]), sha=Subquery(newest.values("sha256")[:1])
    )
    for pk, position, sha in rows.order_by().values_list("pk", "position", "sha"):
        if position is not None:
            found[pk] = Tail(position, sha)
    return found


def breaks() -> Iterator[Break]:
    """Yield every place where a chain does not hold, membership by membership; memory stays bounded."""
    yield from _unsealed()
    ids = list(ChainLink.objects.order_by("membership").values_list("membership", flat=True).distinct())
    for start in range(0, len(ids), _AT_ONCE):
        yield from _breaks_of(ids[start : start + _AT_ONCE])


def _links(
    member: int, tail: Tail, posted: Sequence[tuple[Transaction, list[Moved]]]
) -> Iterator[tuple[int, int, int, str]]:
    before = tail.sha256
    for position, (transaction, moved) in enumerate(posted, start=tail.position + 1):
        before = hash_of(before, position, transaction, moved)
        yield member, position, transaction.pk, before


def _by_owner(moved: Iterable[Moved], owners: Mapping[int, int]) -> dict[int, list[Moved]]:
    found: dict[int, list[Moved]] = defaultdict(list)
    for each in moved:
        for member in sorted({owners[account] for account in each[:2] if account in owners}):
            found[member].append(each)
    return found


def _breaks_of(member_ids: Sequence[int]) -> Iterator[Break]:
    owners = dict(
        Account.objects.filter(membership__in=member_ids).order_by().values_list("pk", "membership_id")
    )
    before: dict[int, Tail] = {}
    links = ChainLink.objects.filter(membership__in=member_ids).select_related("transaction")
    moved = _moved_by_member(member_ids, owners)
    for link in links.order_by("membership", "position").iterator(chunk_size=2000):
        member = link.membership_id
        tail = before.get(member, Tail())
        mine = moved.get((link.transaction_id, member), [])
        if link.position != tail.position + 1:
            yield Break(member, link.position, f"follows link {tail.position}")
        elif link.sha256 != hash_of(tail.sha256, link.position, link.transaction, mine):
            yield Break(member, link.position, f"does not seal {link.transaction.key}")
        before[member] = Tail(link.position, link.sha256)


def _moved_by_member(
    member_ids: Sequence[int], owners: Mapping[int, int]
) -> dict[tuple[int, int], list[Moved]]:
    found: dict[tuple[int, int], list[Moved]] = defaultdict(list)
    for entry in _entries_of(list(owners)):
        each: Moved = (entry.debit_id, entry.credit_id, entry.amount_minor, entry.currency)
        for member in {owners[account] for account in each[:2] if account in owners}:
            found[entry.transaction_id, member].append(each)
    return found


def _entries_of(accounts: Sequence[int]) -> QuerySet[Entry]:
    debited = Entry.objects.filter(debit__in=accounts)
    return (debited | Entry.objects.filter(credit__in=accounts)).order_by("pk")


def _unsealed() -> Iterator[Break]:
    """Yield entries on a partner's account whose transaction is in no chain of that partner."""
    for side in ("debit", "credit"):
        owner = f"{side}__membership"
        sealed = ChainLink.objects.filter(
            transaction=OuterRef("transaction"), membership=OuterRef(owner)
        ).values("pk")[:1]
        rows = Entry.objects.filter(**{f"{owner}__isnull": False}).annotate(link=Subquery(sealed))
        loose = rows.filter(link=None).order_by("pk").values_list(owner, "transaction__key")
        for member, key in loose.iterator(chunk_size=2000):
            yield Break(member, 0, f"{key} is in no chain")


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
