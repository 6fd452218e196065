"""Decide about one balance: a payment with every figure the bank is told, or the reason why there is none. Tax is taken off the payment
first, of what in it is no VAT, and rounded once; what is left is converted and rounded once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from partners.choices import MembershipState
from payouts import fx
from payouts.choices import LeftOut
from payouts.models import FxRate, Payment, PaymentMethod, PayRun, PayRunException, Statement
from payouts.pay_runs.common import bank_id
from payouts.pay_runs.facts import Facts
from payouts.withheld import base_of
from prm.lib.ids import public_id
from prm.lib.money import Money
from tiers.choices import FxMoment

_GONE = (MembershipState.ENDED, MembershipState.TERMINATED, MembershipState.BANNED)


class _No(Exception):
    """There is no payment, and why."""

    def __init__(self, reason: LeftOut, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


@dataclass
class Decider:
    """Decides for one run; rates are looked up once for each pair and day."""

    run: PayRun
    at: datetime
    _of_a_day: dict[tuple[str, str, date], fx.Rate] = field(default_factory=dict)
    _frozen: dict[str, fx.Rate] = field(default_factory=dict)
    _rows: dict[fx.Rate, FxRate] = field(default_factory=dict)

    def decide(self, statement: Statement, facts: Facts) -> Payment | PayRunException | None:
        """Return the payment of what is owed by `statement`, why there is none, or nothing when nothing is owed."""
        amount = statement.closing + Money(facts.paid_since.get(statement.pk, 0), statement.currency)
        is_done = not amount or statement.pk in facts.paid
        if is_done and statement.membership_id not in facts.in_a_run:
            return None  # nothing is owed, or it is on its way
        try:
            return self._payment(statement, amount, facts)
        except _No as no:
            return PayRunException(
                pay_run=self.run,
                membership=statement.membership,
                amount_minor=amount.minor,
                reason=no.reason,
                detail=no.detail[:200],
            )

    def _payment(self, statement: Statement, amount: Money, facts: Facts) -> Payment:
        """Raises: _No."""
        self._ask_balance(statement, amount, facts)
        method = self._method(statement, facts)
        partner = statement.membership.partner_id
        if partner in facts.without_form:
            raise _No(LeftOut.NO_TAX_FORM, self.run.execute_on.isoformat())
        withholding = facts.withholdings.get(partner)
        base = base_of(amount, facts.vat.get(statement.membership_id, 0))
        withheld = base.portion(withholding.rate / Decimal(100) if withholding else Decimal(0))
        net = amount - withheld
        rate = self._rate(statement, amount, method)
        sent = net if rate is None else fx.convert(net, rate)
        if net.minor <= 0 or sent.minor <= 0:
            raise _No(LeftOut.NOTHING_AFTER_TAX)
        name = public_id("pay")
        return Payment(
            public_id=name,
            pay_run=self.run,
            membership=statement.membership,
            statement=statement,
            payment_method=method,
            amount_minor=amount.minor,
            currency=amount.currency,
            withheld_minor=withheld.minor,
            withholding=withholding,
            sent_minor=sent.minor,
            sent_currency=sent.currency,
            fx_rate=None if rate is None else self._row(rate),
            kind=method.kind,
            holder=method.holder,
            iban=method.iban,
            details=method.details,
            ending=method.ending,
            bic=method.bic,
            end_to_end_id=bank_id(name),
        )

    def _ask_balance(self, statement: Statement, amount: Money, facts: Facts) -> None:
        membership = statement.membership
        if membership.pk in facts.in_a_run:
            raise _No(LeftOut.ALREADY_IN_RUN)
        if amount.minor <= 0:
            raise _No(LeftOut.NEGATIVE)
        # Who has left is paid the rest, however little it is: there will be nothing it could be added to.
        minimum = Money(statement.facts["minimum_minor"], statement.currency)
        if amount < minimum and membership.state not in _GONE:
            raise _No(LeftOut.BELOW_MINIMUM, str(minimum))
        if membership.pk in facts.stopped:
            raise _No(LeftOut.MEMBERSHIP_PAUSED)
        stopped = facts.paused.get(membership.pk)
        if stopped:
            raise _No(LeftOut.PAUSED, "; ".join(pause.reason for pause in stopped))

    def _method(self, statement: Statement, facts: Facts) -> PaymentMethod:
        method = facts.methods.get(statement.membership.partner_id)
        if method is None:
            raise _No(LeftOut.NO_PAYMENT_METHOD)
        if not method.is_usable(at=self.at):
            zone = statement.membership.program.zone
            raise _No(LeftOut.METHOD_COOLING, f"{method.usable_at.astimezone(zone):%Y-%m-%d %H:%M}")
        return method

    def _rate(self, statement: Statement, amount: Money, method: PaymentMethod) -> fx.Rate | None:
        """Return the rate of the moment the program has chosen; None when nothing is converted."""
        program, quote = statement.membership.program, method.payout_currency
        if quote == amount.currency:
            return None
        frozen = statement.facts.get("fx")
        if (
            program.fx_moment == FxMoment.STATEMENT
            and frozen
            and (frozen["base"], frozen["quote"]) == (amount.currency, quote)
            and amount == statement.closing
        ):
            return self._from_facts(frozen)
        day = self.at.astimezone(program.zone).date()
        key = (amount.currency, quote, day)
        if key not in self._of_a_day:
            try:
                self._of_a_day[key] = fx.rate_for(amount.currency, quote, on=day)
            except fx.NoRate:
                raise _No(LeftOut.NO_FX_RATE, f"{amount.currency}/{quote} {day.isoformat()}") from None
        return self._of_a_day[key]

    def _from_facts(self, frozen: dict[str, object]) -> fx.Rate:
        name = f"{frozen['id']}:{frozen['exact']}:{frozen['on']}:{frozen['base']}:{frozen['quote']}"
        if name not in self._frozen:
            self._frozen[name] = fx.Rate.from_facts(frozen)
        return self._frozen[name]

    def _row(self, rate: fx.Rate) -> FxRate:
        if rate not in self._rows:
            self._rows[rate] = fx.kept(rate, at=self.at)
        return self._rows[rate]
