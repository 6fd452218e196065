"""What a partner's money adds up to, read for pages: the stages of the path, months and payments. Nothing here
changes a row, and every sum is the sum of the very lines a page can list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from django.db.models import Case, Count, F, IntegerField, Min, Q, QuerySet, Sum, Value, When

from partners.models import Membership
from payouts.choices import CommissionState, PaymentState
from payouts.models import Commission, Payment
from prm.lib.money import Money
from prm.lib.periods import Month, months_between

# The stages of the money path; each state of a commission lies in exactly one of them.
STAGES: Mapping[str, tuple[str, ...]] = {
    "review": (CommissionState.IN_REVIEW.value, CommissionState.PAUSED.value),
    "hold": (CommissionState.ON_HOLD.value,),
    "ready": (CommissionState.PAYABLE.value, CommissionState.ON_STATEMENT.value),
    "sent": (CommissionState.SENT.value,),
    "paid": (CommissionState.PAID.value,),
}
_HAS_MONEY = ~Q(amount_minor=0)
_STAGE_OF = {state: stage for stage, states in STAGES.items() for state in states}


@dataclass(frozen=True)
class Stage:
    """The lines of one stage: how many, what they add up to, and the first day one of them leaves its hold."""

    key: str
    amount: Money
    count: int = 0
    next_payable_at: datetime | None = None


@dataclass(frozen=True)
class MonthOfMoney:
    """One month's lines by stage, in minor units."""

    month: Month
    stages: Mapping[str, int]


@dataclass(frozen=True)
class MoneyOverview:
    """Every line of a membership, once by stage and once by stage for the latest months."""

    currency: str
    stages: Mapping[str, Stage]
    paused: Stage
    months: tuple[MonthOfMoney, ...]

    @property
    def lifetime(self) -> Money:
        """All that was earned less all that was taken back."""
        return Money.total((stage.amount for stage in self.stages.values()), self.currency)

    @property
    def count(self) -> int:
        return sum(stage.count for stage in self.stages.values())


@dataclass(frozen=True)
class PaymentsSoFar:
    """Payments under way and payments that arrived."""

    sent_count: int
    last_sent_at: datetime | None
    settled_count: int
    last_settled_at: datetime | None


@dataclass(frozen=True)
class _Group:
    """Lines of one state in one of the months shown, or before them (`bucket` is None)."""

    state: str
    bucket: int | None
    minor: int
    lines: int
    next_at: datetime | None


def money_of(membership: Membership, *, at: datetime, months: int = 12) -> MoneyOverview:
    """Read a membership's money in one query: all lines by stage, and those of the latest `months` by month."""
    program = membership.program
    now = Month.of(at, program.zone)
    shown = list(months_between(now.plus(1 - months), now))
    rows = [
        _Group(**group)
        for group in Commission.objects.filter(membership=membership, currency=program.currency)
        .annotate(bucket=_month_bucket(shown, program.zone))
        .values("state", "bucket")
        .annotate(
            minor=Sum("amount_minor"),
            lines=Count("pk", filter=_HAS_MONEY),
            next_at=Min("payable_at", filter=_HAS_MONEY),
        )
        .order_by()
    ]
    by_month: list[dict[str, int]] = [{} for _month in shown]
    for row in rows:
        if row.bucket is not None:
            stages, stage = by_month[row.bucket], _STAGE_OF[row.state]
            stages[stage] = stages.get(stage, 0) + row.minor
    return MoneyOverview(
        currency=program.currency,
        stages={key: _stage(key, states, rows, program.currency) for key, states in STAGES.items()},
        paused=_stage("paused", (CommissionState.PAUSED.value,), rows, program.currency),
        months=tuple(MonthOfMoney(month, stages) for month, stages in zip(shown, by_month, strict=True)),
    )


def payments_of(membership: Membership) -> list[Payment]:
    """Return every payment of a membership, oldest first, without the account numbers."""
    return list(Payment.objects.filter(membership=membership).defer("iban", "holder", "bic").order_by("pk"))


def payments_so_far(payments: Sequence[Payment]) -> PaymentsSoFar:
    """Count payments under way and done, with the latest day of each."""
    sent = [payment.sent_at for payment in payments if payment.state == PaymentState.SENT and payment.sent_at]
    settled = [
        payment.settled_at
        for payment in payments
        if payment.settled_at and payment.state == PaymentState.SETTLED
    ]
    return PaymentsSoFar(
        sent_count=len(sent),
        last_sent_at=max(sent, default=None),
        settled_count=len(settled),
        last_settled_at=max(settled, default=None),
    )


def payment_date(month: Month, payment_day: int) -> date:
    """Return the day on which the statement of `month` is paid."""
    return month.next().first_on.replace(day=payment_day)


def earned_since(membership: Membership, since: datetime) -> tuple[dict[int, Money], dict[int, Money]]:
    """Return what each link and each code of a membership earned since then, by their ids."""
    rows = (
        Commission.objects.filter(membership=membership, effective_at__gte=since)
        .values("credit__click__link_id", "credit__code_id")
        .annotate(minor=Sum("amount_minor"))
        .order_by()
    )
    links: dict[int, Money] = {}
    codes: dict[int, Money] = {}
    nothing = Money(0, membership.program.currency)
    for row in rows:
        # A code decides over a click, so a line counts for the code it was credited by.
        link_id: int | None = row["credit__click__link_id"]
        code_id: int | None = row["credit__code_id"]
        kept, key = (links, link_id) if code_id is None else (codes, code_id)
        if key is not None:
            kept[key] = kept.get(key, nothing) + Money(row["minor"], membership.program.currency)
    return links, codes


def in_stage(lines: QuerySet[Commission], stage: str) -> QuerySet[Commission]:
    """Narrow lines to one stage of the money path, or to those taken back (`reversed`)."""
    if stage == "reversed":
        return lines.filter(amount_minor__lt=0)
    # A line of zero only keeps a count or explains a cap: no money of it is at any stage.
    return lines.filter(state__in=STAGES[stage]).exclude(amount_minor=0)


def searched(lines: QuerySet[Commission], text: str) -> QuerySet[Commission]:
    """Narrow lines to those whose order, link, code, recruit or visible part of the customer holds `text`."""
    text = text.strip()
    bare = text.lstrip("•")
    # Of a recruit's sale only the order and the recruit are known, and the recruit only to who recruited it.
    mine = Q(credit__membership=F("membership"))
    recruited = Q(credit__membership__recruiter=F("membership"))
    found = (
        Q(conversion__external_id__icontains=text)
        | Q(public_id__iexact=text)
        | (mine & (Q(credit__code__code__icontains=text) | _named_link(text)))
        | (recruited & Q(credit__membership__partner__name__icontains=text))
    )
    if 0 < len(bare) <= 3:  # what the mask leaves visible; more would let a partner probe hidden characters
        found |= mine & Q(conversion__customer__external_id__iendswith=bare)
    return lines.filter(found)


def _named_link(text: str) -> Q:
    return Q(credit__click__link__slug__icontains=text) | Q(credit__click__link__label__icontains=text)


def total_of(lines: QuerySet[Commission], currency: str) -> tuple[Money, int]:
    """Add up lines of one currency and count them."""
    found = lines.aggregate(minor=Sum("amount_minor"), count=Count("pk"))
    return Money(found["minor"] or 0, currency), found["count"]


def _month_bucket(months: Sequence[Month], zone: tzinfo) -> Case:
    """Number the lines by month; comparisons of instants, which every database does without help."""
    whens = [
        When(effective_at__gte=month.starts_at(zone), effective_at__lt=month.ends_at(zone), then=Value(index))
        for index, month in enumerate(months)
    ]
    return Case(*whens, default=None, output_field=IntegerField(null=True))


def _stage(key: str, states: Sequence[str], rows: Sequence[_Group], currency: str) -> Stage:
    mine = [row for row in rows if row.state in states]
    return Stage(
        key=key,
        amount=Money(sum(row.minor for row in mine), currency),
        count=sum(row.lines for row in mine),
        next_payable_at=min((row.next_at for row in mine if row.next_at is not None), default=None),
    )
