"""Read credits as what happened, and tell the engine of it. One row is one partner's part in one event; the number of queries does not
grow with the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from prm.lib.countries import code_of
from prm.lib.money import Money
from referrals.choices import CreditRole
from referrals.customers import first_sales
from referrals.models import ConversionLine, Credit
from tiers.engine.facts import DEDUCTIONS, Deduction, Event, OrderLine, Original


class Happening(NamedTuple):
    """A credit, the event it is for and the sale that event takes back, as far as commission depends on them."""

    pk: int
    conversion_id: int
    membership_id: int
    role: str
    share: Decimal
    occurred_at: datetime
    rated_at: datetime | None
    superseded_at: datetime | None
    code: str | None
    link: str | None
    click_sub_id: str | None
    key: str
    kind: str
    amount_minor: int
    currency: str
    country: str
    customer_id: int | None
    product: str
    category: str
    quantity: int
    tax_minor: int
    shipping_minor: int
    discount_minor: int
    cost_minor: int
    sub_id: str
    deal_key: str
    attributes: dict[str, Any]
    original_id: int | None
    original_key: str | None
    original_kind: str | None
    original_at: datetime | None
    original_customer_id: int | None
    lines: tuple[OrderLine, ...] = ()

    @property
    def products(self) -> tuple[tuple[str, str], ...]:
        """Product and category of everything that was bought."""
        if self.lines:
            return tuple((line.product, line.category) for line in self.lines)
        return ((self.product, self.category),)

    @property
    def customer(self) -> int | None:
        """The customer, of a refund that does not say the one who bought."""
        return self.customer_id or self.original_customer_id

    @property
    def placed_at(self) -> datetime:
        """When it takes its turn: a refund dated before its sale comes with the sale."""
        return max(self.occurred_at, self.original_at) if self.original_at else self.occurred_at


_COLUMNS = (
    "pk",
    "conversion_id",
    "membership_id",
    "role",
    "share",
    "occurred_at",
    "rated_at",
    "superseded_at",
    "code__code",
    "click__link__slug",
    "click__sub_id",
    "conversion__external_id",
    "conversion__kind",
    "conversion__amount_minor",
    "conversion__currency",
    "conversion__country",
    "conversion__customer_id",
    "conversion__product",
    "conversion__category",
    "conversion__quantity",
    "conversion__tax_minor",
    "conversion__shipping_minor",
    "conversion__discount_minor",
    "conversion__cost_minor",
    "conversion__sub_id",
    "conversion__deal_key",
    "conversion__attributes",
    "conversion__original_id",
    "conversion__original__external_id",
    "conversion__original__kind",
    "conversion__original__occurred_at",
    "conversion__original__customer_id",
)


def read(credits: QuerySet[Credit], *, limit: int | None = None) -> list[Happening]:
    """Return credits in the order things happened, each with all that rating reads."""
    rows = list(credits.order_by("occurred_at", "pk").values_list(*_COLUMNS)[:limit])
    lines = _lines({row[1] for row in rows}) if rows else {}
    return [Happening._make((*row, lines.get(row[1], ()))) for row in rows]


def _lines(conversion_ids: Collection[int]) -> dict[int, tuple[OrderLine, ...]]:
    """Return the lines of those orders that were told with lines."""
    found: dict[int, list[OrderLine]] = {}
    rows = ConversionLine.objects.filter(conversion__in=conversion_ids).order_by("conversion", "position")
    for conversion, minor, currency, product, category, quantity in rows.values_list(
        "conversion_id", "amount_minor", "currency", "product", "category", "quantity"
    ):
        line = OrderLine(Money(minor, currency), product, category, quantity)
        found.setdefault(conversion, []).append(line)
    return {conversion: tuple(lines) for conversion, lines in found.items()}


def since(start: datetime | None) -> Q:
    """Return the condition for credits that take their turn at `start` or later; everything without one."""
    if start is None:
        return Q()
    return Q(occurred_at__gte=start) | Q(conversion__original__occurred_at__gte=start)


@dataclass(slots=True)
class Teller:
    """Tells events as the engine takes them. What several events share is read once, for a batch at a time."""

    first_sales: dict[int, datetime] = field(default_factory=dict)
    shares: dict[int, list[tuple[int, Decimal]]] = field(default_factory=dict)

    def prepare(self, happenings: Collection[Happening]) -> None:
        """Read when the customers first bought and who else has credit in these events, instead of what was known."""
        customers = {customer for each in happenings if (customer := each.customer) is not None}
        self.first_sales = first_sales(customers) if customers else {}
        split = [each.conversion_id for each in happenings if each.share != 1]
        self.shares = _shares(split) if split else {}

    def customer_since(self, happening: Happening) -> datetime | None:
        """Return when the customer first bought anything from the operator, whoever brought that sale."""
        customer = happening.customer
        return None if customer is None else self.first_sales.get(customer)

    def event(
        self, happening: Happening, *, original: Original | None = None, refunds_kind: str = "sale"
    ) -> Event:
        """Return the event as one partner's engine sees it. A refund of a named sale has no deductions of its own."""
        each = happening
        shares, at = self._share(each)
        customer = each.customer
        return Event(
            key=each.key,
            kind=each.kind,
            occurred_at=each.occurred_at,
            amount=Money(each.amount_minor, each.currency),
            country=code_of(each.country),
            deductions=() if original is not None else _deductions(each),
            original=original,
            refunds_kind=refunds_kind,
            customer="" if customer is None else str(customer),
            customer_since=self.customer_since(each),
            product=each.product,
            category=each.category,
            quantity=each.quantity,
            code=each.code or "",
            link=each.link or "",
            sub_id=each.sub_id or each.click_sub_id or "",
            deal=each.deal_key,
            role=each.role,
            attributes=each.attributes,
            shares=shares,
            share_at=at,
            lines=() if original is not None else each.lines,
        )

    def _share(self, each: Happening) -> tuple[tuple[Decimal, ...], int]:
        """Return the weights of all who have credit and whose turn it is; what is nobody's is the last weight."""
        known = self.shares.get(each.conversion_id)
        if known is None or each.role == CreditRole.ASSISTED:
            return (), 0
        places = [pk for pk, _share in known]
        if each.pk not in places:
            return (), 0
        weights = [share for _pk, share in known]
        rest = 1 - sum(weights, Decimal(0))
        return (*weights, rest) if rest > 0 else tuple(weights), places.index(each.pk)


def _shares(conversion_ids: Iterable[int]) -> dict[int, list[tuple[int, Decimal]]]:
    """Return the standing credits of events with their shares in a fixed order; helping takes nothing from the others."""
    rows = (
        Credit.objects.standing()
        .filter(conversion__in=set(conversion_ids))
        .exclude(role=CreditRole.ASSISTED)
        .order_by("pk")
    )
    found: dict[int, list[tuple[int, Decimal]]] = {}
    for conversion, pk, share in rows.values_list("conversion_id", "pk", "share"):
        found.setdefault(conversion, []).append((pk, share))
    return found


def _deductions(each: Happening) -> tuple[Deduction, ...]:
    if not (each.tax_minor or each.shipping_minor or each.discount_minor or each.cost_minor):
        return ()
    amounts = (each.tax_minor, each.shipping_minor, each.discount_minor, each.cost_minor)
    named = zip(DEDUCTIONS, amounts, strict=True)
    return tuple(Deduction(name, Money(minor, each.currency)) for name, minor in named if minor)
