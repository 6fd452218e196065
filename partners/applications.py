"""Take applications and what applicants do with them. There is one undecided application per mailbox and program, and a stranger
cannot learn from our answer whether a mailbox is known."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners import mails, tokens
from partners import terms as terms_of
from partners.choices import ApplicationState, MembershipState
from partners.events import ApplicationSubmitted
from partners.models import Application, ApplicationMessage, Membership, TermsVersion
from prm import audit
from prm.accounts.emails import fold_email
from prm.audit.models import AuditEvent
from prm.lib import ids
from prm.lib.errors import Refused
from prm.lib.events import announce
from prm.lib.periods import local_day, working_day_after
from tiers.models import Program

TRIES_AN_HOUR = 10
# Living with us or thrown out: in either case a new application changes nothing.
_NO_NEED = [state for state in MembershipState.values if state not in ("ended", "terminated")]


class ProgramClosed(Refused):
    message = _("This program takes no applications at the moment.")


class TermsChanged(Refused):
    message = _("The terms have changed since you read them. Read the new version and accept it.")
    field = "terms"


class TooManyTries(Refused):
    message = _("Too many tries. Try again at %(time)s.")


class AlreadyApplied(Refused):
    """An application of this mailbox is undecided."""

    message = _("You have applied to this program already.")
    field = "email"

    def __init__(self, application: Application) -> None:
        self.application = application
        super().__init__()


class AlreadyMember(Refused):
    message = _("You are in this program already.")
    field = "email"


class NotYet(Refused):
    """An earlier application was declined with a date before which it makes no sense to come back."""

    message = _("You may apply again from %(day)s on.")
    field = "email"

    def __init__(self, application: Application) -> None:
        self.application = application
        super().__init__(params={"day": application.reapply_on})


class AlreadyDecided(Refused):
    message = _("This application is closed already.")


class NothingWritten(Refused):
    message = _("Write a message first.")
    field = "text"


@dataclass(frozen=True)
class Answers:
    """What an applicant says about themselves."""

    full_name: str
    email: str
    phone: str
    company: str
    country: str
    website: str = ""
    audience: str = ""
    how_promote: str = ""
    language: str = "en"

    @classmethod
    def read(cls, values: dict[str, Any]) -> Answers:
        """Return the answers among `values`."""
        return cls(**{field.name: str(values[field.name]) for field in fields(cls) if field.name in values})


@dataclass(frozen=True)
class Receipt:
    """What everybody is told who sends the form."""

    reference: str
    decide_on: date


def decide_on(program: Program, at: datetime) -> date:
    """Return the day by which an application sent at `at` is decided: working days, Monday to Friday."""
    return working_day_after(local_day(at, program.zone), program.decision_days)


@transaction.atomic
def submit(
    program: Program,
    *,
    answers: Answers,
    terms: TermsVersion,
    at: datetime,
    address: str | None = None,
    source: str = "",
    reference: str = "",
) -> tuple[Application, str]:
    """Store an application with its acceptance of the terms, and return it with the word of its status link.

    Raises: ProgramClosed, TermsChanged, AlreadyApplied, AlreadyMember, NotYet.
    """
    if not program.is_open:
        raise ProgramClosed
    if terms_of.in_force(program, at) != terms:
        raise TermsChanged
    folded = fold_email(answers.email)
    _refuse_known(program, folded, at)
    application, token = _store(
        program, answers, folded, at=at, address=address, source=source, ref=reference
    )
    terms_of.accept(
        terms, name=answers.full_name, email=answers.email, at=at, application=application, address=address
    )
    audit.record(None, "application.submitted", application, at=at)
    mails.received(application, decide_on=decide_on(program, at))
    announce(ApplicationSubmitted(application.pk))
    return application, token


def receive(
    program: Program,
    *,
    answers: Answers,
    terms: TermsVersion,
    at: datetime,
    address: str | None = None,
    source: str = "",
    reference: str = "",
) -> Receipt:
    """Take the public form and answer everybody alike; a known mailbox gets the truth by mail.

    The same `reference` sent twice makes one application.

    Raises: ProgramClosed, TermsChanged, TooManyTries.
    """
    receipt = Receipt(reference or ids.public_id("app"), decide_on(program, at))
    if Application.objects.filter(program=program, public_id=receipt.reference).exists():
        return receipt
    refuse_too_many(program, address=address, at=at)
    try:
        submit(
            program,
            answers=answers,
            terms=terms,
            at=at,
            address=address,
            source=source,
            reference=receipt.reference,
        )
    except (AlreadyApplied, AlreadyMember, NotYet) as refusal:
        _tell_the_mailbox(program, answers, refusal, at=at, address=address, reference=receipt.reference)
    return receipt


def refuse_too_many(program: Program, *, address: str | None, at: datetime) -> None:
    """Stop an address that has sent the form too often within the hour.

    Raises: TooManyTries.
    """
    if address is None:
        return
    since = at - timedelta(hours=1)
    taken = Application.objects.filter(address=address, created_at__gt=since).values_list(
        "created_at", flat=True
    )
    refused = AuditEvent.objects.filter(
        action="application.repeated", at__gt=since, details__address=address
    ).values_list("at", flat=True)
    tries = sorted([*taken, *refused])
    if len(tries) >= TRIES_AN_HOUR:
        free_at = tries[-TRIES_AN_HOUR] + timedelta(hours=1, minutes=1)
        raise TooManyTries(params={"time": timezone.localtime(free_at, program.zone).strftime("%H:%M")})


def by_token(token: str) -> Application | None:
    """Return the application whose status link carries `token`."""
    return Application.objects.filter(token_sha256=tokens.digest(token)).select_related("program").first()


@transaction.atomic
def confirm_email(token: str, at: datetime) -> Application | None:
    """Note that the applicant reads the mailbox: the word in `token` was sent there and nowhere else."""
    application = by_token(token)
    if application is None:
        return None
    fresh = Application.objects.filter(pk=application.pk, email_confirmed_at=None)
    if fresh.update(email_confirmed_at=at):
        audit.record(None, "application.email_confirmed", application, at=at)
    application.refresh_from_db()
    return application


@transaction.atomic
def reply(application: Application, text: str, at: datetime) -> ApplicationMessage:
    """Add what the applicant writes; a question of ours counts as answered and the application waits for us again.

    Raises: NothingWritten, AlreadyDecided.
    """
    text = text.strip()
    if not text:
        raise NothingWritten
    locked = undecided(application)
    message = ApplicationMessage.objects.create(application=locked, written_at=at, text=text)
    if locked.state == ApplicationState.INFO_REQUESTED:
        locked.state = ApplicationState.IN_REVIEW
        locked.save(update_fields=["state"])
    audit.record(None, "application.replied", locked, at=at)
    return message


@transaction.atomic
def withdraw(application: Application, at: datetime) -> Application:
    """Close an application because the applicant wants so.

    Raises: AlreadyDecided.
    """
    locked = undecided(application)
    locked.state = ApplicationState.WITHDRAWN
    locked.save(update_fields=["state"])
    audit.record(None, "application.withdrawn", locked, at=at)
    return locked


def undecided(application: Application) -> Application:
    """Lock an application for a verb that needs it open.

    Raises: AlreadyDecided.
    """
    locked = Application.objects.lock().select_related("program").get(pk=application.pk)
    if locked.state not in ApplicationState.undecided():
        raise AlreadyDecided
    return locked


def _refuse_known(program: Program, folded: str, at: datetime) -> None:
    applications = Application.objects.filter(program=program, email_folded=folded)
    waiting = applications.undecided().first()
    if waiting is not None:
        raise AlreadyApplied(waiting)
    place = Q(partner__members__user__email_folded=folded, partner__members__ended_at=None)
    if Membership.objects.filter(place, program=program, state__in=_NO_NEED).exists():
        raise AlreadyMember
    today = local_day(at, program.zone)
    declined = applications.filter(reapply_on__gt=today).order_by("-reapply_on", "-pk").first()
    if declined is not None:
        raise NotYet(declined)


def _store(
    program: Program,
    answers: Answers,
    folded: str,
    *,
    at: datetime,
    address: str | None,
    source: str,
    ref: str,
) -> tuple[Application, str]:
    public_id = ref or ids.public_id("app")
    token = tokens.first_status_token(public_id)
    try:
        with transaction.atomic():
            application = Application.objects.create(
                public_id=public_id,
                program=program,
                state=ApplicationState.SUBMITTED,
                email_folded=folded,
                source=source[:80],
                address=address,
                token_sha256=tokens.digest(token),
                created_at=at,
                submitted_at=at,
                **asdict(answers),
            )
    except IntegrityError:
        # Somebody sent the same form a moment ago, in another request.
        waiting = Application.objects.undecided().filter(program=program, email_folded=folded).first()
        if waiting is None:
            raise
        raise AlreadyApplied(waiting) from None
    return application, token


@transaction.atomic
def _tell_the_mailbox(
    program: Program,
    answers: Answers,
    refusal: AlreadyApplied | AlreadyMember | NotYet,
    *,
    at: datetime,
    address: str | None,
    reference: str,
) -> None:
    known = None if isinstance(refusal, AlreadyMember) else refusal.application
    if known is not None and known.public_id == reference:
        return  # the same form twice, in two requests at once: it has been taken
    why = {AlreadyApplied: "waiting", AlreadyMember: "member", NotYet: "not_yet"}[type(refusal)]
    audit.record(None, "application.repeated", known or program, at=at, why=why, address=address)
    folded = tokens.digest(fold_email(answers.email))[:24]
    mails.repeated(
        email=answers.email,
        language=answers.language,
        # A stranger can make us write to a mailbox once a day, not more.
        key=f"application-repeated:{program.public_id}:{folded}:{at:%Y-%m-%d}",
        why=why,
        program_name=program.name,
        url=mails.status_url(known) if known else mails.sign_in_url(),
        on=known.reapply_on if why == "not_yet" and known else None,
    )
