"""Which sale made somebody a customer of a program, for points: the first one that is credited, unless another has earned as that before it
was known. A customer is new once, whatever goes back later.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from referrals.choices import ConversionState, CreditRole
from referrals.models import Credit, PointEntry
from referrals.point_rates import Rates
from tiers.engine.facts import SALES

NEW_CUSTOMER = "new_customer"
BACK = ":back"


class Firsts:
    """The first sales to the customers of some credits."""

    def __init__(self, rates: Rates, credits: Sequence[Credit]) -> None:
        asking = [program for program in rates.programs if NEW_CUSTOMER in rates.sources(program)]
        customers = {
            credit.conversion.customer_id for credit in credits if credit.membership.program_id in asking
        } - {None}
        self._sale: dict[tuple[int, int | None], int] = {}
        if customers:
            sold = Credit.objects.filter(
                conversion__customer__in=customers,
                conversion__kind__in=SALES,
                membership__program__in=asking,
            )
            self._remember(_first(sold))
            # What has earned stays what earned, also when an earlier sale comes in late.
            self._remember(_earned(sold))

    def is_first(self, credit: Credit) -> bool:
        key = credit.membership.program_id, credit.conversion.customer_id
        return self._sale.get(key) == credit.conversion_id

    def _remember(self, sales: QuerySet[Credit]) -> None:
        rows = sales.values_list("membership__program", "conversion__customer", "conversion")
        for program, customer, conversion in rows:
            self._sale[program, customer] = conversion


def has_entry(*sources: str, suffix: str = "") -> Exists:
    """Say of a credit whether it has earned by any of `sources`."""
    about = "conversion__customer__public_id" if NEW_CUSTOMER in sources else "conversion__public_id"
    named = Concat(
        OuterRef(about),
        Value(":"),
        Cast(OuterRef("pk"), CharField()),
        Value(suffix),
        output_field=CharField(),
    )
    entries = PointEntry.objects.filter(membership=OuterRef("membership"), source__in=sources)
    return Exists(entries.filter(reference=named))


def _counting() -> QuerySet[Credit]:
    standing = Credit.objects.standing().exclude(role=CreditRole.ASSISTED)
    return standing.exclude(conversion__state=ConversionState.REJECTED)


def _first(sold: QuerySet[Credit]) -> QuerySet[Credit]:
    before = Q(occurred_at__lt=OuterRef("occurred_at")) | Q(
        occurred_at=OuterRef("occurred_at"), conversion__lt=OuterRef("conversion")
    )
    earlier = _counting().filter(
        before,
        conversion__customer=OuterRef("conversion__customer"),
        conversion__kind__in=SALES,
        membership__program=OuterRef("membership__program"),
    )
    return (sold & _counting()).exclude(Exists(earlier))


def _earned(sold: QuerySet[Credit]) -> QuerySet[Credit]:
    return sold.filter(has_entry(NEW_CUSTOMER)).exclude(has_entry(NEW_CUSTOMER, suffix=BACK))
