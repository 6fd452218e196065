"""What must hold after any history: chains are whole, nothing takes more than was given, closed months stay as they were counted, every
movement is on one statement, and nobody is paid more than was stated. Each is asked of the tables by a query of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice

from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce

from payouts import chain, periods
from payouts.choices import AccountKind, PaymentState, PeriodState
from payouts.finding import Finding
from payouts.models import ChainLink, Commission, Entry, Payment, Period, Statement

_OUT = (PaymentState.SENT, PaymentState.SETTLED)


def chains_hold() -> Iterator[Finding]:
    """Each transaction of a partner is sealed, and each link seals what is there and the link before it."""
    for each in chain.breaks():
        yield Finding("chain", f"membership {each.membership_id} link {each.position}", "whole", each.what)


def statements_hold_the_chain() -> Iterator[Finding]:
    """The link each statement noted when it was issued is still there and still the same: no end of a chain was cut off."""
    noted = Statement.objects.filter(facts__sealed__position__gt=0).order_by("membership", "pk")
    rows = noted.values_list("number", "membership", "facts__sealed").iterator(chunk_size=2000)
    while some := list(islice(rows, 500)):
        links = ChainLink.objects.filter(
            membership__in={row[1] for row in some}, position__in={row[2]["position"] for row in some}
        )
        known = {(each.membership_id, each.position): each.sha256 for each in links}
        for number, member, sealed in some:
            found = known.get((member, sealed["position"]), "no link")
            if found != sealed["sha256"]:
                yield Finding("statement_seal", number, sealed["sha256"][:12], found[:12])


def nothing_takes_more_than_was_given() -> Iterator[Finding]:
    """What a rule gave for a sale, with all that takes it back or trues it up, never comes to less than nothing; invariant 3.

    Lines of rules over a window are left out: what their last event settles may belong to the whole window.
    """
    of_sale = Coalesce("conversion__original", "conversion")
    undone = Commission.objects.filter(reverses__conversion__isnull=False, reverses__window="")
    keys = set(undone.annotate(sale=of_sale).values_list("sale", "rule_key", "membership"))
    told = Commission.objects.filter(conversion__isnull=False).annotate(sale=of_sale).order_by()
    mine = told.filter(sale__in={sale for sale, _rule, _member in keys})
    sums = mine.values_list("sale", "rule_key", "membership").annotate(minor=Sum("amount_minor"))
    for sale, rule, member, minor in sums.filter(minor__lt=0):
        if (sale, rule, member) in keys:
            yield Finding(
                "reversals", f"sale {sale} rule {rule} membership {member}", "0 or more", str(minor)
            )


def currencies_never_mix() -> Iterator[Finding]:
    """What a membership earns, is stated and is paid is in the currency of its program; invariant 16."""
    for name, model in (("commission", Commission), ("statement", Statement), ("payment", Payment)):
        strange = model.objects.exclude(currency=F("membership__program__currency"))
        rows = strange.order_by("pk").values_list("pk", "currency", "membership__program__currency")
        for pk, found, expected in rows:
            yield Finding("currency", f"{name} {pk}", expected, found)


def closed_months_stand() -> Iterator[Finding]:
    """What was counted when a month was closed is counted again; invariant 14."""
    closed = Period.objects.filter(state=PeriodState.CLOSED).select_related("program").order_by("pk")
    for period in closed:
        now = periods.control_totals(period)
        for name, then in period.control_totals.items():
            if name in now and now[name] != then:
                yield Finding(
                    "closed_month", f"{period.program.slug} {period} {name}", str(then), str(now[name])
                )


def every_movement_is_on_one_statement() -> Iterator[Finding]:
    """What moved the payable account in a closed month is the difference of the statement's two balances; invariant 11."""
    moved = _payable_by_month()
    issued = Statement.objects.in_force().filter(period__state=PeriodState.CLOSED)
    rows = issued.order_by("pk").values_list(
        "membership", "period", "currency", "number", "opening_minor", "closing_minor"
    )
    for member, period, currency, number, opening, closing in rows.iterator(chunk_size=2000):
        found = moved.pop((member, period, currency), 0)
        if found != closing - opening:
            yield Finding("statement_movement", number, str(closing - opening), str(found))
    open_months = set(Period.objects.exclude(state=PeriodState.CLOSED).values_list("pk", flat=True))
    for (member, period, currency), minor in sorted(moved.items()):
        if minor and period not in open_months:
            yield Finding(
                "statement_missing", f"membership {member} period {period} {currency}", "0", str(minor)
            )


def nobody_is_paid_more_than_was_stated() -> Iterator[Finding]:
    """All payments up to one never exceed all that statements up to its own gave; invariant 13.

    A refund may later make a balance negative: it is carried, and is no payment made twice.
    """
    rows = (
        Payment.objects.filter(state__in=_OUT)
        .order_by("membership", "currency", "statement__period__year", "statement__period__month", "pk")
        .values_list(
            "membership",
            "currency",
            "end_to_end_id",
            "amount_minor",
            "statement__period",
            "statement__closing_minor",
        )
    )
    given = _given_before()
    for (member, currency), mine in groupby(rows.iterator(chunk_size=2000), key=lambda row: row[:2]):
        paid = 0
        for _member, _currency, name, amount, period, closing in mine:
            paid += amount
            most = closing + given.get((member, currency, period), 0)
            if paid > most:
                yield Finding("paid_twice", name, f"at most {most}", str(paid))


def statements_are_paid_once() -> Iterator[Finding]:
    """A statement, with those that corrected it, has at most one payment that is out or waiting."""
    living = Payment.objects.live()
    rows = (
        living.order_by().values_list("membership", "statement__period", "currency").annotate(n=Count("pk"))
    )
    for member, period, currency, count in rows.filter(n__gt=1):
        yield Finding(
            "statement_paid_once", f"membership {member} period {period} {currency}", "1", str(count)
        )


def _payable_by_month() -> dict[tuple[int, int, str], int]:
    moved: dict[tuple[int, int, str], int] = {}
    for side, sign in (("credit", 1), ("debit", -1)):
        rows = (
            Entry.objects.filter(**{f"{side}__kind": AccountKind.PAYABLE})
            .order_by()
            .values_list(f"{side}__membership", "transaction__period", "currency")
            .annotate(total=Sum("amount_minor"))
        )
        for member, period, currency, total in rows:
            key = (member, period, currency)
            moved[key] = moved.get(key, 0) + sign * total
    return moved


def _given_before() -> dict[tuple[int, str, int], int]:
    """Return, for each month of each membership, what its payments had taken from the balances stated until then."""
    found: dict[tuple[int, str, int], int] = {}
    rows = (
        Statement.objects.in_force()
        .order_by("membership", "currency", "period__year", "period__month")
        .values_list("membership", "currency", "period", "paid_minor", "withheld_minor")
    )
    for (member, currency), mine in groupby(rows.iterator(chunk_size=2000), key=lambda row: row[:2]):
        taken = 0
        for _member, _currency, period, paid, withheld in mine:
            taken -= paid + withheld
            found[member, currency, period] = taken
    return found
