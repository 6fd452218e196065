"""Add the VAT of a statement's net to the balance, and take the difference when a correction changes it. It is rounded once per
statement, half away from zero, on the sum of everything taxable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from partners.models import Membership
from payouts import ledger
from payouts.calendar import for_posting
from payouts.choices import AccountKind, MoveKind, TransactionKind
from payouts.models import Commission, Period, Statement, Transaction
from payouts.statements.movements import Moved
from payouts.tax import VatTerms, invoices, mentions, terms_for
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.models import User


@dataclass(frozen=True, slots=True)
class Charge:
    """The VAT of one statement: by which terms, as they stood when, on what, and how much. Without terms there is none."""

    terms: VatTerms | None
    as_of: datetime
    net: Money

    @property
    def amount(self) -> Money:
        """Return the VAT, with the sign of the net, rounded once."""
        return self.terms.vat_on(self.net) if self.terms is not None else Money(0, self.net.currency)

    def facts(self, language: str) -> dict[str, Any] | None:
        """Return what a statement freezes of it; the invoice is written from the same terms."""
        if self.terms is None:
            return None
        profile = self.terms.profile
        own_words = profile.exemption_reason if self.terms.mode == profile.vat_mode else ""
        words = mentions.no_vat(
            self.terms.mode, language=language, seller_country=profile.country_code, reason=own_words
        )
        return {
            "mode": str(self.terms.mode.value),
            "rate": format(self.terms.rate.normalize(), "f"),
            "note": words.reason,
            "as_of": self.as_of.isoformat(),
            "net_minor": self.net.minor,
            "vat_minor": self.amount.minor,
        }


def charge_of(membership: Membership, net: Money, *, as_of: datetime) -> Charge:
    """Return the VAT on `net` by the terms that were in force at an instant."""
    return Charge(terms_for(membership, at=as_of), as_of, net)


def last_instant_of(period: Period) -> datetime:
    """Return the instant whose terms a month's statement carries."""
    return period.ends_at - datetime.resolution


def net_of(commissions: Iterable[Commission], others: Iterable[Moved], currency: str) -> Money:
    """Return what VAT is charged on: commissions, less reversals, and what people added that is taxable."""
    lines = Money.total((line.amount for line in commissions), currency)
    return lines + Money.total((moved.amount for moved in others if moved.is_taxable), currency)


def post(membership: Membership, period: Period, charge: Charge, *, at: datetime) -> Moved | None:
    """Put the VAT of the month on the balance and return it as a line; nothing where there is none."""
    if charge.terms is None or not charge.amount:
        return None
    last_instant = last_instant_of(period)
    written = _post(
        membership,
        charge.amount,
        key=f"vat:{membership.pk}:{period.pk}",
        period=period,
        effective_at=last_instant,
        at=at,
    )
    return Moved(
        transaction_id=written.pk,
        effective_at=last_instant,
        kind=MoveKind.VAT,
        text="",
        amount=charge.amount,
        base=charge.net,
        rate=charge.terms.rate,
    )


def invoice(statement: Statement, *, at: datetime, by: User | None = None) -> None:
    """Issue the self-billed invoice of a statement, where the partner agreed to it."""
    if statement.facts["tax"] is not None:
        invoices.issue_for(statement, by=by, at=at)


def invoice_again(old: Statement, new: Statement, *, by: User, at: datetime) -> None:
    """Credit the self-billed invoice of a statement that was corrected, and issue the one of the statement in its place."""
    for issued in old.invoices.filter(credits=None).order_by("pk"):
        invoices.credit(issued, reason=new.correction_reason, by=by, at=at)
    invoice(new, at=at, by=by)


def post_difference(statement: Statement, difference: Money, *, by: User, at: datetime) -> Transaction | None:
    """Put what a correction changes about the VAT on the balance, in the month that is open now."""
    if not difference:
        return None
    membership = statement.membership
    return _post(
        membership,
        difference,
        key=f"vat-correction:{statement.public_id}",
        period=for_posting(membership.program, at),
        effective_at=at,
        at=at,
        by=by,
        reason=statement.number,
    )


def _post(
    membership: Membership,
    amount: Money,
    *,
    key: str,
    period: Period,
    effective_at: datetime,
    at: datetime,
    by: User | None = None,
    reason: str = "",
) -> Transaction:
    return ledger.post(
        key=key,
        kind=TransactionKind.VAT,
        period=period,
        effective_at=effective_at,
        at=at,
        by=by,
        reason=reason,
        moves=ledger.shift(
            down=ledger.program_account(membership.program, AccountKind.INPUT_VAT),
            up=ledger.partner_account(membership, AccountKind.PAYABLE),
            amount=amount,
        ),
    )
