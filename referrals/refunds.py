"""Join refunds, chargebacks and chargebacks won back to the sales they are about. What has gone back of a sale is never more than the
sale nor less than nothing, and what arrives before the event it names waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from prm.lib.events import announce
from prm.lib.money import Money
from referrals.choices import ConversionState, CreditReason
from referrals.customers import among
from referrals.events import ConversionsAttributed
from referrals.facts import GIVES_BACK, MOVES, Event, Key
from referrals.models import Conversion, Credit
from tiers.choices import EventKind


class NotASale(Refused):
    """The event a refund names is a refund itself, or was declined."""

    message = _("The event %(original)s cannot be refunded.")
    code = "not_a_sale"
    field = "original_event_id"


class NotAChargeback(Refused):
    """What is told to be won back is no chargeback that counts against a sale."""

    message = _("The event %(original)s is no chargeback of a sale, nor a sale that has one.")
    field = "original_event_id"


class OtherCurrencyThanSale(Refused):
    """A refund is in another currency than its sale."""

    message = _("The refund is in %(given)s but the sale was in %(expected)s.")
    field = "currency"


class MoreThanSold(Refused):
    """The refunds and chargebacks of a sale would add up to more than the sale."""

    message = _("Only %(left)s of this sale is left to refund.")
    field = "amount"


class MoreThanChargedBack(Refused):
    """More is told to be won back than was charged back."""

    message = _("Only %(left)s of this chargeback is left to win back.")
    field = "amount"


@dataclass
class Original:
    """A sale held under lock while what goes back of it is counted. `charged` are its chargebacks by event id, `won` what was won
    back by the event id it named, the chargeback's or the sale's."""

    pk: int
    key: Key
    state: str
    amount: Money
    refunded_minor: int = 0
    charged: dict[str, int] = field(default_factory=dict)
    won: dict[str, int] = field(default_factory=dict)

    def take(self, kind: str, amount: Money, *, event: str, named: str) -> None:
        """Count one more event that names this sale, or a chargeback of it, as `named`.

        Raises: OtherCurrencyThanSale, MoreThanSold, MoreThanChargedBack.
        """
        if amount.currency != self.amount.currency:
            raise OtherCurrencyThanSale(params={"given": amount.currency, "expected": self.amount.currency})
        left = self._left(kind, named)
        if amount.minor > left:
            refusal = MoreThanChargedBack if kind == GIVES_BACK else MoreThanSold
            raise refusal(params={"left": str(Money(left, amount.currency))})
        self.count(kind, amount.minor, event=event, named=named)

    def count(self, kind: str, minor: int, *, event: str, named: str) -> None:
        """Count an event; a negative amount takes one out again."""
        self.refunded_minor += -minor if kind == GIVES_BACK else minor
        if kind == GIVES_BACK:
            self.won[named] = self.won.get(named, 0) + minor
        if kind == EventKind.CHARGEBACK:
            self.charged[event] = self.charged.get(event, 0) + minor

    def _left(self, kind: str, named: str) -> int:
        if kind != GIVES_BACK:
            return self.amount.minor - self.refunded_minor
        left = sum(self.charged.values()) - sum(self.won.values())
        if named in self.charged:
            left = min(left, self.charged[named] - self.won.get(named, 0))
        return left

    @property
    def state_now(self) -> str:
        """Return the state the sale is in by what has gone back of it."""
        if self.refunded_minor == 0:
            return ConversionState.RECORDED
        whole = self.refunded_minor == self.amount.minor
        return ConversionState.REFUNDED if whole else ConversionState.PARTIALLY_REFUNDED


@dataclass(frozen=True, slots=True)
class Named:
    """An event that another one names: what it is, and the sale behind it, itself unless it is a refund or chargeback."""

    kind: str
    is_declined: bool
    sale: int | None
    waits: bool = False


@dataclass
class Held:
    """The sales one transaction holds, and the events by whose id they are found."""

    sales: dict[int, Original] = field(default_factory=dict)
    named: dict[Key, Named] = field(default_factory=dict)

    def see(self, row: Conversion) -> None:
        """Let a row be found, and hold it when it is a sale; the caller has locked it, or is the only one to see it."""
        key = row.source, row.external_id
        is_sale = row.kind not in MOVES
        sale = row.pk if is_sale else row.original_id
        waits = sale is None and bool(row.original_external_id)
        self.named[key] = Named(row.kind, row.state == ConversionState.REJECTED, sale, waits)
        if is_sale:
            self.sales[row.pk] = Original(row.pk, key, row.state, row.amount)

    def give_back(self, event: Event, sale: Original) -> None:
        """Count an event no more, one that turned out not to be ours."""
        sale.count(event.kind, -event.amount.minor, event=event.external_id, named=event.original_external_id)
        self.named.pop(event.key, None)

    def note(self, row: Conversion | Event, sale: Original) -> None:
        """Let a chargeback that counts against a held sale be found."""
        if row.kind == EventKind.CHARGEBACK:
            self.named[row.source, row.external_id] = Named(row.kind, is_declined=False, sale=sale.pk)

    def find(self, kind: str, key: Key) -> Original | None:
        """Return the sale that an event of `kind` naming `key` is about, None while it has to wait.

        Raises: NotASale, NotAChargeback.
        """
        named = self.named.get(key)
        if named is None:
            return None
        if kind != GIVES_BACK:
            if named.kind in MOVES or named.is_declined:
                raise NotASale(params={"original": key[1]})
            return self.sales[named.sale] if named.sale is not None else None
        is_without_sale = named.sale is None and not named.waits
        if named.is_declined or is_without_sale or named.kind in (EventKind.REFUND, GIVES_BACK):
            raise NotAChargeback(params={"original": key[1]})
        sale = self.sales.get(named.sale) if named.sale is not None else None
        # Before its chargeback has come, nobody can say how much there is to win back.
        return sale if sale is not None and sale.charged else None


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
    _decided, credited = link_waiting(held, keys, at=at)
    write_states(held)
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
