"""Questions about who is credited for an order, asked with what the partner was told before. What they change is who is credited: the engine
makes the lines of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.files import File
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts import notices_disputes as notices
from payouts.choices import DisputeCause, DisputeState
from payouts.disputes import clock
from payouts.disputes.common import (
    AlreadyAsked,
    answered,
    checked_text,
    looked_at,
    move,
    require_may_ask,
    write,
)
from payouts.evidence import Evidence
from payouts.models import Dispute
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.money import Money
from referrals.attribution import correct
from referrals.attribution.correct import Share
from referrals.attribution.inquiry import Inquiry
from referrals.choices import CreditRole
from referrals.models import Conversion

if TYPE_CHECKING:
    from prm.accounts.models import User


_MILLION = 1_000_000  # shares have six decimals


class NotAboutCredit(Refused):
    message = _("This question is about a line: accept it with an amount.")


class WhichOrder(Refused):
    message = _("Enter the number of an order that was told to us.")
    field = "order"


def open_inquiry(
    membership: Membership,
    inquiry: Inquiry,
    *,
    conversion: str,
    text: str,
    by: User,
    at: datetime,
    evidence: File[bytes] | None = None,
) -> Dispute:
    """Ask why an order is not the partner's, with what it was told about it; `conversion` names one of what was found, or nothing for
    an order that was not.

    Who asks about the same order twice gets the question that is there.

    Raises: NotYourQuestion, BadText, AlreadyAsked, and what a file is refused for.
    """
    require_may_ask(membership.partner, by)
    said, file = checked_text(text), looked_at(evidence)
    story = inquiry.about(conversion)
    row = Conversion.objects.filter(public_id=conversion).first() if story is not None else None
    there = _there(membership, row)
    if there is not None:
        return _same(there, said, by=by)
    try:
        with transaction.atomic():
            return _write_down(membership, inquiry, row, said, by=by, at=at, file=file)
    except IntegrityError as refusal:
        # Somebody of the team asked between the look and the write.
        there = _there(membership, row)
        if there is None:
            raise
        try:
            return _same(there, said, by=by)
        except AlreadyAsked as asked:
            raise asked from refusal


def accept_with_credits(
    dispute: Dispute, *, credits: Sequence[Share], note: str, by: User, at: datetime, order: str = ""
) -> Dispute:
    """Say that the partner is right and credit the order as `credits` say; the engine makes the lines. `order` names it where the question
    does not.

    Raises: Forbidden, BadText, NotAboutCredit, WhichOrder, AlreadyDecided, and what a correction is refused for.
    """
    policy.require(by, "answer_disputes")
    said = checked_text(note, field="note")
    if dispute.commission_id is not None:
        raise NotAboutCredit
    conversion = order_of(dispute, order)
    with transaction.atomic():
        Membership.objects.lock().get(pk=dispute.membership_id)
        move(dispute, DisputeState.ACCEPTED, decided_at=at, decided_by=by, **answered(at))
        correct.correct(conversion, credits=credits, by=by, reason=said, at=at)
        Dispute.objects.filter(pk=dispute.pk).update(suggestion={"corrected": conversion.public_id})
        dispute.refresh_from_db(fields=["suggestion"])
        message = write(dispute, said, by=by, at=at, is_from_partner=False)
        audit.record(by, "dispute.accepted", dispute, at=at, conversion=conversion.public_id)
        notices.tell_partner_of_decision(dispute, message, None)
    return dispute


@transaction.atomic
def accept_with_share(
    dispute: Dispute, *, share: Decimal, note: str, by: User, at: datetime, order: str = ""
) -> Dispute:
    """Say that the partner is right and credit it with `share` of the order; who is credited keeps the proportions in what is left.

    Who that is is read under the order's lock: what somebody else has taken away meanwhile does not come back.

    Raises: as `accept_with_credits` does.
    """
    policy.require(by, "answer_disputes")
    Membership.objects.lock().get(pk=dispute.membership_id)
    conversion = Conversion.objects.lock().get(pk=order_of(dispute, order).pk)
    credits = shares_with(dispute, conversion, share)
    return accept_with_credits(dispute, credits=credits, note=note, by=by, at=at, order=order)


def shares_with(dispute: Dispute, conversion: Conversion, share: Decimal) -> list[Share]:
    """Return who is credited when the asking partner has `share` of an order, by largest remainder over millionths: the others keep their proportions in what is left, and who
    only helped stays."""
    now = correct.standing(conversion)
    mine = Membership.objects.select_related("partner", "program").get(pk=dispute.membership_id)
    others = [each for each in now if each.membership.pk != mine.pk and each.role != CreditRole.ASSISTED]
    helpers = [each for each in now if each.membership.pk != mine.pk and each.role == CreditRole.ASSISTED]
    rest = _MILLION - int(share * _MILLION)
    parts = (
        Money(rest, conversion.currency).allocate([each.share for each in others]) if others and rest else []
    )
    left = [
        Share(each.membership, Decimal(part.minor) / _MILLION, each.role)
        for each, part in zip(others, parts, strict=False)
        if part.minor
    ]
    return [Share(mine, share), *left, *helpers]


def order_of(dispute: Dispute, order: str = "") -> Conversion:
    """Return the order a question is about, or the only one with the number staff enters.

    Raises: WhichOrder.
    """
    if dispute.conversion is not None:
        return dispute.conversion
    named = list(Conversion.objects.filter(external_id=order.strip(), original_external_id="")[:2])
    if not order.strip() or len(named) != 1:
        raise WhichOrder
    return named[0]


def corrected_order(dispute: Dispute) -> Conversion | None:
    """Return the order whose credit was changed by accepting a question."""
    name = dispute.suggestion.get("corrected") if dispute.commission_id is None else None
    return Conversion.objects.filter(public_id=name).first() if name else None


def _there(membership: Membership, row: Conversion | None) -> Dispute | None:
    open_ones = Dispute.objects.open().filter(membership=membership, conversion=row, commission=None)
    return open_ones.order_by("pk").first() if row is not None else None


def _same(there: Dispute, said: str, *, by: User) -> Dispute:
    first = there.messages.order_by("pk").first()
    if there.opened_by_id != by.pk or first is None or first.text != said:
        raise AlreadyAsked
    return there


def _write_down(
    membership: Membership,
    inquiry: Inquiry,
    row: Conversion | None,
    said: str,
    *,
    by: User,
    at: datetime,
    file: Evidence | None,
) -> Dispute:
    dispute = Dispute.objects.create(
        membership=membership,
        conversion=row,
        inquiry=inquiry.as_json(),
        cause=DisputeCause.CREDIT,
        state=DisputeState.OPENED,
        opened_at=at,
        opened_by=by,
        answer_by_at=clock.answer_by(membership.program, at),
    )
    message = write(dispute, said, by=by, at=at, is_from_partner=True, file=file)
    audit.record(
        by, "dispute.opened", dispute, at=at, conversion=row.public_id if row else "", cause=dispute.cause
    )
    notices.tell_staff(dispute, message)
    return dispute
