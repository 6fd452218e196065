"""What the payouts app keeps when a person is erased, and what hinders. The books are not touched: they are what the law makes us keep. Nothing
is erased while money is owed in either direction, on its way, or in question."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from partners.erasing import learn_books
from partners.erasure import RETENTION_YEARS, Case, Kept, learn_eraser, learn_hindrance, learn_kept
from partners.models import Membership, Partner
from payouts import ledger
from payouts.choices import AccountKind, AdjustmentState, PaymentState
from payouts.models import (
    Account,
    Adjustment,
    Dispute,
    Payment,
    PaymentMethod,
    RiskCase,
    Statement,
    TaxProfile,
)
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.models import User

_OWED = (AccountKind.PENDING, AccountKind.PAYABLE, AccountKind.IN_PAYMENT)


def learn() -> None:
    """Name what this app removes, keeps and waits for."""
    learn_hindrance(hindrances)
    learn_eraser("payouts", erase, removes=removes)
    learn_books(has_books)
    learn_kept(
        Kept(
            gettext_lazy(
                "The ledger, commission lines, statements, invoices and payments, with the partner's legal name on them"
            ),
            format_lazy(
                gettext_lazy(
                    "Books and vouchers are kept {years} years after their year (GDPR, art. 17(3)(b))."
                ),
                years=RETENTION_YEARS,
            ),
            (
                "payouts.commission",
                "payouts.statement",
                "payouts.statementline",
                "payouts.invoice",
                "payouts.payment",
                "payouts.paymentresult",
                "payouts.transaction",
                "payouts.adjustment",
                "payouts.pause",
            ),
        ),
        Kept(
            gettext_lazy("Tax profiles, tax forms, agreements on self-billing"),
            gettext_lazy("Tax records, kept as long as the books."),
            ("payouts.taxprofile", "payouts.taxform", "payouts.selfbillingmandate"),
        ),
        Kept(
            gettext_lazy("Accounts that were paid to, encrypted"),
            gettext_lazy("They show where money went; kept as long as the books."),
            ("payouts.paymentmethod",),
        ),
        Kept(
            gettext_lazy("Questions about money and their answers"),
            gettext_lazy("They say why an amount was corrected, and belong to the books."),
            ("payouts.dispute", "payouts.disputemessage"),
        ),
        Kept(
            gettext_lazy("Cases about risk: signals, notes, answers and decisions"),
            gettext_lazy("They say why an amount was held or taken back, and belong to the books."),
            ("payouts.riskcase", "payouts.riskcaseline", "payouts.risknote", "payouts.risksignal"),
        ),
    )


def hindrances(case: Case) -> Iterator[str]:
    """Say what has to be settled first."""
    mine = Membership.objects.filter(partner__in=case.partner_ids)
    for account in Account.objects.filter(membership__in=mine, kind__in=_OWED).select_related("membership"):
        balance = ledger.balance(account)
        if balance.minor:
            yield _of_money(account.kind, balance)
    open_questions = Dispute.objects.open().filter(membership__in=mine).count()
    if open_questions:
        text = ngettext(
            "%(n)s question about money is open.", "%(n)s questions about money are open.", open_questions
        )
        yield text % {"n": open_questions}
    open_cases = RiskCase.objects.open().filter(membership__in=mine).count()
    if open_cases:
        text = ngettext("%(n)s case about risk is open.", "%(n)s cases about risk are open.", open_cases)
        yield text % {"n": open_cases}
    proposed = Adjustment.objects.filter(membership__in=mine, state=AdjustmentState.PROPOSED).count()
    if proposed:
        text = ngettext(
            "%(n)s adjustment waits for approval.", "%(n)s adjustments wait for approval.", proposed
        )
        yield text % {"n": proposed}
    queued = Payment.objects.filter(membership__in=mine, state=PaymentState.QUEUED).count()
    if queued:
        yield _("A pay run that is being prepared pays this partner.")


def _of_money(kind: str, balance: Money) -> str:
    amount = {"amount": str(balance)}
    if kind == AccountKind.IN_PAYMENT:
        return _("%(amount)s is on its way to the bank.") % amount
    if balance.minor < 0:
        return _("%(amount)s is owed to us: claim it or write it off first.") % amount
    return _("%(amount)s is still owed to the partner: pay it first.") % amount


def removes(case: Case) -> Iterator[str]:
    """Say what would go."""
    if PaymentMethod.objects.current().filter(partner__in=case.partner_ids).exists():
        yield _("The bank account is taken out of use; nothing is paid to it any more.")


def erase(case: Case, by: User, at: datetime) -> None:
    """Take accounts out of use; the books stay as they are."""
    PaymentMethod.objects.current().filter(partner__in=case.partner_ids).update(
        replaced_at=at, replaced_by=by
    )


def has_books(partner: Partner) -> bool:
    """Say whether the partner stands in statements or tax records."""
    statements = Statement.objects.filter(membership__partner=partner)
    return statements.exists() or TaxProfile.objects.filter(partner=partner).exists()
