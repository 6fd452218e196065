"""Set where a partner is paid, and take it away. A new account replaces the old one and waits before it is used; both the old and the
new contacts hear of every change, because changed bank details are how salaries and commissions get stolen."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.choices import TeamRole
from partners.models import Membership, Partner
from partners.readers import Reader
from payouts import notices_methods, signals_of_accounts
from payouts.choices import PaymentMethodKind, PaymentState
from payouts.models import Payment, PaymentMethod
from payouts.payment_methods.kinds import Account, checked
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.money import UnknownCurrency, exponent

if TYPE_CHECKING:
    from prm.accounts.models import User

COOLING_HOURS = 72


class BadHolder(Refused):
    message = _("Write the name of the account holder as the bank knows it, up to 70 characters.")
    field = "holder"


class BadCurrency(Refused):
    message = _("%(currency)s is not a currency we can pay in.")
    field = "currency"


class BadPayoutCurrency(Refused):
    message = _("%(currency)s is not a currency we can pay in.")
    field = "payout_currency"


class OnlyDollars(BadPayoutCurrency):
    message = _("A US bank account receives US dollars only.")


class NotYourMoney(Refused):
    message = _("Only an owner or a finance member of the partner may set its bank account.")


class NoLongerUsed(Refused):
    message = _("This account is not in use any more.")


class PaymentUnderWay(Refused):
    message = _(
        "A payment that is being prepared goes to this account. It can be removed once that payment has been sent or"
        " taken out of the pay run."
    )


@transaction.atomic
def add(
    partner: Partner,
    *,
    currency: str,
    holder: str,
    by: User,
    at: datetime,
    kind: str = PaymentMethodKind.BANK_IBAN.value,
    payout_currency: str = "",
    iban: str = "",
    bic: str = "",
    details: Mapping[str, str] | None = None,
) -> PaymentMethod:
    """Make this account the one `partner` is paid to from some days on when the balance is in `currency`, in place of the one before.

    The same account again changes nothing. Without `payout_currency` it receives the currency of the balance.

    Raises: NotYourMoney, BadHolder, BadCurrency, BadPayoutCurrency and its kind, and what `kinds.checked` raises.
    """
    require_may_set(partner, by)
    account = checked(kind, {**(details or {}), "iban": iban, "bic": bic}, partner_pk=partner.pk)
    name, receives = _checked_holder(holder), payout_currency or currency
    _check_currencies(currency, receives, account)
    partner = Partner.objects.lock().get(pk=partner.pk)
    before = PaymentMethod.objects.current().lock().filter(partner=partner, currency=currency).first()
    if before is not None and _is_same(before, account, name, receives):
        return before
    if before is not None:
        PaymentMethod.objects.filter(pk=before.pk, replaced_at=None).update(replaced_at=at, replaced_by=by)
    method = PaymentMethod.objects.create(
        partner=partner,
        currency=currency,
        payout_currency=receives,
        kind=account.kind,
        holder=name,
        iban=account.iban,
        details=account.details,
        ending=account.ending,
        account_index=account.index,
        bic=account.bic,
        added_at=at,
        added_by=by,
        usable_at=at + timedelta(hours=cooling_hours()),
    )
    shown = {"kind": account.kind, "ending": account.ending, "payout_currency": receives}
    audit.record(by, "payment_method.added", method, at=at, **shown, replaces=before)
    signals_of_accounts.look_for(method, at=at)
    notices_methods.tell_changed(method, also=_who_added(before))
    return method


@transaction.atomic
def remove(method: PaymentMethod, *, by: User, at: datetime) -> PaymentMethod:
    """Stop paying to an account without naming another one: balances in its currency wait until there is one.

    Raises: NotYourMoney, PaymentUnderWay, NoLongerUsed.
    """
    require_may_set(method.partner, by)
    # A pay run under preparation holds the memberships: it either sees the account gone, or this sees its payment.
    list(Membership.objects.lock().filter(partner_id=method.partner_id).values_list("pk", flat=True))
    Partner.objects.lock().get(pk=method.partner_id)
    if Payment.objects.filter(payment_method=method, state=PaymentState.QUEUED).exists():
        raise PaymentUnderWay
    moved = PaymentMethod.objects.filter(pk=method.pk, replaced_at=None).update(
        replaced_at=at, replaced_by=by
    )
    if not moved:
        raise NoLongerUsed
    method.refresh_from_db()
    audit.record(by, "payment_method.removed", method, at=at, kind=method.kind, ending=method.ending)
    notices_methods.tell_removed(method, by=by, also=_who_added(method))
    return method


def require_may_set(partner: Partner, by: User) -> None:
    """Let owners and finance members of the partner through, and staff who confirm payment methods.

    Raises: NotYourMoney.
    """
    roles = [TeamRole.OWNER, TeamRole.FINANCE]
    is_ours = partner.members.current().filter(user=by, role__in=roles).exists()
    if not is_ours and not policy.may(by, "confirm_payment_methods"):
        raise NotYourMoney


def cooling_hours() -> int:
    """Return how long a new account waits before money is sent there."""
    hours: int = getattr(settings, "PRM_METHOD_COOLING_HOURS", COOLING_HOURS)
    return hours


def _is_same(before: PaymentMethod, account: Account, holder: str, receives: str) -> bool:
    then = (
        before.kind,
        before.account_index,
        before.bic,
        before.details,
        before.holder,
        before.payout_currency,
    )
    return then == (account.kind, account.index, account.bic, account.details, holder, receives)


def _checked_holder(text: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > 70 or any(unicodedata.category(character)[0] == "C" for character in name):
        raise BadHolder
    return name


def _check_currencies(currency: str, receives: str, account: Account) -> None:
    for code, refusal in ((currency, BadCurrency), (receives, BadPayoutCurrency)):
        try:
            exponent(code)
        except UnknownCurrency as error:
            raise refusal(params={"currency": code[:10]}) from error
    if account.kind == PaymentMethodKind.US_ACCOUNT and receives != "USD":
        raise OnlyDollars


def _who_added(before: PaymentMethod | None) -> list[Reader]:
    if (
        before is None
        or not before.added_by.is_active
        or policy.may(before.added_by, "confirm_payment_methods")
    ):
        return []
    person = before.added_by
    return [Reader(person.email, person.language, person.get_full_name())]
