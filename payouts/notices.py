"""Tell the people who look after a partner's money: its owners and finance members, or its contact address when there are none.
Every message has a key, so that a repeated verb tells nobody twice."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from partners.readers import Reader, readers_of
from payouts import bank_reasons
from payouts.explained.bridge import bridge_of
from prm.lib import l10n
from prm.lib.addresses import absolute
from prm.lib.money import Money
from prm.lib.periods import local_day
from prm.mail.outbox import queue

if TYPE_CHECKING:
    from payouts.models import Payment, Statement


def tell_statement_ready(statement: Statement) -> None:
    """Say that a statement is there, with its bridge and what happens next."""
    partner = statement.membership.partner
    for reader in readers_of(partner):
        context = {
            "program": statement.membership.program.name,
            "number": statement.number,
            "month": l10n.month_text(statement.period.as_month, reader.locale),
            "closing": money(statement.closing_minor, statement.currency, reader),
            "bridge": _bridge(statement, reader),
            "replaces": statement.corrects.number if statement.corrects is not None else "",
            "correction": statement.correction_reason,
            "due_on": l10n.date_text(statement.due_on, reader.locale) if statement.due_on else "",
            "minimum": money(statement.facts["minimum_minor"], statement.currency, reader),
            "is_negative": statement.closing_minor < 0,
            **button(_("Open your statements"), "/portal/statements/"),
        }
        tell("statement_ready", reader, key=statement.public_id, about=statement.public_id, context=context)


def _bridge(statement: Statement, reader: Reader) -> list[tuple[str, str]]:
    """Return the terms that lead from one balance to the next, in the reader's language."""
    with override(reader.language):
        return [
            (term.label, money(term.amount.minor, statement.currency, reader))
            for term in bridge_of(statement)
        ]


def tell_payment_sent(payment: Payment, *, at: datetime) -> None:
    """Say that money was paid, where to, for which statement and under which reference."""
    paid_on = local_day(at, payment.membership.program.zone)
    for reader in readers_of(payment.membership.partner):
        context = _of_payment(payment, reader) | {
            "paid_on": l10n.date_text(paid_on, reader.locale),
            "reference": payment.bank_reference or payment.end_to_end_id,
            **button(_("Open your statements"), "/portal/statements/"),
        }
        tell("payment_sent", reader, key=payment.public_id, about=payment.public_id, context=context)


def tell_payment_failed(payment: Payment) -> None:
    """Say that money came back, why, and that it is owed as before."""
    for reader in readers_of(payment.membership.partner):
        context = _of_payment(payment, reader) | {
            "reason": _reason(payment, reader),
            **button(_("Check your bank details"), "/portal/payment-details/"),
        }
        tell("payment_failed", reader, key=payment.public_id, about=payment.public_id, context=context)


def _of_payment(payment: Payment, reader: Reader) -> dict[str, Any]:
    return {
        "program": payment.membership.program.name,
        # What the bank was told: tax is taken off, and it may be another currency than the balance's.
        "amount": money(payment.sent_minor, payment.sent_currency, reader),
        "ending": payment.ending,
        "number": payment.statement.number,
    }


def _reason(payment: Payment, reader: Reader) -> str:
    """Return why it failed in the reader's language."""
    with override(reader.language):
        return bank_reasons.reason_of(payment)


def button(text: Promise, path: str) -> dict[str, Any]:
    return {"button_text": text, "button_url": absolute(path)}


def money(minor: int, currency: str, reader: Reader) -> str:
    return l10n.money_text(Money(minor, currency), reader.locale)


def tell(kind: str, reader: Reader, *, key: str, about: str, context: dict[str, Any]) -> None:
    queue(
        kind,
        to=reader.email,
        language=reader.language,
        key=f"{kind}:{key}:{reader.email.casefold()}",
        about=about,
        context={**context, "name": reader.name},
    )
