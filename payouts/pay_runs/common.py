"""What all verbs of a pay run share: the order of locks, the move from state to state, and the hash that an approval is bound to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts import statements
from payouts.choices import PayRunState, StatementState
from payouts.models import Payment, PayRun, Statement
from prm.lib.errors import Refused


class NotInState(Refused):
    message = _("This pay run is %(state)s; that is not possible any more.")

    def __init__(self, run: PayRun) -> None:
        super().__init__(params={"state": PayRunState(run.state).label})


def lock(run: PayRun) -> PayRun:
    """Return the run locked, its memberships first and in primary-key order, as every writer of partner money does it."""
    members = Payment.objects.filter(pay_run=run).values("membership")
    list(Membership.objects.lock().filter(pk__in=members).values_list("pk", flat=True))
    return PayRun.objects.lock().select_related("legal_entity").get(pk=run.pk)


def lock_draft(run: PayRun) -> PayRun:
    """Return the row of a run locked, while it is being computed; who needs memberships has locked them before.

    Raises: NotInState.
    """
    locked = PayRun.objects.lock().get(pk=run.pk)
    if locked.state != PayRunState.DRAFT:
        raise NotInState(locked)
    return locked


def move(run: PayRun, *, expected: Sequence[PayRunState], to: PayRunState, **columns: Any) -> None:
    """Move the run to another state if it is still where the caller thinks it is.

    Raises: NotInState.
    """
    moved = PayRun.objects.filter(pk=run.pk, state__in=expected).update(state=to, **columns)
    run.refresh_from_db()
    if not moved:
        raise NotInState(run)


def payments_of(run: PayRun) -> list[Payment]:
    """Return the payments of a run with all that files and mails read, in the order they were made.

    Those that were taken out of it are none of its payments any more.
    """
    found = Payment.objects.standing().filter(pay_run=run)
    rows = found.select_related("statement__period", "membership__partner", "membership__program", "fx_rate")
    return list(rows.order_by("pk"))


def totals(run: PayRun, payments: Sequence[Payment]) -> dict[str, Any]:
    """Return the columns of a run that follow from its payments."""
    return {
        "total_minor": sum(payment.amount_minor for payment in payments),
        "payment_count": len(payments),
        "sha256": content_hash(run, payments),
    }


def reopen_statement(payment: Payment) -> None:
    """Let the payment's statement wait for a payment again.

    With a later statement out, the money is part of that balance, or of the next one, and this one was carried over.
    """
    standing = statements.standing(payment.statement)  # another one when it was corrected since
    latest = Statement.objects.in_force().filter(membership=payment.membership_id, currency=payment.currency)
    has_later = latest.latest_first().first() != standing
    statements.move(standing, to=StatementState.CARRIED_OVER if has_later else StatementState.ISSUED)


def content_hash(run: PayRun, payments: Sequence[Payment]) -> str:
    """Return the SHA-256 of whom the run pays, how much before and after tax, at which rate, from and to which account, and when."""
    content = {
        "message_id": run.message_id,
        "execute_on": run.execute_on.isoformat(),
        "currency": run.currency,
        "from": [run.legal_entity.iban, run.legal_entity.bic],
        "payments": [
            [
                payment.end_to_end_id,
                payment.statement.number,
                payment.amount_minor,
                payment.currency,
                payment.withheld_minor,
                payment.sent_minor,
                payment.sent_currency,
                str(payment.fx_rate.rate) if payment.fx_rate else "",
                payment.kind,
                payment.holder,
                payment.iban,
                payment.bic,
                payment.details,
            ]
            for payment in payments
        ],
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def bank_id(public_id: str) -> str:
    """Return a public id in the letters banks take: no underscore, capitals."""
    return public_id.replace("_", "-").upper()
