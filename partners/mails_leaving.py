"""Tell the owners of a team that their membership is suspended, goes on, or ends: from when on, why, what happens to the money, and whom
to write to who thinks it is wrong. What staff see before they press the button is made by the same lines."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners.choices import EndingKind, SanctionReason
from partners.mails import absolute, moment_text
from partners.readers import OWNERS, Reader, contact_of, readers_of
from partners.settlements import settlement
from prm.lib import l10n
from prm.mail import outbox

if TYPE_CHECKING:
    from partners.models import Ending, Membership, Suspension


def suspended(suspension: Suspension, membership: Membership, *, at: datetime) -> None:
    """Say that a membership is stopped."""
    _tell(
        "membership_suspended",
        membership,
        key=suspension.public_id,
        at=at,
        what="suspended",
        reason=suspension.reason,
        note=suspension.note,
        moment=suspension.suspended_at,
    )


def reinstated(suspension: Suspension, membership: Membership, *, at: datetime) -> None:
    """Say that a membership goes on, or that only its money is free again."""
    is_over = membership.ended_at is not None
    _tell(
        "membership_reinstated",
        membership,
        key=suspension.public_id,
        at=at,
        moment=at,
        is_over=is_over,
        what="",
    )


def announced(ending: Ending, membership: Membership, *, at: datetime) -> None:
    """Say that a membership ends, and when."""
    _tell_end("membership_notice", ending, membership, at=at)
    if ending.reason == SanctionReason.OWN_WISH:
        _tell_manager(ending, membership)


def cancelled(ending: Ending, membership: Membership, *, at: datetime) -> None:
    """Say that a membership does not end after all."""
    _tell("membership_notice_cancelled", membership, key=ending.public_id, at=at, moment=at, what="")


def ended(ending: Ending, membership: Membership, *, at: datetime) -> None:
    """Say that a membership is over."""
    _tell_end("membership_ended", ending, membership, at=at)
    if ending.reason == SanctionReason.OWN_WISH and ending.given_at == ending.effective_at:
        _tell_manager(ending, membership)


def preview(
    kind: str, membership: Membership, *, reason: str, note: str, what: str, moment: datetime, at: datetime
) -> tuple[str, str, list[str]]:
    """Return subject and text of a message as its first reader would get it, and who would get it."""
    to = _readers(membership)
    first = to[0] if to else Reader("", membership.partner.language, membership.partner.name)
    values = _context(membership, first, at=at, what=what, reason=reason, note=note, moment=moment)
    subject, text, _html = outbox.render(kind, context=values, language=first.language)
    return subject, text, [reader.email for reader in to]


def whom_to_write(membership: Membership) -> str:
    """Return the address for those who think that something is wrong."""
    manager = membership.partner.account_manager
    return membership.program.contact_email or (manager.email if manager is not None else "")


def _tell_end(kind: str, ending: Ending, membership: Membership, *, at: datetime) -> None:
    _tell(
        kind,
        membership,
        key=ending.public_id,
        at=at,
        what=ending.kind,
        reason=ending.reason,
        note=ending.note,
        moment=ending.effective_at,
    )


def _tell(kind: str, membership: Membership, *, key: str, at: datetime, **told: Any) -> None:
    for reader in _readers(membership):
        outbox.queue(
            kind,
            to=reader.email,
            key=f"{kind}:{key}:{reader.email.casefold()}",
            about=membership.public_id,
            language=reader.language,
            context=_context(membership, reader, at=at, **told),
        )


def _readers(membership: Membership) -> list[Reader]:
    return readers_of(membership.partner, OWNERS) or contact_of(membership.partner)


def _context(
    membership: Membership,
    reader: Reader,
    *,
    at: datetime,
    what: str,
    moment: datetime,
    reason: str = "",
    note: str = "",
    is_over: bool = False,
) -> dict[str, Any]:
    return {
        "program_name": membership.program.name,
        "partner_name": membership.partner.name,
        "name": reader.name,
        "from_text": moment_text(moment, membership, reader.locale),
        "own_wish": reason in (SanctionReason.OWN_WISH, SanctionReason.MERGED),
        "is_banned": what == EndingKind.BANNED,
        "is_over": is_over,
        "reason": SanctionReason(reason).label if reason else "",
        # Called while the message is written, in its reader's language.
        "money": (lambda: settlement(membership, what, at=at)) if what else [],
        "note": note,
        "contact": whom_to_write(membership),
        "button_url": absolute(reverse("portal:statements" if what in EndingKind.values else "portal:home")),
        "button_text": _("See your statements") if what in EndingKind.values else _("Open the portal"),
    }


def _tell_manager(ending: Ending, membership: Membership) -> None:
    manager = membership.partner.account_manager
    if manager is None or not manager.is_active:
        return
    outbox.queue(
        "membership_left",
        to=manager.email,
        key=f"membership_left:{ending.public_id}",
        about=membership.public_id,
        language=manager.language,
        context={
            "program_name": membership.program.name,
            "partner_name": membership.partner.name,
            "from_text": moment_text(ending.effective_at, membership, l10n.reader_locale(manager.language)),
            "button_url": absolute(reverse("admin:partners_membership_change", args=[membership.pk])),
            "button_text": _("Open the membership"),
        },
    )
