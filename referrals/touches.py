"""Contacts that are told rather than clicked: deals, leads and introductions, by staff or by a server. Telling one again with the same
facts answers the same; it stays as it was told, and is withdrawn rather than changed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from partners.choices import MembershipState
from partners.models import Membership
from prm import audit
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.errors import Refused
from prm.lib.periods import local_day
from referrals import identity
from referrals.choices import TouchKind
from referrals.models import Customer, Touch
from referrals.reading import AHEAD

CAPABILITY = "manage_referrals"
LONGEST_REFERENCE = 60
LONGEST_NOTE = 200


class Told(NamedTuple):
    """The touch, and whether it was told for the first time."""

    touch: Touch
    is_new: bool


class UnknownKind(Refused):
    message = _("“%(kind)s” is no kind of contact: tell a deal, a lead or an introduction.")
    field = "kind"


class NoReference(Refused):
    message = _(
        "Give it a reference, at most 60 characters: orders name it, and the same one is never told twice."
    )
    field = "reference"


class BadHash(Refused):
    message = _("This is no SHA-256 in hexadecimal: 64 of the characters 0 to 9 and a to f.")
    field = "email_sha256"


class TwoAddresses(Refused):
    message = _("The e-mail address and the hash are not of the same address: tell one of them.")
    field = "email_sha256"


class NotActive(Refused):
    message = _("%(partner)s is not an active member of %(program)s, so nothing can be told for it.")
    field = "membership"


class InTheFuture(Refused):
    message = _("This lies in the future: tell what has happened.")
    field = "touched_at"


class BeforeJoining(Refused):
    message = _("%(partner)s joined on %(day)s: what was before that earns nothing.")
    field = "touched_at"


class OnlyDealsEnd(Refused):
    message = _("Only a deal is protected until a day; for other contacts the program's windows count.")
    field = "ends_on"


class EndsBeforeItBegins(Refused):
    message = _("The protection ends before the deal was made.")
    field = "ends_on"


class NoteTooLong(Refused):
    message = _("Keep the note under 200 characters.")
    field = "note"


class ToldDifferently(Refused):
    """The reference was told before with other facts; `differs` names them."""

    message = _(
        "%(reference)s was told before with other facts: %(differs)s. Withdraw it first, or take another reference."
    )
    field = "reference"

    def __init__(self, touch: Touch, differs: list[str]) -> None:
        self.touch, self.differs = touch, differs
        super().__init__(params={"reference": touch.reference, "differs": ", ".join(differs)})


class NoReasonGiven(Refused):
    message = _("Say why it is withdrawn: the partner may ask.")
    field = "because"


class WithdrawnAlready(Refused):
    message = _("This was withdrawn already.")


@transaction.atomic
def tell(
    membership: Membership,
    *,
    kind: str,
    reference: str,
    customer: Customer | None = None,
    email: str = "",
    email_sha256: str = "",
    touched_at: datetime,
    ends_on: date | None = None,
    note: str = "",
    by: User | None,
    at: datetime,
) -> Told:
    """Write down that a partner brought a lead, introduced somebody or registered a deal; `by` is nobody when a server told it with a
    key. Of an e-mail address only a key is kept.

    Raises: Forbidden, UnknownKind, NoReference, BadHash, TwoAddresses, NotActive, InTheFuture, BeforeJoining, OnlyDealsEnd,
        EndsBeforeItBegins, NoteTooLong, ToldDifferently.
    """
    if by is not None:
        policy.require(by, CAPABILITY)
    wanted = Touch(
        membership=membership,
        kind=_kind(kind),
        reference=_reference(reference),
        customer=customer,
        email_key=_email_key(email, email_sha256),
        touched_at=touched_at,
        ends_on=ends_on,
        note=note.strip(),
        recorded_at=at,
        recorded_by=by,
    )
    known = _standing(wanted)
    if known is not None:
        return Told(_same(known, wanted), is_new=False)
    _check(wanted, at=at)
    try:
        with transaction.atomic():
            wanted.save()
    except IntegrityError:
        known = _standing(wanted)
        if known is None:
            raise
        return Told(_same(known, wanted), is_new=False)
    audit.record(by, "touch.told", wanted, at=at, kind=wanted.kind, membership=membership)
    return Told(wanted, is_new=True)


@transaction.atomic
def withdraw(touch: Touch, *, because: str, by: User, at: datetime) -> Touch:
    """Let a touch count no more from now on; who was credited by it stays credited until somebody corrects that.

    Raises: Forbidden, NoReasonGiven, NoteTooLong, WithdrawnAlready.
    """
    policy.require(by, CAPABILITY)
    said = because.strip()
    if not said:
        raise NoReasonGiven
    if len(said) > LONGEST_NOTE:
        raise NoteTooLong(field="because")
    held = Touch.objects.lock().get(pk=touch.pk)
    if held.withdrawn_at is not None:
        raise WithdrawnAlready
    held.withdrawn_at, held.withdrawn_by, held.withdrawn_because = at, by, said
    held.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_because"])
    audit.record(by, "touch.withdrawn", held, at=at, note=said)
    return held


def _kind(kind: str) -> str:
    if kind not in TouchKind.values:
        raise UnknownKind(params={"kind": kind[:20]})
    return kind


def _reference(reference: str) -> str:
    said = reference.strip()
    if not said or len(said) > LONGEST_REFERENCE:
        raise NoReference
    return said


def _email_key(email: str, email_sha256: str) -> str:
    by_address = identity.email_key(email)
    if not email_sha256.strip():
        return by_address
    try:
        by_hash = identity.email_key_of_hash(email_sha256)
    except ValueError as error:
        raise BadHash from error
    if by_address and by_address != by_hash:
        raise TwoAddresses
    return by_hash


def _standing(wanted: Touch) -> Touch | None:
    rows = Touch.objects.standing().filter(membership=wanted.membership, kind=wanted.kind)
    return rows.filter(reference=wanted.reference).first()


def _same(known: Touch, wanted: Touch) -> Touch:
    """Return what was told before when it says the same; a note is no fact."""
    told = {
        "customer": known.customer_id == wanted.customer_id,
        "email": known.email_key == wanted.email_key,
        "touched_at": known.touched_at == wanted.touched_at,
        "ends_on": known.ends_on == wanted.ends_on,
    }
    differs = [name for name, is_same in told.items() if not is_same]
    if differs:
        raise ToldDifferently(known, differs)
    return known


def _check(wanted: Touch, *, at: datetime) -> None:
    membership = wanted.membership
    program = membership.program
    named: dict[str, object] = {"partner": membership.partner.name, "program": program.name}
    if membership.state != MembershipState.ACTIVE:
        raise NotActive(params=named)
    if wanted.touched_at > at + AHEAD:
        raise InTheFuture
    if wanted.touched_at < membership.joined_at:
        joined_on = local_day(membership.joined_at, program.zone)
        raise BeforeJoining(params={**named, "day": l10n.date_text(joined_on, l10n.active_locale())})
    if wanted.ends_on is not None and wanted.kind != TouchKind.DEAL:
        raise OnlyDealsEnd
    if wanted.ends_on is not None and wanted.ends_on < local_day(wanted.touched_at, program.zone):
        raise EndsBeforeItBegins
    if len(wanted.note) > LONGEST_NOTE:
        raise NoteTooLong
