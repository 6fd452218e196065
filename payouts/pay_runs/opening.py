"""Open a pay run: an empty draft that says who pays, in which currency and when. It is stored the moment it is opened, so whoever leaves
comes back to it, and while one is being prepared there is no second one."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from payouts.choices import PayRunState
from payouts.exports.bank_days import next_bank_day
from payouts.models import PaymentMethod, PayRun
from payouts.pay_runs.common import bank_id
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.ids import public_id

if TYPE_CHECKING:
    from prm.accounts.models import User
    from tiers.models import LegalEntity

BEING_PREPARED = (PayRunState.DRAFT, PayRunState.CHECKED)


class NoAccountToPayFrom(Refused):
    message = _("%(entity)s has no IBAN to pay from. Add it to the legal entity first.")
    field = "legal_entity"


class BadDate(Refused):
    message = _("The payment date has passed.")
    field = "execute_on"


class NotABankDay(Refused):
    message = _("Banks do not pay on %(day)s. The next day they do is %(next)s.")
    field = "execute_on"


class OneAtATime(Refused):
    """Another run of the entity and currency is not approved yet."""

    message = _("Pay run %(run)s is being prepared already. Go on with it, or cancel it first.")

    def __init__(self, run: PayRun) -> None:
        super().__init__(params={"run": run.message_id})
        self.run = run


def open(legal_entity: LegalEntity, *, currency: str, execute_on: date, by: User, at: datetime) -> PayRun:
    """Return a new draft without payments.

    Raises: Forbidden, BadDate, NotABankDay, NoAccountToPayFrom, OneAtATime.
    """
    policy.require(by, "prepare_pay_runs")
    if execute_on < at.date():
        raise BadDate
    best = next_bank_day(execute_on, currency, *_paid_in(legal_entity, currency))
    if best != execute_on:
        raise NotABankDay(params={"day": execute_on.isoformat(), "next": best.isoformat()})
    if not legal_entity.iban:
        raise NoAccountToPayFrom(params={"entity": legal_entity.name})
    under_way = being_prepared(legal_entity, currency)
    if under_way is not None:
        raise OneAtATime(under_way)
    name = public_id("prn")
    try:
        with transaction.atomic():
            run = PayRun.objects.create(
                public_id=name,
                legal_entity=legal_entity,
                currency=currency,
                execute_on=execute_on,
                message_id=bank_id(name),
                prepared_at=at,
                prepared_by=by,
            )
            audit.record(by, "pay_run.opened", run, at=at, currency=currency)
    except IntegrityError:
        # Somebody opened one between the look and the write: theirs counts.
        under_way = being_prepared(legal_entity, currency)
        if under_way is None:
            raise
        raise OneAtATime(under_way) from None
    return run


def being_prepared(legal_entity: LegalEntity, currency: str) -> PayRun | None:
    """Return the run of the entity and currency that waits to be computed, checked or approved."""
    return PayRun.objects.filter(
        legal_entity=legal_entity, currency=currency, state__in=BEING_PREPARED
    ).first()


def _paid_in(legal_entity: LegalEntity, currency: str) -> list[str]:
    """Return the currencies that accounts of the entity's partners receive: their banks rest on days of their own."""
    accounts = PaymentMethod.objects.current().filter(
        currency=currency,
        partner__memberships__program__legal_entity=legal_entity,
        partner__memberships__program__currency=currency,
    )
    return list(accounts.order_by().values_list("payout_currency", flat=True).distinct())
