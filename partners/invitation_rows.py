"""An invitation into a program as a row: how its link is made and found, who may still answer it, and the own rates that belong to it.
The word in the link follows from the row and our secret key, so that a reminder can carry the same one."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from partners import tokens
from partners.choices import InvitationState
from partners.models import ProgramInvitation
from prm.lib.errors import Refused
from tiers import negotiation
from tiers.choices import VersionState
from tiers.models import PlanVersion

VALID_FOR = timedelta(days=30)
_SALT = "partners.invitation"
_REOPENS = (InvitationState.OPEN, InvitationState.COUNTERED, InvitationState.EXPIRED)


class Closed(Refused):
    message = _("This invitation is closed already.")


def find(token: str) -> ProgramInvitation | None:
    """Return the invitation whose link carries `token`, in whatever state it is."""
    found = ProgramInvitation.objects.filter(token_sha256=tokens.digest(token))
    return found.select_related("program__legal_entity", "tier", "invited_by", "membership").first()


def is_open(invitation: ProgramInvitation, *, at: datetime) -> bool:
    """Say whether the guest may answer at `at`."""
    return invitation.state == InvitationState.OPEN and invitation.expires_at > at


def lock_open(invitation: ProgramInvitation, *, at: datetime) -> ProgramInvitation:
    """Lock an invitation for what its guest does.

    Raises: Closed.
    """
    locked = _lock(invitation)
    if not is_open(locked, at=at):
        raise Closed
    return locked


def still_ours(invitation: ProgramInvitation) -> ProgramInvitation:
    """Lock an invitation for what staff does with it.

    Raises: Closed.
    """
    locked = _lock(invitation)
    if locked.state not in _REOPENS:
        raise Closed
    return locked


def _lock(invitation: ProgramInvitation) -> ProgramInvitation:
    rows = ProgramInvitation.objects.lock().select_related("program", "tier", "invited_by")
    return rows.get(pk=invitation.pk)


def close(locked: ProgramInvitation, state: InvitationState, *, at: datetime, reason: str = "") -> None:
    """End a locked invitation without a membership; own rates that wait in it are a draft again."""
    locked.state, locked.answered_at = state, at
    locked.save(update_fields=["state", "answered_at"])
    take_back(locked, reason=reason or str(state.label), at=at)


def take_back(locked: ProgramInvitation, *, reason: str, at: datetime) -> PlanVersion | None:
    """Make the own rates that wait in an invitation a draft again; return them, None when nothing waits."""
    waiting = proposed(locked)
    return None if waiting is None else negotiation.decline(waiting, reason=reason, by=None, at=at)


def versions_of(invitation: ProgramInvitation) -> QuerySet[PlanVersion]:
    """Return the own rates that were drafted or proposed with an invitation, the newest first."""
    found = PlanVersion.objects.filter(
        plan__program=invitation.program_id, member_key=invitation.membership_key
    )
    return found.select_related("plan__program", "proposed_by").order_by("-number")


def proposed(invitation: ProgramInvitation) -> PlanVersion | None:
    """Return the own rates the guest may accept."""
    return versions_of(invitation).filter(state=VersionState.PROPOSED).first()


def word_of(invitation: ProgramInvitation) -> str:
    """Return the word of the link again, for the next mail; it follows from the id, the moment it was sent and our secret key.

    A key that has been rotated out since makes no word that fits any more: then a new one takes its place.
    """
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        token = signed(invitation, key)
        if constant_time_compare(tokens.digest(token), invitation.token_sha256):
            return token
    token = signed(invitation, settings.SECRET_KEY)
    invitation.token_sha256 = tokens.digest(token)
    invitation.save(update_fields=["token_sha256"])
    return token


def signed(invitation: ProgramInvitation, key: str) -> str:
    """Return the word of the link an invitation has by `key`, from the moment it was sent."""
    assert invitation.sent_at is not None  # noqa: S101
    text = f"{invitation.public_id}:{invitation.sent_at.timestamp():.6f}"
    mac = salted_hmac(_SALT, text, secret=key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")
