"""What a membership brought, month by month, exactly as the engine counts it: sums where every event counts by itself, the engine's own
figures for what is shared or taken back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest

from partners.models import Membership
from payouts.accrual.happenings import Happening, Teller, read
from payouts.accrual.sales import Sale
from payouts.accrual.terms import Terms
from prm.lib.periods import Month, months_between
from referrals.choices import ConversionState, CreditRole
from referrals.models import Conversion, ConversionLine, Credit
from tiers.choices import EventKind
from tiers.engine.case import part_of
from tiers.engine.compute import METRICS, Rater
from tiers.engine.facts import LEAD, SALES, TAKES_BACK, Standing
from tiers.engine.memory import Memory
from tiers.engine.takeback import count_back, is_outside_clawback

_DEDUCTED = {
    "tax": "tax_minor",
    "shipping": "shipping_minor",
    "discount": "discount_minor",
    "cost": "cost_minor",
}


@dataclass(slots=True)
class Counted:
    """The rated events of a membership from a month on, up to an instant, as the plan in force counts them."""

    terms: Terms
    member: Membership
    first: Month | None
    until: datetime | None = None
    teller: Teller = field(default_factory=Teller)

    def into(self, memory: Memory, *, latest: datetime) -> None:
        """Add everything to the metrics of a memory."""
        rater = self.terms.rater(self.member, latest, None)
        if rater is None:
            return
        known = self._credits(rater)
        by_itself = Q(share__lt=1)
        if rater.plan.excluded_products or rater.plan.excluded_categories:
            # What the plan pays on of an order with lines, only the engine can say.
            by_itself |= Q(Exists(ConversionLine.objects.filter(conversion=OuterRef("conversion"))))
        apart = by_itself | Q(conversion__original__isnull=False)
        self._sum(memory, known.exclude(apart), rater)
        self._tell(memory, read(known.filter(by_itself, conversion__original=None)), rater)
        self._take_back(memory, read(known.filter(conversion__original__isnull=False)), rater)

    def _credits(self, rater: Rater) -> QuerySet[Credit]:
        known = (
            Credit.objects.standing()
            .filter(membership=self.member, rated_at__isnull=False)
            .exclude(role=CreditRole.ASSISTED)
            .exclude(conversion__product__in=rater.plan.excluded_products)
            .exclude(conversion__category__in=rater.plan.excluded_categories)
        )
        starts = [plan.effective_at for plan in self.terms.plans(self.member.program_id).values()]
        if self.first is not None:
            starts = [max(min(starts), self.first.starts_at(self.member.program.zone))]
        known = known.filter(occurred_at__gte=min(starts))
        return known if self.until is None else known.filter(occurred_at__lt=self.until)

    def _sum(self, memory: Memory, credits: QuerySet[Credit], rater: Rater) -> None:
        """Count events that one partner has all of and that name no sale."""
        month = _month_of(credits, self.member.program.zone)
        if month is None:
            return
        is_back = Q(conversion__kind__in=TAKES_BACK)
        is_sale = Q(conversion__kind__in=SALES)
        base = _base(rater)
        pieces = F("conversion__quantity")
        rows = (
            credits.annotate(month=month, is_first=_is_first())
            .values("month")
            .annotate(
                revenue=Coalesce(Sum(base, filter=~is_back), 0) - Coalesce(Sum(base, filter=is_back), 0),
                sales=Count("pk", filter=is_sale),
                new_customers=Count("pk", filter=Q(conversion__kind=EventKind.SALE, is_first=True)),
                leads=Count("pk", filter=Q(conversion__kind=LEAD)),
                units=Coalesce(Sum(pieces, filter=is_sale), 0) - Coalesce(Sum(pieces, filter=is_back), 0),
            )
            .order_by("month")
        )
        for row in rows:
            for metric in METRICS:
                memory.count(metric, Month.parse(row["month"]), int(row[metric]))

    def _tell(self, memory: Memory, happenings: list[Happening], rater: Rater) -> None:
        """Count events that are shared among partners, each as the engine does."""
        if not happenings:
            return
        self.teller.prepare(happenings)
        standing = Standing("")
        for each in happenings:
            event = rater.kept(self.teller.event(each))
            if event is None:
                continue
            case = rater.case(event, standing, memory)
            for metric in METRICS:
                memory.count(metric, case.month, case.counted(metric))

    def _take_back(self, memory: Memory, refunds: list[Happening], rater: Rater) -> None:
        """Count what was taken back of named sales against the months it happened in."""
        if not refunds:
            return
        sales = self._sales(refunds, rater)
        counted = {each.pk for each in refunds}
        # Every refund of these sales has its place in the row, also one before the first month.
        row = read(
            Credit.objects.standing().filter(
                membership=self.member, rated_at__isnull=False, conversion__original__in=sales
            )
        )
        self.teller.prepare(row)
        days = rater.plan.clawback_days
        for each in row:
            sale = sales[each.original_id or 0]
            before = sale.original(())
            moved = sale.move(each.kind, each.amount_minor, each.occurred_at, clawback_days=days)
            told = each._replace(amount_minor=moved)
            event = self.teller.event(told, original=before, refunds_kind=sale.kind)
            if each.pk in counted and not is_outside_clawback(rater.plan, event):
                count_back(event, before, memory)

    def _sales(self, refunds: list[Happening], rater: Rater) -> dict[int, Sale]:
        ids = {each.original_id for each in refunds}
        credits = read(Credit.objects.standing().filter(membership=self.member, conversion__in=ids))
        teller = Teller()
        teller.prepare(credits)
        sales: dict[int, Sale] = {}
        for each in credits:
            event, sale = teller.event(each), Sale.of(each)
            sale.base = part_of(rater.base(event), event)
            sales[each.conversion_id] = sale
        return sales


def _base(rater: Rater) -> Greatest:
    """Return the expression for what the plan pays on; a cost above the amount leaves nothing."""
    left: Combinable = F("conversion__amount_minor")
    for name in sorted(rater.plan.deducts & _DEDUCTED.keys()):
        left = left - F(f"conversion__{_DEDUCTED[name]}")
    return Greatest(left, Value(0))


def _is_first() -> Q:
    """Return the expression for the first sale of a known customer, whoever brought it."""
    bought = Conversion.objects.filter(
        customer=OuterRef("conversion__customer"), kind__in=SALES, occurred_at__lt=OuterRef("occurred_at")
    ).exclude(state=ConversionState.REJECTED)
    return Q(~Exists(bought)) & Q(conversion__customer__isnull=False)


def _month_of(credits: QuerySet[Credit], zone: tzinfo) -> Case | None:
    """Return the expression that names the month a credit lies in, by exact bounds."""
    span = credits.aggregate(first=Min("occurred_at"), last=Max("occurred_at"))
    if span["first"] is None:
        return None
    months = months_between(Month.of(span["first"], zone), Month.of(span["last"], zone))
    whens = [When(occurred_at__lt=month.ends_at(zone), then=Value(str(month))) for month in months]
    return Case(*whens, output_field=CharField())
