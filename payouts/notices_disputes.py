"""Tell the two sides of a question what the other one wrote: staff who look after the partner, and of the partner's team whoever asked
besides those who look after money. Every message of a thread is told once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners.models import Member
from partners.readers import Reader, readers_of
from payouts.choices import AdjustmentState, DisputeCause, DisputeState
from payouts.notices import button, tell
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from payouts.models import Adjustment, Commission, Dispute, DisputeMessage


def tell_staff(dispute: Dispute, message: DisputeMessage) -> None:
    """Say that the partner asked, or wrote back, and by when an answer is promised."""
    first = dispute.messages.order_by("pk").values_list("pk", flat=True).first()
    for person in _staff_for(dispute):
        reader = Reader(person.email, person.language, person.get_full_name())
        context = _about(dispute, message, reader) | {
            "partner": dispute.membership.partner.name,
            "is_new": message.pk == first,
            "cause": DisputeCause(dispute.cause).label,
            **button(_("Open the question"), reverse("admin:payouts_dispute_change", args=[dispute.pk])),
        }
        _tell("question_asked", reader, message, context)


def tell_partner_of_answer(dispute: Dispute, message: DisputeMessage) -> None:
    """Say that the question was answered, or that something is needed to answer it."""
    for reader in _readers_for(dispute):
        context = _about(dispute, message, reader) | {
            "waits": dispute.state == DisputeState.WAITING_PARTNER,
            **_to_thread(dispute),
        }
        _tell("question_answered", reader, message, context)


def tell_partner_of_decision(dispute: Dispute, message: DisputeMessage, made: Adjustment | None) -> None:
    """Say how the question was decided and what was booked, or waits for a second person."""
    for reader in _readers_for(dispute):
        context = _about(dispute, message, reader) | {
            "is_accepted": dispute.state == DisputeState.ACCEPTED,
            "amount": l10n.money_text(made.amount, reader.locale) if made is not None else "",
            "is_booked": made is not None and made.state == AdjustmentState.POSTED,
            **_to_thread(dispute),
        }
        _tell("question_decided", reader, message, context)


def _staff_for(dispute: Dispute) -> Iterable[User]:
    """Return the partner's account manager; without one, everybody in finance."""
    manager = dispute.membership.partner.account_manager
    if manager is not None and policy.may(manager, "answer_disputes"):
        return [manager]
    return User.objects.filter(groups__name=policy.FINANCE, is_active=True, is_staff=True).order_by("pk")


def _readers_for(dispute: Dispute) -> list[Reader]:
    partner, asked = dispute.membership.partner, dispute.opened_by
    readers = {reader.email.casefold(): reader for reader in readers_of(partner)}
    # Whoever has left the team since reads nothing more of it.
    if asked.is_active and Member.objects.current().filter(partner=partner, user=asked).exists():
        mine = Reader(asked.email, asked.language, asked.get_full_name())
        readers.setdefault(mine.email.casefold(), mine)
    return list(readers.values())


def _about(dispute: Dispute, message: DisputeMessage, reader: Reader) -> dict[str, Any]:
    line, zone = dispute.commission, dispute.membership.program.zone
    promised = local_day(dispute.answer_by_at - dispute.answer_by_at.resolution, zone)
    return {
        "program": dispute.membership.program.name,
        **(_of_line(line, zone, reader) if line is not None else _of_order(dispute)),
        "asked_on": l10n.date_text(local_day(dispute.opened_at, zone), reader.locale),
        "answer_by": l10n.date_text(promised, reader.locale),
        "text": message.text,
    }


def _of_line(line: Commission, zone: tzinfo, reader: Reader) -> dict[str, Any]:
    return {
        "order": line.conversion.external_id if line.conversion is not None else "",
        "is_line": True,
        "line_amount": l10n.money_text(line.amount, reader.locale),
        "line_day": l10n.date_text(local_day(line.effective_at, zone), reader.locale),
    }


def _of_order(dispute: Dispute) -> dict[str, Any]:
    """Return what is asked about without a line: the order, as the partner named it when nobody knows it."""
    named = dispute.inquiry.get("asked", "") if dispute.inquiry.get("how") == "order" else ""
    order = dispute.conversion.external_id if dispute.conversion is not None else named
    # The subject says what it is about: an amount, or an order.
    about = order or dispute.membership.program.name
    return {"is_line": False, "order": order, "line_amount": about, "line_day": ""}


def _to_thread(dispute: Dispute) -> dict[str, Any]:
    return button(_("Open the question"), f"/portal/questions/{dispute.public_id}/")


def _tell(kind: str, reader: Reader, message: DisputeMessage, context: dict[str, Any]) -> None:
    tell(kind, reader, key=str(message.pk), about=message.dispute.public_id, context=context)
