"""Amendments: what one partner and the operator agree beside the program's terms. Staff write and propose them, an owner of the partner's team
accepts or declines, and from the proposal on the text stands as it was."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext_lazy as _

from partners import mails_terms
from partners.choices import AmendmentState
from partners.models import Amendment, Membership
from partners.team import require_owner
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from prm.accounts.models import User

CAPABILITY = "manage_partners"
LONGEST_TITLE, LONGEST_TEXT, LONGEST_NOTE = 140, 20000, 2000


class NothingWritten(Refused):
    message = _("Give the amendment a title and a text.")
    field = "text"


class NotADraft(Refused):
    message = _("This amendment was proposed already: write a new one.")


class NotProposed(Refused):
    message = _("This amendment is no longer open.")


class Altered(Refused):
    message = _("What you read is not what is proposed. Read it again.")


class NoNote(Refused):
    message = _("Say why, in up to 2,000 characters.")
    field = "note"


class NotAheadOfUs(Refused):
    message = _("An amendment cannot be in force from a day that is over.")
    field = "effective_on"


class MembershipOver(Refused):
    message = _("This membership has ended: there is nothing to agree on.")


def of(membership: Membership) -> QuerySet[Amendment]:
    """Return every amendment of a membership, the newest first; drafts are for staff only."""
    found = Amendment.objects.filter(membership=membership)
    return found.select_related("proposed_by", "answered_by", "drafted_by").order_by("-number")


def shown_to_partner(membership: Membership) -> QuerySet[Amendment]:
    """Return the amendments that were proposed to the partner, the newest first."""
    return of(membership).filter(proposed_at__isnull=False)


@transaction.atomic
def draft(
    membership: Membership, *, title: str, text: str, effective_on: date | None, by: User, at: datetime
) -> Amendment:
    """Write a draft; nobody outside sees it.

    Raises: Forbidden, MembershipOver, NothingWritten.
    """
    policy.require(by, CAPABILITY)
    locked = _living(membership)
    title, text = _written(title, text)
    amendment = Amendment.objects.create(
        membership=locked,
        number=_next_number(locked),
        title=title,
        text=text,
        effective_on=effective_on,
        drafted_at=at,
        drafted_by=by,
    )
    audit.record(by, "amendment.drafted", amendment, at=at)
    return amendment


@transaction.atomic
def edit(
    amendment: Amendment, *, title: str, text: str, effective_on: date | None, by: User, at: datetime
) -> Amendment:
    """Write a draft anew.

    Raises: Forbidden, NotADraft, NothingWritten.
    """
    policy.require(by, CAPABILITY)
    locked = _in_state(amendment, AmendmentState.DRAFT, NotADraft)
    locked.title, locked.text = _written(title, text)
    locked.effective_on = effective_on
    locked.save(update_fields=["title", "text", "effective_on"])
    audit.record(by, "amendment.edited", locked, at=at)
    return locked


@transaction.atomic
def offer(amendment: Amendment, *, by: User, at: datetime) -> Amendment:
    """Propose a draft to the owners of the partner's team, who hear of it by mail.

    Raises: Forbidden, MembershipOver, NotADraft, NotAheadOfUs.
    """
    policy.require(by, CAPABILITY)
    membership = _living(amendment.membership)
    locked = _in_state(amendment, AmendmentState.DRAFT, NotADraft)
    if locked.effective_on and locked.effective_on < local_day(at, membership.program.zone):
        raise NotAheadOfUs
    _propose(locked, by=by, at=at)
    audit.record(by, "amendment.proposed", locked, at=at, fingerprint=locked.sha256)
    mails_terms.amendment_proposed(locked, membership)
    return locked


@transaction.atomic
def propose(
    membership: Membership, *, title: str, text: str, effective_on: date | None, by: User, at: datetime
) -> Amendment:
    """Write an amendment and propose it at once.

    Raises: Forbidden, MembershipOver, NothingWritten, NotAheadOfUs.
    """
    written = draft(membership, title=title, text=text, effective_on=effective_on, by=by, at=at)
    return offer(written, by=by, at=at)


@transaction.atomic
def accept_for(
    membership: Membership,
    *,
    title: str,
    text: str,
    effective_on: date | None,
    proposed_by: User,
    proposed_at: datetime,
    by: User,
    at: datetime,
    address: str | None = None,
) -> Amendment:
    """Keep as an accepted amendment what was proposed with an invitation and accepted with it.

    The caller has made sure that `by` accepted exactly this text. Raises: NothingWritten.
    """
    title, text = _written(title, text)
    amendment = Amendment.objects.create(
        membership=membership,
        number=_next_number(membership),
        title=title,
        text=text,
        effective_on=effective_on,
        drafted_at=proposed_at,
        drafted_by=proposed_by,
    )
    _propose(amendment, by=proposed_by, at=proposed_at)
    _answer(amendment, AmendmentState.ACCEPTED, by=by, at=at, address=address)
    audit.record(by, "amendment.accepted", amendment, at=at, fingerprint=amendment.sha256)
    return amendment


@transaction.atomic
def accept(
    amendment: Amendment, *, shown: str, by: User, at: datetime, address: str | None = None
) -> Amendment:
    """Accept, for the partner, the amendment that `shown` is the hash of; without a date it holds from today on.

    Raises: NotYours, MembershipOver, NotProposed, Altered.
    """
    membership = _living(amendment.membership)
    require_owner(membership.partner, by)
    locked = _in_state(amendment, AmendmentState.PROPOSED, NotProposed)
    if shown != locked.sha256:
        raise Altered
    _answer(locked, AmendmentState.ACCEPTED, by=by, at=at, address=address)
    audit.record(by, "amendment.accepted", locked, at=at, fingerprint=locked.sha256)
    mails_terms.amendment_answered(locked, membership, by=by)
    return locked


@transaction.atomic
def decline(
    amendment: Amendment, *, note: str, by: User, at: datetime, address: str | None = None
) -> Amendment:
    """Decline what is proposed and say why.

    Raises: NotYours, NotProposed, NoNote.
    """
    membership = (
        Membership.objects.lock().select_related("partner", "program").get(pk=amendment.membership_id)
    )
    require_owner(membership.partner, by)
    said = note.strip()
    if not said or len(said) > LONGEST_NOTE:
        raise NoNote
    locked = _in_state(amendment, AmendmentState.PROPOSED, NotProposed)
    _answer(locked, AmendmentState.DECLINED, by=by, at=at, note=said, address=address)
    audit.record(by, "amendment.declined", locked, at=at)
    mails_terms.amendment_answered(locked, membership, by=by)
    return locked


@transaction.atomic
def withdraw(amendment: Amendment, *, by: User, at: datetime) -> Amendment:
    """Take a proposal back before it is answered.

    Raises: Forbidden, NotProposed.
    """
    policy.require(by, CAPABILITY)
    locked = _in_state(amendment, AmendmentState.PROPOSED, NotProposed)
    locked.state = AmendmentState.WITHDRAWN
    locked.save(update_fields=["state"])
    audit.record(by, "amendment.withdrawn", locked, at=at)
    return locked


def fingerprint(amendment: Amendment) -> str:
    """Return the SHA-256 of what the amendment says, in a fixed order of words."""
    said = {
        "membership": amendment.membership.public_id,
        "number": str(amendment.number),
        "title": amendment.title,
        "text": amendment.text,
        "effective_on": amendment.effective_on.isoformat() if amendment.effective_on else "",
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _propose(amendment: Amendment, *, by: User, at: datetime) -> None:
    amendment.state, amendment.proposed_at, amendment.proposed_by = AmendmentState.PROPOSED, at, by
    amendment.sha256 = fingerprint(amendment)
    amendment.save(update_fields=["state", "proposed_at", "proposed_by", "sha256"])


def _answer(
    amendment: Amendment,
    state: AmendmentState,
    *,
    by: User,
    at: datetime,
    note: str = "",
    address: str | None = None,
) -> None:
    amendment.state, amendment.answered_at, amendment.answered_by = state, at, by
    amendment.answer_note, amendment.address = note, address
    amendment.save(update_fields=["state", "answered_at", "answered_by", "answer_note", "address"])


def _living(membership: Membership) -> Membership:
    locked = Membership.objects.lock().select_related("partner", "program").get(pk=membership.pk)
    if locked.ended_at is not None:
        raise MembershipOver
    return locked


def _in_state(amendment: Amendment, state: AmendmentState, refusal: type[Refused]) -> Amendment:
    locked = Amendment.objects.lock().get(pk=amendment.pk)
    if locked.state != state:
        raise refusal
    return locked


def _next_number(membership: Membership) -> int:
    newest: int | None = Amendment.objects.filter(membership=membership).aggregate(n=Max("number"))["n"]
    return (newest or 0) + 1


def _written(title: str, text: str) -> tuple[str, str]:
    title, text = " ".join(title.split()), text.replace("\r\n", "\n").strip()
    if not title or not text or len(title) > LONGEST_TITLE or len(text) > LONGEST_TEXT:
        raise NothingWritten
    return title, text
