"""What the books know of a partner, in a word each, for the page that compares two partners. Each line asks for the capability it needs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from partners.models import Partner
from payouts import ledger
from payouts.choices import AccountKind
from payouts.models import Account, PaymentMethod, Statement
from payouts.tax import profiles
from prm.accounts import policy
from prm.accounts.back_office import Panel, add_panels, money_text
from prm.accounts.models import User
from prm.lib.money import Money

_OWED = (AccountKind.PENDING, AccountKind.PAYABLE, AccountKind.IN_PAYMENT)


def compared(partner: Partner, by: User, at: datetime) -> Iterator[Panel]:
    """Return what is owed, how many statements there are, where it is paid and as what it is taxed."""
    if policy.may(by, "see_statements"):
        yield _line(_("Statements"), str(Statement.objects.filter(membership__partner=partner).count()))
    if policy.may(by, "see_commissions"):
        yield _line(_("Owed and not paid yet"), _owed(partner))
    if policy.may(by, "see_payment_methods"):
        methods = PaymentMethod.objects.current().filter(partner=partner).order_by("currency")
        yield _line(_("Paid to"), ", ".join(f"{each.currency}: {each}" for each in methods))
    if policy.may(by, "manage_tax"):
        profile = profiles.in_force(partner, at=at)
        yield _line(_("Taxed as"), str(profile) if profile else "")


def _line(title: str, text: str) -> Panel:
    return Panel(title, "", {"text": text or "–"})


def _owed(partner: Partner) -> str:
    sums: dict[str, Money] = {}
    for account in Account.objects.filter(membership__partner=partner, kind__in=_OWED).order_by(
        "currency", "pk"
    ):
        sums[account.currency] = sums.get(account.currency, Money(0, account.currency)) + ledger.balance(
            account
        )
    return ", ".join(money_text(each) for each in sums.values())


add_panels("partner_compared", compared)
