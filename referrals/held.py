"""Hold sales while what goes back of them is counted: never more than the sale, never less than nothing, and nothing won back that was
not charged back. Whoever holds a sale has locked it, or is the only one to see it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from prm.lib.money import Money
from referrals.choices import ConversionState
from referrals.facts import GIVES_BACK, MOVES, Event, Key
from referrals.models import Conversion
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
