"""Hold three things against each other that were written apart: the ledger, the files made for banks, and the states of payments. What
they do not agree on is the difference of a run, and it is zero or something is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from payouts.choices import AccountKind, PaymentMethodKind, PaymentState, PayRunState, ResultOutcome
from payouts.exports import payments_csv
from payouts.models import Entry, Payment, PaymentFile, PaymentResult, PayRun
from payouts.pay_runs.files import MOVES_MONEY
from prm.lib.money import Money

OUT = (PayRunState.EXPORTED, PayRunState.SENT, PayRunState.PARTLY_FAILED, PayRunState.RECONCILED)
_INSTRUCTED, _SETTLED, _FAILED = "payment_instructed", "payment_settled", "payment_failed"


@dataclass(frozen=True)
class Comparison:
    """Two figures from two places that must be one number."""

    what: str | Promise
    here: Money
    there: Money

    @property
    def difference(self) -> Money:
        return self.here - self.there


@dataclass(frozen=True)
class InCurrency:
    """What became of the money a run sent in one currency. Everything down to `fees` is what the ledger says, except where it says
    otherwise."""

    currency: str
    left: Money
    in_files: Money  # in the files for banks and providers
    by_hand: Money  # for ways of paying that take no file
    settled: Money
    failed: Money
    returned: Money
    on_its_way: Money  # payments without an answer
    fees: Money
    comparisons: tuple[Comparison, ...]

    @property
    def arrived(self) -> Money:
        """Return what was paid and stayed paid."""
        return self.settled - self.returned

    @property
    def difference(self) -> Money:
        """Return how far the three sources are apart, in all; a surplus here cannot hide a lack there."""
        return Money.total((abs(each.difference) for each in self.comparisons), self.currency)


@dataclass(frozen=True)
class Reconciliation:
    """A run from what we owed to what arrived."""

    run: PayRun
    gross: Money  # what left `payable`, in the currency of the balances
    withheld: Money
    converted: Money  # what of it was paid in other currencies
    came_back: Money  # what went back to `payable`
    currencies: tuple[InCurrency, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def is_out(self) -> bool:
        """Say whether any money was instructed: before that there is nothing to compare."""
        return self.run.state in OUT

    @property
    def difference(self) -> Money:
        """Return how far balances and payments are apart, in the currency of the balances."""
        return Money.total((abs(each.difference) for each in self.comparisons), self.run.currency)

    @property
    def agrees(self) -> bool:
        return not self.difference and not any(each.difference for each in self.currencies)

    @property
    def is_open(self) -> bool:
        return any(each.on_its_way for each in self.currencies)


def of(run: PayRun) -> Reconciliation:
    """Return how a run stands."""
    return of_runs([run])[0]


def of_runs(runs: Sequence[PayRun]) -> list[Reconciliation]:
    """Return how each of these runs stands; the number of queries does not depend on how many there are."""
    payments = Payment.objects.filter(pay_run__in=[run.pk for run in runs]).order_by()
    by_run = _payments(payments)
    files = _files(runs)
    fees = _fees(payments)
    return [_one(run, by_run.get(run.pk, []), files.get(run.pk, {}), fees.get(run.pk, {})) for run in runs]


Row = Mapping[str, Any]


def _payments(payments: QuerySet[Payment]) -> dict[int, list[Row]]:
    """Return, per run and currency sent, what payments say of themselves and what the ledger says of them."""
    payable, in_payment, cash = AccountKind.PAYABLE, AccountKind.IN_PAYMENT, AccountKind.CASH
    states = PaymentState
    rows = (
        payments.annotate(
            l_gross=_moved(_INSTRUCTED, "currency", debit=payable),
            l_withheld=_moved(_INSTRUCTED, "currency", credit=AccountKind.TAX_WITHHELD),
            l_converted=_moved(_INSTRUCTED, "currency", debit=payable, credit=AccountKind.FX_CLEARING),
            l_back=_moved(_FAILED, "currency", credit=payable),
            l_left=_moved(_INSTRUCTED, "sent_currency", credit=in_payment),
            l_settled=_moved(_SETTLED, "sent_currency", debit=in_payment, credit=cash),
            l_failed=_moved(_FAILED, "sent_currency", debit=in_payment),
            l_returned=_moved(_FAILED, "sent_currency", debit=cash),
        )
        .values("pay_run", "sent_currency")
        .annotate(
            **{f"sum_{name}": Sum(f"l_{name}") for name in (*_OF_BALANCE, *_OF_SENT)},
            p_gross=_sum("amount_minor", ~Q(state__in=[states.QUEUED, states.CANCELLED])),
            p_back=_sum("amount_minor", Q(state__in=[states.FAILED, states.RETURNED])),
            p_withheld=_sum("withheld_minor", ~Q(state__in=[states.QUEUED, states.CANCELLED])),
            p_sent=_sum("sent_minor", ~Q(state__in=[states.QUEUED, states.CANCELLED])),
            p_waiting=_sum("sent_minor", Q(state=states.SENT)),
            p_settled=_sum("sent_minor", Q(state__in=[states.SETTLED, states.RETURNED])),
            p_failed=_sum("sent_minor", Q(state=states.FAILED)),
            p_returned=_sum("sent_minor", Q(state=states.RETURNED)),
            p_other=_sum(
                "sent_minor",
                Q(kind=PaymentMethodKind.OTHER) & ~Q(state__in=[states.QUEUED, states.CANCELLED]),
            ),
        )
    )
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["pay_run"]].append(row)
    return found


_OF_BALANCE = ("gross", "withheld", "converted", "back")
_OF_SENT = ("left", "settled", "failed", "returned")


def _sum(column: str, when: Q) -> Coalesce:
    return Coalesce(Sum(column, filter=when), 0)


def _moved(kind: str, currency: str, **sides: AccountKind) -> Coalesce:
    """Return, for a payment, what its transaction of this kind moved between accounts of these kinds in one of its currencies."""
    entries = Entry.objects.filter(
        transaction__key=Concat(Value(f"{kind}:"), OuterRef("public_id"), output_field=CharField()),
        currency=OuterRef(currency),
        **{f"{side}__kind": account.value for side, account in sides.items()},
    )
    total = entries.order_by().values("transaction").annotate(total=Sum("amount_minor")).values("total")
    return Coalesce(Subquery(total, output_field=BigIntegerField()), 0)


def _files(runs: Iterable[PayRun]) -> dict[int, dict[tuple[str, bool], int]]:
    """Return what the files of each run add up to, by currency: those that move money, and the list of all payments."""
    rows = (
        PaymentFile.objects.filter(
            pay_run__in=[run.pk for run in runs], format__in=[*MOVES_MONEY, payments_csv.FORMAT]
        )
        .order_by()
        .values_list("pay_run", "currency", "format")
        .annotate(total=Sum("total_minor"))
    )
    found: dict[int, dict[tuple[str, bool], int]] = defaultdict(lambda: defaultdict(int))
    for run, currency, form, total in rows:
        found[run][currency, form in MOVES_MONEY] += total
    return found


def _fees(payments: QuerySet[Payment]) -> dict[int, dict[str, tuple[int, int]]]:
    """Return what banks took, by run and currency: what the ledger has, and what was told of single payments."""
    suffix = Case(
        When(outcome=ResultOutcome.SETTLED, then=Value("")), default=Concat(Value(":"), F("outcome"))
    )
    key = Concat(
        Value("payout_fee:"), F("payment__public_id"), suffix, output_field=CharField(max_length=120)
    )
    entries = Entry.objects.filter(
        transaction__key=OuterRef("key"),
        currency=OuterRef("fee_currency"),
        debit__kind=AccountKind.PAYOUT_FEES,
    )
    booked = entries.order_by().values("transaction").annotate(total=Sum("amount_minor")).values("total")
    rows = (
        PaymentResult.objects.filter(payment__in=payments.values("pk"), fee_minor__gt=0)
        .annotate(key=key)
        .annotate(booked=Coalesce(Subquery(booked, output_field=BigIntegerField()), 0))
        .order_by()
        .values_list("payment__pay_run", "fee_currency")
        .annotate(in_ledger=Sum("booked"), told=Sum("fee_minor"))
    )
    found: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
    for run, currency, in_ledger, told in rows:
        found[run][currency] = (in_ledger, told)
    return found


def _one(
    run: PayRun,
    rows: Sequence[Row],
    files: Mapping[tuple[str, bool], int],
    fees: Mapping[str, tuple[int, int]],
) -> Reconciliation:
    if run.state not in OUT:
        nothing = Money(0, run.currency)
        return Reconciliation(run, nothing, nothing, nothing, nothing, (), ())
    by_currency = {row["sent_currency"]: row for row in rows}
    codes = sorted({*by_currency, *fees, *(currency for currency, _moves in files)})
    total = {name: Money(sum(row[f"sum_{name}"] for row in rows), run.currency) for name in _OF_BALANCE}
    said = {
        name: Money(sum(row[f"p_{name}"] for row in rows), run.currency)
        for name in ("gross", "withheld", "back")
    }
    stayed = Money(by_currency.get(run.currency, {}).get("sum_left", 0), run.currency)
    return Reconciliation(
        run=run,
        gross=total["gross"],
        withheld=total["withheld"],
        converted=total["converted"],
        came_back=total["back"],
        currencies=tuple(
            _in_currency(code, by_currency.get(code, {}), files, fees.get(code, (0, 0))) for code in codes
        ),
        comparisons=(
            Comparison(
                _("Ledger and what was approved"), total["gross"], Money(run.total_minor, run.currency)
            ),
            Comparison(_("Ledger and payments: left the balances"), total["gross"], said["gross"]),
            Comparison(_("Ledger and payments: tax withheld"), total["withheld"], said["withheld"]),
            Comparison(_("Ledger and payments: owed again"), total["back"], said["back"]),
            Comparison(
                _("Within the ledger: balances, tax and bank"),
                total["gross"] - total["withheld"] - total["converted"],
                stayed,
            ),
        ),
    )


def _in_currency(
    code: str, row: Row, files: Mapping[tuple[str, bool], int], fees: tuple[int, int]
) -> InCurrency:
    left, settled, failed, returned = (Money(row.get(f"sum_{name}", 0), code) for name in _OF_SENT)
    sent, waiting, paid, refused, back, by_hand = (
        Money(row.get(f"p_{name}", 0), code)
        for name in ("sent", "waiting", "settled", "failed", "returned", "other")
    )
    in_files, listed = Money(files.get((code, True), 0), code), Money(files.get((code, False), 0), code)
    in_ledger, told = Money(fees[0], code), Money(fees[1], code)
    return InCurrency(
        currency=code,
        left=left,
        in_files=in_files,
        by_hand=by_hand,
        settled=settled,
        failed=failed,
        returned=returned,
        on_its_way=waiting,
        fees=in_ledger,
        comparisons=(
            Comparison(_("Ledger and files for banks and providers"), left, in_files + by_hand),
            Comparison(_("Ledger and list of payments"), left, listed),
            Comparison(_("Ledger and payments: sent"), left, sent),
            Comparison(_("Ledger and payments: paid"), settled, paid),
            Comparison(_("Ledger and payments: refused"), failed, refused),
            Comparison(_("Ledger and payments: returned"), returned, back),
            Comparison(_("Ledger and payments: still on its way"), left - settled - failed, waiting),
            Comparison(_("Ledger and results: fees"), in_ledger, told),
        ),
    )
