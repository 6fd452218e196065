"""Take certificates of others as proof, grant credentials and revoke them. A credential that was given stays on record: it is revoked with a
reason the partner reads, and never deleted."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.core.files import File
from django.db import transaction
from django.http import FileResponse
from django.utils.translation import gettext_lazy as _

from partners import profile_fields as fields
from partners.certification import mails
from partners.certification.days import expiry
from partners.certification.learning import OtherRole, is_for
from partners.certification.staff import HasLeft, locked, may_manage
from partners.choices import CredentialSource, CredentialState
from partners.events import CredentialsChanged
from partners.models import Certification, Credential, Membership, Staff
from partners.own_team import refuse_own
from partners.uploads import checked
from prm import audit
from prm.accounts import policy
from prm.lib import uploads
from prm.lib.errors import Refused
from prm.lib.events import announce
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from prm.accounts.models import User

_FOLDER = "proofs"
_TYPES = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
LONGEST_ISSUER, LONGEST_NUMBER, LONGEST_REASON = 140, 60, 300
EXPIRED = "expired"
_FIRST_YEAR = 1900  # nobody who was certified before is at work


class NotYours(Refused):
    message = _("Owners, marketing and sales of the team hand certificates in, and people their own.")


class NotOurs(Refused):
    message = _("This partner is not in the program of the certification, or the certification is closed.")
    field = "certification"


class NoProofTaken(Refused):
    message = _("For this certification no certificates of others are taken: pass its courses.")
    field = "certification"


class FileMissing(Refused):
    message = _("Choose the certificate as a file.")
    field = "file"


class IssuerMissing(Refused):
    message = _("Write who issued the certificate, in up to 140 characters.")
    field = "issuer"


class NumberTooLong(Refused):
    message = _("The number of a certificate has up to 60 characters.")
    field = "number"


class InTheFuture(Refused):
    message = _("The certificate cannot have been earned after today.")
    field = "earned_on"


class OverAlready(Refused):
    message = _("This certificate is no longer valid: it ended on %(day)s.")
    field = "earned_on"


class EndsBeforeStart(Refused):
    message = _("The certificate has to end after it was earned.")
    field = "expires_on"


class WaitsAlready(Refused):
    message = _("A certificate of this person for this certification is being checked. Wait for the answer.")


class HeldAlready(Refused):
    message = _("This person holds the certification since that day already.")
    field = "earned_on"


class CheckedAlready(Refused):
    message = _("Somebody has checked this certificate by now. Look at it again.")


class ReasonMissing(Refused):
    message = _("Write a reason of up to 300 characters; the partner reads it.")
    field = "reason"


class NotValid(Refused):
    message = _("Only a valid credential can be revoked.")


@transaction.atomic
def hand_in_proof(
    certification: Certification,
    staff: Staff,
    *,
    file: File[bytes] | None,
    issuer: str,
    earned_on: date,
    by: User,
    at: datetime,
    number: str = "",
    expires_on: date | None = None,
) -> Credential:
    """Hand in a certificate of somebody else; it counts once we have checked it, until it ends or our own time is over.

    Raises: NotYours, HasLeft, NoProofTaken, OtherRole, IssuerMissing, NumberTooLong, InTheFuture, EndsBeforeStart, OverAlready,
        WaitsAlready, FileMissing, and what `uploads.checked` raises.
    """
    person = locked(staff)
    if not (may_manage(person.partner, by) or _is_own(person, by)):
        raise NotYours
    _refuse_unfit(certification, person)
    if not certification.takes_proof:
        raise NoProofTaken
    day = local_day(at, certification.program.zone)
    ends = _end(certification, earned_on, expires_on, today=day)
    values = {
        "issuer": _line(issuer, LONGEST_ISSUER, IssuerMissing, needed=True),
        "number": _line(number, LONGEST_NUMBER, NumberTooLong),
    }
    waiting = Credential.objects.filter(certification=certification, staff=person)
    if waiting.filter(state=CredentialState.WAITING).exists():
        raise WaitsAlready
    if file is None:
        raise FileMissing
    upload = checked(file)
    place = uploads.keep(_FOLDER, upload.content, upload.kind)
    try:
        credential = Credential.objects.create(
            certification=certification,
            staff=person,
            state=CredentialState.WAITING,
            source=CredentialSource.PROOF,
            earned_on=earned_on,
            expires_on=ends,
            proof=place,
            proof_name=upload.name,
            given_at=at,
            given_by=by,
            **values,
        )
        audit.record(by, "credential.proof_given", credential, at=at, certification=certification)
    except BaseException:
        uploads.discard(place)
        raise
    return credential


@transaction.atomic
def check_proof(
    credential: Credential, *, accepted: bool, by: User, at: datetime, reason: str = ""
) -> Credential:
    """Accept a certificate of somebody else, or say why not.

    Raises: Forbidden, OwnTeam, CheckedAlready, ReasonMissing, OverAlready, HeldAlready, HasLeft.
    """
    policy.require(by, "manage_courses")
    row = _locked(credential)
    refuse_own(row.staff.partner_id, by)
    if row.state != CredentialState.WAITING:
        raise CheckedAlready
    row.reason = "" if accepted else _line(reason, LONGEST_REASON, ReasonMissing, needed=True)
    if accepted:
        if row.staff.left_at is not None:
            raise HasLeft
        _refuse_over(row.expires_on, local_day(at, row.certification.program.zone))
        _refuse_held(row.certification, row.staff, row.earned_on)
    row.state = CredentialState.VALID if accepted else CredentialState.REFUSED
    row.decided_at, row.decided_by = at, by
    row.save(update_fields=["state", "reason", "decided_at", "decided_by"])
    audit.record(by, "credential.proof_accepted" if accepted else "credential.proof_refused", row, at=at)
    mails.proof_checked(row)
    if accepted:
        announce(CredentialsChanged(row.staff.partner_id))
    return row


@transaction.atomic
def grant(
    certification: Certification, staff: Staff, *, by: User, at: datetime, earned_on: date | None = None
) -> Credential:
    """Certify somebody by our own knowledge, such as after a course in person.

    Raises: Forbidden, OwnTeam, HasLeft, NotOurs, OtherRole, InTheFuture, OverAlready, HeldAlready.
    """
    policy.require(by, "manage_courses")
    person = locked(staff)
    refuse_own(person.partner_id, by)
    _refuse_unfit(certification, person)
    today = local_day(at, certification.program.zone)
    earned = earned_on or today
    ends = _end(certification, earned, None, today=today)
    _refuse_held(certification, person, earned)
    credential = Credential.objects.create(
        certification=certification,
        staff=person,
        state=CredentialState.VALID,
        source=CredentialSource.GRANTED,
        earned_on=earned,
        expires_on=ends,
        given_at=at,
        given_by=by,
        decided_at=at,
        decided_by=by,
    )
    audit.record(by, "credential.granted", credential, at=at, certification=certification)
    mails.earned(credential)
    announce(CredentialsChanged(person.partner_id))
    return credential


@transaction.atomic
def revoke(credential: Credential, *, reason: str, by: User, at: datetime) -> Credential:
    """Take a credential away, from now on, with a reason the partner reads.

    Raises: Forbidden, NotValid, ReasonMissing.
    """
    policy.require(by, "manage_courses")
    row = _locked(credential)
    if row.state != CredentialState.VALID:
        raise NotValid
    row.reason = _line(reason, LONGEST_REASON, ReasonMissing, needed=True)
    row.state, row.revoked_at, row.revoked_by = CredentialState.REVOKED, at, by
    row.save(update_fields=["reason", "state", "revoked_at", "revoked_by"])
    audit.record(by, "credential.revoked", row, at=at)
    mails.revoked(row)
    announce(CredentialsChanged(row.staff.partner_id))
    return row


def state_on(credential: Credential, day: date) -> str:
    """Return the state of a credential on a day, which is `EXPIRED` when only its time is over."""
    is_over = credential.expires_on is not None and credential.expires_on <= day
    return EXPIRED if credential.state == CredentialState.VALID and is_over else credential.state


def attachment(credential: Credential) -> FileResponse:
    """Return the certificate as a download; the caller has asked who is asking."""
    return uploads.attachment(credential.proof, credential.proof_name, types=_TYPES)


def _locked(credential: Credential) -> Credential:
    # The person's row goes first, as everywhere.
    person = locked(credential.staff)
    rows = Credential.objects.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("certification__program", "given_by").get(pk=credential.pk)
    row.staff = person
    return row


def _is_own(person: Staff, user: User) -> bool:
    return person.member is not None and person.member.ended_at is None and person.member.user_id == user.pk


def _refuse_unfit(certification: Certification, person: Staff) -> None:
    if person.left_at is not None:
        raise HasLeft
    here = Membership.objects.filter(
        partner=person.partner_id, program=certification.program_id, ended_at=None
    )
    if certification.retired_at is not None or not here.exists():
        raise NotOurs
    if not is_for(certification.roles, person.role):
        raise OtherRole


def _refuse_held(certification: Certification, person: Staff, earned_on: date) -> None:
    held = Credential.objects.filter(certification=certification, staff=person, earned_on=earned_on)
    if held.filter(state=CredentialState.VALID).exists():
        raise HeldAlready


def _end(certification: Certification, earned_on: date, told: date | None, *, today: date) -> date | None:
    """Return the first day a certificate counts no more: its own end or that of our time, whatever is first."""
    if earned_on > today:
        raise InTheFuture
    if earned_on.year < _FIRST_YEAR:
        raise OverAlready(params={"day": earned_on.isoformat()})
    if told is not None and told <= earned_on:
        raise EndsBeforeStart
    ours = expiry(certification, earned_on)
    ends = min((day for day in (ours, told) if day is not None), default=None)
    _refuse_over(ends, today)
    return ends


def _refuse_over(ends: date | None, today: date) -> None:
    if ends is not None and ends <= today:
        raise OverAlready(params={"day": ends.isoformat()})


def _line(text: str, longest: int, refusal: type[Refused], *, needed: bool = False) -> str:
    try:
        line = fields.one_line(text, longest=longest)
    except Refused as error:
        raise refusal from error
    if needed and not line:
        raise refusal
    return line
