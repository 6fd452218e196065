"""Tell everybody who looks after a partner's money that the account it goes to has changed or was taken away: the team, the contact
address, and whoever set the account before, so that nobody can do it alone and unseen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from partners.readers import Reader, contact_of, readers_of
from payouts.notices import button, tell
from prm.lib import l10n

if TYPE_CHECKING:
    from partners.models import Partner
    from payouts.models import PaymentMethod
    from prm.accounts.models import User


def tell_changed(method: PaymentMethod, *, also: Iterable[Reader] = ()) -> None:
    """Say that another account is paid to from now on, to everybody who might not have done it."""
    for reader in _mailboxes(method.partner, also):
        context = {
            "by": str(method.added_by),
            "receives": method.payout_currency if method.payout_currency != method.currency else "",
            "usable_at": l10n.datetime_text(method.usable_at, method.usable_at.tzinfo, reader.locale)
            if method.usable_at.tzinfo
            else "",
        }
        _tell("bank_details_changed", method, reader, context)


def tell_removed(method: PaymentMethod, *, by: User, also: Iterable[Reader] = ()) -> None:
    """Say that nothing is paid to an account any more and that balances wait."""
    for reader in _mailboxes(method.partner, also):
        _tell("bank_details_removed", method, reader, {"by": str(by)})


def _mailboxes(partner: Partner, also: Iterable[Reader]) -> Iterable[Reader]:
    found = {reader.email.casefold(): reader for reader in (*also, *contact_of(partner))}
    found |= {reader.email.casefold(): reader for reader in readers_of(partner)}
    return found.values()


def _tell(kind: str, method: PaymentMethod, reader: Reader, context: dict[str, Any]) -> None:
    with translation.override(reader.language):
        account = str(method)
    tell(
        kind,
        reader,
        key=method.public_id,
        about=method.public_id,
        context={
            **context,
            "partner": method.partner.name,
            "account": account,
            "currency": method.currency,
            **button(_("Check your payment details"), "/portal/payment-details/"),
        },
    )
