"""Gather the customers a membership owns or is credited for, with what they bought and what that earned. Who a customer is stays masked
unless the program shows it, and nothing tells of another partner.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, Min, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from payouts.models import Commission
from portal.formats import date_text
from portal.rooms import Room
from portal.views.pages import Pages
from prm.lib.money import Money
from prm.lib.periods import local_day
from referrals import performance, tracking_settings
from referrals.attribution_versions import settings_at
from referrals.customers import SALES
from referrals.models import Conversion, Credit, Customer, Referral

SIZE = 25
SHOWN_OF_MASKED = 3
STATES = ("yours", "earning", "over")


@dataclass(frozen=True)
class CustomerRow:
    """A customer as its partner sees it; `until` says in words how long later purchases earn."""

    public_id: str
    name: str
    country: str
    since: date | None
    is_yours: bool
    until: str
    earns_until: date | None
    orders: int
    net: Money
    earned: Money


@dataclass(frozen=True)
class CustomersPage:
    """One page of the list."""

    rows: tuple[CustomerRow, ...]
    pages: Pages
    is_new: bool


@dataclass(frozen=True)
class Reading:
    """What the list is read by: whose it is, and what the program's settings say."""

    room: Room
    shows_customers: bool
    owner_earns: bool

    @classmethod
    def of(cls, room: Room) -> Reading:
        """Read the program's settings."""
        shows = tracking_settings.of(room.program).shows_customers
        return cls(room, shows, "customer" in settings_at(room.program, at=room.at).kinds)

    def customers(self, *, q: str = "", state: str = "") -> QuerySet[Customer]:
        """Return the customers of the membership that fit, the newest first."""
        mine = Referral.objects.filter(membership=self.room.membership, customer=OuterRef("pk"))
        if state in STATES:
            found = Customer.objects.filter(Exists(self._in_state(mine, state)))
        else:
            credited = Credit.objects.standing().filter(
                membership=self.room.membership, conversion__customer=OuterRef("pk")
            )
            found = Customer.objects.filter(Exists(mine) | Exists(credited))
        if q:
            found = found.filter(self._named(q))
        return found.order_by("-pk")

    def rows(self, customers: list[Customer]) -> Iterator[CustomerRow]:
        """Yield customers with their figures; the number of queries does not grow with them."""
        ids = [customer.pk for customer in customers]
        owned = self._owned(ids)
        credited = self._credited_since(ids)
        orders, net = self._sold(ids)
        earned = self._earned(ids)
        for customer in customers:
            referral = owned.get(customer.pk)
            since = referral.since_at if referral else credited.get(customer.pk)
            yield CustomerRow(
                public_id=customer.public_id,
                name=customer.external_id if self.shows_customers else customer.masked,
                country=customer.country,
                since=local_day(since, self.room.zone) if since else None,
                is_yours=referral is not None and referral.ended_at is None,
                until=self._until(referral),
                earns_until=self._day(referral.earns_until_at) if referral else None,
                orders=orders[customer.pk],
                net=self._money(net[customer.pk]),
                earned=self._money(earned[customer.pk]),
            )

    def _named(self, q: str) -> Q:
        """Return the condition that a customer is called `q`. Of a masked one only what is shown can be asked for: more would let a
        partner probe hidden characters."""
        bare = q.lstrip("•")
        if self.shows_customers:
            return Q(external_id__icontains=q)
        return Q(external_id__endswith=bare) if len(bare) <= SHOWN_OF_MASKED else Q(pk__in=[])

    def _in_state(self, mine: QuerySet[Referral], state: str) -> QuerySet[Referral]:
        current = mine.filter(ended_at=None)
        if state == "yours":
            return current
        at = self.room.at
        over = Q(earns_until_at__lte=at)
        return current.filter(over) if state == "over" else current.exclude(over)

    def _owned(self, ids: list[int]) -> dict[int, Referral]:
        """Return the membership's own ownership of each customer: the one that goes on, else the last."""
        rows = Referral.objects.filter(membership=self.room.membership, customer__in=ids)
        return {row.customer_id: row for row in rows.order_by("since_at", "pk")}

    def _credited_since(self, ids: list[int]) -> dict[int, datetime]:
        rows = self._credits(ids).order_by("conversion__customer").values_list("conversion__customer")
        return dict(rows.annotate(first=Min("occurred_at")))

    def _credits(self, ids: Iterable[int]) -> QuerySet[Credit]:
        standing = Credit.objects.standing().filter(membership=self.room.membership)
        return standing.filter(conversion__customer__in=ids)

    def _sold(self, ids: list[int]) -> tuple[Counter[int], Counter[int]]:
        """Return how many orders of each customer are credited, and what they came to after what went back."""
        counting = performance.counting(since=None, until=self.room.at)
        credits = counting.filter(membership=self.room.membership, conversion__customer__in=ids)
        net: Counter[int] = Counter()
        of_conversion = list(performance.net_per_conversion(credits))
        told = Conversion.objects.filter(pk__in=[pk for pk, _minor in of_conversion])
        customer_of = {
            pk: (customer, kind) for pk, customer, kind in told.values_list("pk", "customer", "kind")
        }
        orders: Counter[int] = Counter()
        for pk, minor in of_conversion:
            customer, kind = customer_of[pk]
            net[customer] += minor
            orders[customer] += kind in SALES
        return orders, net

    def _earned(self, ids: list[int]) -> Counter[int]:
        own = self.room.membership
        lines = Commission.objects.filter(
            membership=own, credit__membership=own, conversion__customer__in=ids
        )
        sums = lines.order_by("conversion__customer").values_list("conversion__customer")
        return Counter({pk: int(total or 0) for pk, total in sums.annotate(total=Sum("amount_minor"))})

    def _until(self, referral: Referral | None) -> str:
        if referral is None:
            return _("Credited by an order")
        if referral.ended_at is not None:
            return _("Yours until %(day)s") % {"day": date_text(local_day(referral.ended_at, self.room.zone))}
        if not self.owner_earns:
            return _("By your link, code, lead or deal")
        if referral.earns_until_at is None:
            return _("For as long as it is yours")
        day = date_text(local_day(referral.earns_until_at, self.room.zone))
        if referral.earns_until_at <= self.room.at:
            return _("Earned until %(day)s") % {"day": day}
        return _("Earns until %(day)s") % {"day": day}

    def _day(self, instant: datetime | None) -> date | None:
        return local_day(instant, self.room.zone) if instant else None

    def _money(self, minor: int) -> Money:
        return Money(minor, self.room.program.currency)


def page_of(
    reading: Reading, *, q: str, state: str, after: str, before: str, url: Callable[..., str]
) -> CustomersPage:
    """Return the customers behind the one `after`, or in front of the one `before`, or the first ones; a mark that names none is ignored."""
    found = reading.customers(q=q, state=state)
    total = found.order_by().count()
    edge = (
        found.filter(public_id=after or before).values_list("pk", flat=True).first()
        if after or before
        else None
    )
    backwards = edge is not None and not after
    if edge is None:
        rows = list(found[: SIZE + 1])
    elif backwards:
        rows = list(found.filter(pk__gt=edge).order_by("pk")[: SIZE + 1])
    else:
        rows = list(found.filter(pk__lt=edge)[: SIZE + 1])
    has_more, rows = len(rows) > SIZE, rows[:SIZE]
    if backwards:
        rows.reverse()
    position = found.order_by().filter(pk__gt=rows[0].pk).count() if rows and edge is not None else 0
    has_next = position + len(rows) < total if backwards else has_more
    return CustomersPage(
        rows=tuple(reading.rows(rows)),
        pages=Pages(
            first=position + 1 if rows else 0,
            last=position + len(rows),
            total=total,
            previous_url=url(before=rows[0].public_id) if rows and position else "",
            next_url=url(after=rows[-1].public_id) if rows and has_next else "",
        ),
        is_new=not total and not (q or state),
    )
