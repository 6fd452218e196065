"""Read balances as they stood at the end of a month, by age. An entry belongs to the month it is posted in, and what was taken from a
balance is set against the oldest first; hence the ages of a balance add up to the balance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Case, CharField, F, Q, Sum, Value, When
from django.utils.translation import gettext_lazy as _

from payouts.choices import AccountKind
from payouts.models import Entry
from prm.lib.errors import Refused
from prm.lib.money import Money
from prm.lib.periods import Month, start_of_day
from tiers.models import Program

# From the oldest to the youngest: that is the order in which they are used up.
BUCKETS = ("over_90", "61_90", "31_60", "0_30")
_OLDER_THAN = (("over_90", 90), ("61_90", 60), ("31_60", 30))
KINDS = (AccountKind.PENDING, AccountKind.PAYABLE, AccountKind.IN_PAYMENT)


class NotBegun(Refused):
    message = _("%(month)s has not begun.")
    field = "month"


@dataclass
class Ageing:
    """The balances of one kind of partner account in one currency, by age; `owed_to_us` is the part that is negative."""

    kind: str
    currency: str
    minor: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BUCKETS, 0))
    owed_to_us_minor: int = 0
    accounts: int = 0

    @property
    def total_minor(self) -> int:
        return sum(self.minor.values())

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)

    @property
    def owed_to_us(self) -> Money:
        return Money(self.owed_to_us_minor, self.currency)

    @property
    def label(self) -> str:
        return str(AccountKind(self.kind).label)

    def amount(self, bucket: str) -> Money:
        return Money(self.minor[bucket], self.currency)

    @property
    def amounts(self) -> list[Money]:
        """The youngest first, as people read them."""
        return [self.amount(bucket) for bucket in reversed(BUCKETS)]


def up_to(month: Month, prefix: str = "transaction__period__") -> Q:
    """Return the condition that something is posted in `month` or before."""
    earlier = Q(**{f"{prefix}year__lt": month.year})
    return earlier | Q(**{f"{prefix}year": month.year, f"{prefix}month__lte": month.month})


def ageing(program: Program, month: Month) -> list[Ageing]:
    """Return the partner accounts of a program at the end of `month`, by kind, currency and age, summed over memberships."""
    accounts: dict[tuple[str, str, int], tuple[dict[str, int], dict[str, int]]] = {}
    for side in (0, 1):
        for kind, currency, account, bucket, minor in _sums(program, month, ("credit", "debit")[side]):
            sides = accounts.setdefault((kind, currency, account), ({}, {}))
            sides[side][bucket] = minor
    found: dict[tuple[str, str], Ageing] = {}
    for (kind, currency, _account), (came, went) in accounts.items():
        _add(found.setdefault((kind, currency), Ageing(kind, currency)), left_by_age(came, went))
    order = {kind.value: number for number, kind in enumerate(KINDS)}
    return [found[key] for key in sorted(found, key=lambda key: (key[1], order[key[0]]))]


def left_by_age(came: dict[str, int], went: dict[str, int]) -> dict[str, int]:
    """Return what is left of what came, by age, when what went is set against the oldest first; negative where more went than came."""
    total = sum(came.values()) - sum(went.values())
    more, less, sign = (came, went, 1) if total >= 0 else (went, came, -1)
    to_use, left = sum(less.values()), {}
    for bucket in BUCKETS:
        used = min(to_use, more.get(bucket, 0))
        to_use -= used
        left[bucket] = sign * (more.get(bucket, 0) - used)
    return left


def trial_balance(programs: Iterable[Program], month: Month) -> dict[tuple[str, str], int]:
    """Return credits less debits of every kind of account and currency at the end of `month`; each currency adds up to zero."""
    found: dict[tuple[str, str], int] = {}
    for side, sign in (("credit", 1), ("debit", -1)):
        rows = (
            Entry.objects.filter(up_to(month), **{f"{side}__program__in": list(programs)})
            .order_by()
            .values_list(f"{side}__kind", "currency")
            .annotate(minor=Sum("amount_minor"))
        )
        for kind, currency, minor in rows:
            found[kind, currency] = found.get((kind, currency), 0) + sign * minor
    return dict(sorted(found.items()))


def _sums(program: Program, month: Month, side: str) -> Iterable[tuple[str, str, int, str, int]]:
    """Return the sums of one side by account and age: days from the local day something took effect to the month's last day."""
    ages = [
        When(transaction__effective_at__lt=_boundary(program, month, days), then=Value(bucket))
        for bucket, days in _OLDER_THAN
    ]
    rows = Entry.objects.filter(
        up_to(month), **{f"{side}__program": program, f"{side}__kind__in": [kind.value for kind in KINDS]}
    ).annotate(
        age=Case(*ages, default=Value("0_30"), output_field=CharField()),
        account_kind=F(f"{side}__kind"),
        account_id=F(f"{side}_id"),
    )
    grouped = rows.order_by().values_list("account_kind", "currency", "account_id", "age")
    return grouped.annotate(minor=Sum("amount_minor")).iterator(chunk_size=5000)


def _boundary(program: Program, month: Month, days: int) -> datetime:
    """Return the instant before which something is older than `days` on the month's last day."""
    return start_of_day(month.last_on - timedelta(days=days), program.zone)


def _add(total: Ageing, left: dict[str, int]) -> None:
    balance = sum(left.values())
    for bucket, minor in left.items():
        total.minor[bucket] += minor
    total.owed_to_us_minor += min(balance, 0)
    total.accounts += bool(balance)


def sum_of(found: Sequence[Ageing], kind: AccountKind, currency: str) -> int:
    """Return the balance of one kind in one currency, zero when there is none."""
    return sum(each.total_minor for each in found if (each.kind, each.currency) == (kind.value, currency))
