"""Notice that two partners are paid to one account. A signal stops nothing by itself: a person looks at it and clears it with a note,
and until then every pay run asks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from payouts.models import AccountSignal, PaymentMethod
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

LONGEST_NOTE = 200


class NoNote(Refused):
    message = _("Say what you found out, in up to 200 characters.")
    field = "note"


class AlreadyCleared(Refused):
    message = _("Somebody else has cleared this already.")


@transaction.atomic
def look_for(method: PaymentMethod, *, at: datetime) -> list[AccountSignal]:
    """Raise a signal for each other partner that is paid to the same account now; once for a pair of accounts.

    What is entered anew is looked at anew, also when the same two partners were cleared before.
    """
    _alone_with(method.account_index)
    others = (
        PaymentMethod.objects.current()
        .filter(account_index=method.account_index)
        .exclude(partner_id=method.partner_id)
        .order_by("pk")
    )
    found = []
    for other in others:
        pair = Q(method=method, other=other) | Q(method=other, other=method)
        if AccountSignal.objects.filter(pair).exists():
            continue
        signal = AccountSignal.objects.create(method=method, other=other, raised_at=at)
        audit.record(None, "account_signal.raised", signal, at=at, method=method, other=other)
        found.append(signal)
    return found


@transaction.atomic
def clear(signal: AccountSignal, *, note: str, by: User, at: datetime) -> AccountSignal:
    """Say that somebody looked and why one account at two partners is right; pay runs no longer ask.

    Raises: Forbidden, NoNote, AlreadyCleared.
    """
    policy.require(by, "confirm_payment_methods")
    text = " ".join(note.split())
    if not text or len(text) > LONGEST_NOTE:
        raise NoNote
    moved = AccountSignal.objects.filter(pk=signal.pk, cleared_at=None).update(
        cleared_at=at, cleared_by=by, note=text
    )
    if not moved:
        raise AlreadyCleared
    signal.refresh_from_db()
    audit.record(by, "account_signal.cleared", signal, at=at, note=text)
    return signal


def open_signals_for(method_ids: Iterable[int]) -> dict[int, list[AccountSignal]]:
    """Return the signals nobody has cleared by the account they concern, with both accounts and partners read."""
    wanted = set(method_ids)
    found: dict[int, list[AccountSignal]] = {}
    rows = (
        AccountSignal.objects.open()
        .filter(Q(method__in=wanted) | Q(other__in=wanted))
        .select_related("method__partner", "other__partner")
        .order_by("pk")
    )
    for signal in rows:
        for pk in {signal.method_id, signal.other_id} & wanted:
            found.setdefault(pk, []).append(signal)
    return found


def _alone_with(index: str) -> None:
    """Let two partners who enter one account at the same instant wait for each other, so that the second sees the first."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [index])
