"""Say what a code gives its buyers and how long: a percentage or an amount off, how often, from when until when. What the shop grants is
the shop's to do; here it is kept, shown and handed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from prm.lib.money import Money

if TYPE_CHECKING:
    from referrals.models import Code

HUNDRED = Decimal(100)
CENTS = 2
MOST_USES = 2_147_483_647  # what the column holds


class BadPercent(Refused):
    """The percentage gives nothing, or more than the price."""

    message = _("A percentage lies above 0 and up to 100, with at most two decimals.")
    field = "discount_percent"


class BadAmount(Refused):
    """The amount takes nothing off, or is in another currency."""

    message = _("The amount is more than zero, in the currency of the program: %(currency)s.")
    field = "discount_amount"


class TwoDiscounts(Refused):
    """Percentage and amount at once."""

    message = _("A code takes off a percentage or an amount, not both.")
    field = "discount_amount"


class BadLimit(Refused):
    """The limit is none, or the code was used more often already."""

    message = _("A limit is a whole number from 1 on, and not below how often the code was used: %(uses)s.")
    field = "use_limit"


class EndsTooSoon(Refused):
    """The end does not lie after the start."""

    message = _("The code has to end after it begins.")
    field = "ends_at"


@dataclass(frozen=True)
class Terms:
    """What a code gives; without anything it only names a partner."""

    percent: Decimal | None = None
    amount: Money | None = None
    use_limit: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def columns(self) -> dict[str, object]:
        """Return the terms by the names of a code's columns."""
        return {
            "discount_percent": self.percent,
            "discount_minor": self.amount.minor if self.amount is not None else None,
            "use_limit": self.use_limit,
            "starts_at": self.starts_at,
            "ends_at": self.ends_at,
        }


def require_sound(terms: Terms, *, currency: str, uses: int = 0) -> None:
    """Let terms through that can be kept.

    Raises: BadPercent, BadAmount, TwoDiscounts, BadLimit, EndsTooSoon.
    """
    if terms.percent is not None and not _is_percent(terms.percent):
        raise BadPercent
    if terms.amount is not None and (terms.amount.minor <= 0 or terms.amount.currency != currency):
        raise BadAmount(params={"currency": currency})
    if terms.percent is not None and terms.amount is not None:
        raise TwoDiscounts
    if terms.use_limit is not None and not max(1, uses) <= terms.use_limit <= MOST_USES:
        raise BadLimit(params={"uses": uses})
    if terms.starts_at is not None and terms.ends_at is not None and terms.ends_at <= terms.starts_at:
        raise EndsTooSoon


def of_code(code: Code, *, currency: str) -> Terms:
    """Return the terms a code has."""
    amount = Money(code.discount_minor, currency) if code.discount_minor is not None else None
    return Terms(code.discount_percent, amount, code.use_limit, code.starts_at, code.ends_at)


def is_usable(code: Code, *, at: datetime) -> bool:
    """Say whether a code earns at an instant: it is on, its days have begun and are not over, and uses are left."""
    return (
        code.is_active
        and code.retired_at is None
        and (code.starts_at is None or code.starts_at <= at)
        and (code.ends_at is None or at < code.ends_at)
        and (code.use_limit is None or code.uses < code.use_limit)
    )


def _is_percent(percent: Decimal) -> bool:
    if not percent.is_finite() or not 0 < percent <= HUNDRED:
        return False
    places = percent.normalize().as_tuple().exponent
    return isinstance(places, int) and places >= -CENTS
