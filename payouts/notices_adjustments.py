"""Tell the people who look after a partner's money what was added to its balance or taken from it by a person: how much, why, in which
words, and on which statement it will be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from partners.readers import readers_of
from payouts.notices import button, money, tell
from prm.lib import l10n

if TYPE_CHECKING:
    from payouts.models import Adjustment
    from prm.lib.money import Money


def tell_posted(adjustment: Adjustment, *, balance: Money) -> None:
    """Say what was booked; `balance` is what is ready to pay afterwards."""
    posted = adjustment.posted_in
    assert posted is not None  # noqa: S101 - it was just booked
    for reader in readers_of(adjustment.membership.partner):
        with translation.override(reader.language):
            words = {
                "kind": str(adjustment.get_kind_display()),
                "reason": str(adjustment.get_reason_display()),
            }
        context = {
            **words,
            "program": adjustment.membership.program.name,
            "note": adjustment.note,
            "amount": money(abs(adjustment.amount_minor), adjustment.currency, reader),
            "is_taken": adjustment.amount_minor < 0,
            "month": l10n.month_text(posted.period.as_month, reader.locale),
            "balance": money(balance.minor, balance.currency, reader),
            **button(_("See your bonuses and corrections"), "/portal/earnings/adjustments/"),
        }
        tell(
            "adjustment_posted",
            reader,
            key=adjustment.public_id,
            about=adjustment.public_id,
            context=context,
        )
