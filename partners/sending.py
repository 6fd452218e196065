"""Send an application. A draft becomes one application however often and by how many requests it is sent, there is one undecided
application per mailbox and program, and a stranger cannot learn from our answer whether a mailbox is known."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partners import clause_questions, drafts, launching, mails, mails_applying, tokens
from partners import terms as terms_of
from partners.application_forms import publishing
from partners.application_forms.definition import CHECK, read
from partners.applications import (
    AlreadyApplied,
    AlreadyMember,
    NotYet,
    ProgramClosed,
    TermsChanged,
    TooManyTries,
    begin_to_count,
    decide_on,
)
from partners.choices import ApplicationState, MembershipState
from partners.drafts import DraftGone
from partners.events import ApplicationSubmitted
from partners.models import Application, Membership, TermsVersion
from prm import audit
from prm.accounts import people
from prm.accounts.emails import fold_email
from prm.audit.models import AuditEvent
from prm.lib import ids
from prm.lib.errors import Refused
from prm.lib.events import announce
from prm.lib.periods import local_day
from tiers.models import Program

TRIES_AN_HOUR = 10
# Living with us or thrown out: in either case a new application changes nothing.
_NO_NEED = [state for state in MembershipState.values if state not in ("ended", "terminated")]
Known = AlreadyApplied | AlreadyMember | NotYet


class NotComplete(Refused):
    message = _("Some questions are not answered yet.")


class QuestionWaits(Refused):
    message = _(
        "Your question about the terms is not answered yet. We write to you when it is; then you can accept and send."
    )
    field = "terms"


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


def receive(token: str, *, terms: TermsVersion | None, at: datetime, address: str | None = None) -> Receipt:
    """Send the draft that `token` opens and answer everybody alike; a known mailbox gets the truth by mail.

    Raises: DraftGone, ProgramClosed, TermsChanged, NotComplete, QuestionWaits, TooManyTries.
    """
    named = tokens.draft_named_by(token)
    found = drafts.find(token)
    if found is None:
        return _receipt_of(named, at)
    if terms is None:
        raise TermsChanged
    try:
        return _send_locked(found, terms=terms, at=at, address=address)
    except DraftGone:
        # Somebody sent the same draft a moment ago, in another request.
        return _receipt_of(found.public_id, at)


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
    """Store an application whose answers are known already, and return it with the word of its status link.

    Raises: ProgramClosed, TermsChanged, AlreadyApplied, AlreadyMember, NotYet.
    """
    _refuse_closed(program, terms, at)
    refuse_known(program, fold_email(answers.email), at)
    public_id = reference or ids.public_id("app")
    draft = Application.objects.create(
        public_id=public_id,
        program=program,
        form=publishing.in_use(program, at=at),
        partnership_type=program.partnership_type,
        email_folded=fold_email(answers.email),
        source=source[:80],
        address=address,
        token_sha256=tokens.digest(tokens.first_draft_token(public_id)),
        created_at=at,
        changed_at=at,
        **asdict(answers),
    )
    application = _sent(draft, terms=terms, at=at, address=address)
    return application, tokens.status_token(application)


def refuse_too_many(program: Program, *, address: str | None, at: datetime) -> None:
    """Stop an address that has sent the form too often within the hour.

    Raises: TooManyTries.
    """
    if address is None:
        return
    since = at - timedelta(hours=1)
    taken = Application.objects.filter(address=address, submitted_at__gt=since)
    refused = AuditEvent.objects.filter(
        action="application.repeated", at__gt=since, details__network=tokens.network_mark(address)
    ).values_list("at", flat=True)
    tries = sorted([*(each for each in taken.values_list("submitted_at", flat=True) if each), *refused])
    if len(tries) >= TRIES_AN_HOUR:
        free_at = tries[-TRIES_AN_HOUR] + timedelta(hours=1, minutes=1)
        raise TooManyTries(params={"time": timezone.localtime(free_at, program.zone).strftime("%H:%M")})


def refuse_known(program: Program, folded: str, at: datetime) -> None:
    """Refuse a mailbox that has applied, is in the program, or was asked to come back later.

    Raises: AlreadyApplied, AlreadyMember, NotYet.
    """
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


@transaction.atomic
def _send_locked(found: Application, *, terms: TermsVersion, at: datetime, address: str | None) -> Receipt:
    waiting = Application.objects.lock().filter(pk=found.pk, state=ApplicationState.DRAFT)
    draft = waiting.select_related("program", "form").first()
    if draft is None:
        raise DraftGone
    program = draft.program
    refuse_too_many(program, address=address, at=at)
    _refuse_closed(program, terms, at)
    _refuse_gaps(draft)
    if clause_questions.open_of(draft).exists():
        raise QuestionWaits
    receipt = Receipt(draft.public_id, decide_on(program, at))
    try:
        refuse_known(program, draft.email_folded, at)
        _sent(draft, terms=terms, at=at, address=address)
    except (AlreadyApplied, AlreadyMember, NotYet) as refusal:
        _tell_the_mailbox(draft, refusal, at=at, address=address)
        drafts.throw_away(draft)
    return receipt


def _receipt_of(public_id: str, at: datetime) -> Receipt:
    """Return what was said when the draft was sent, whether it became an application or the mailbox was known.

    Raises: DraftGone when neither happened.
    """
    sent = Application.objects.filter(public_id=public_id, submitted_at__isnull=False).select_related(
        "program"
    )
    application = sent.first()
    if application is not None and application.submitted_at is not None:
        return Receipt(public_id, decide_on(application.program, application.submitted_at))
    repeated = AuditEvent.objects.filter(
        action="application.repeated", details__reference=public_id, at__gt=at - timedelta(days=1)
    )
    event = repeated.first() if public_id else None
    if event is None:
        raise DraftGone
    return Receipt(public_id, date.fromisoformat(event.details["decide_on"]))


def _refuse_closed(program: Program, terms: TermsVersion, at: datetime) -> None:
    if not launching.takes_applications(program, at=at):
        raise ProgramClosed
    if terms_of.for_newcomers(program, at) != terms:
        raise TermsChanged


def _refuse_gaps(draft: Application) -> None:
    steps = read(draft.form.definition).steps() if draft.form is not None else (CHECK,)
    if draft.furthest_step < len(steps) - 1 or not draft.email_folded or not draft.full_name:
        raise NotComplete


def _sent(draft: Application, *, terms: TermsVersion, at: datetime, address: str | None) -> Application:
    draft.state, draft.submitted_at, draft.changed_at = ApplicationState.SUBMITTED, at, at
    draft.address = address
    # The word of the draft opens nothing from now on; the new one is known to the mailbox alone.
    draft.token_sha256 = tokens.digest(tokens.first_status_token(draft.public_id))
    try:
        with transaction.atomic():
            draft.save(update_fields=["state", "submitted_at", "changed_at", "address", "token_sha256"])
    except IntegrityError:
        # The same mailbox sent another draft in the same moment.
        waiting = Application.objects.undecided().filter(
            program=draft.program_id, email_folded=draft.email_folded
        )
        other = waiting.exclude(pk=draft.pk).first()
        if other is None:
            raise
        draft.state, draft.submitted_at = ApplicationState.DRAFT, None
        raise AlreadyApplied(other) from None
    terms_of.accept(terms, name=draft.full_name, email=draft.email, at=at, application=draft, address=address)
    audit.record(None, "application.submitted", draft, at=at)
    announce(ApplicationSubmitted(draft.pk))
    if draft.email_confirmed_at is None:
        mails_applying.confirm(draft)
    else:
        begin_to_count(draft)  # the draft was gone on with by a link we mailed
    return draft


def _tell_the_mailbox(draft: Application, refusal: Known, *, at: datetime, address: str | None) -> None:
    program = draft.program
    known = None if isinstance(refusal, AlreadyMember) else refusal.application
    why = {AlreadyApplied: "waiting", AlreadyMember: "member", NotYet: "not_yet"}[type(refusal)]
    audit.record(
        None,
        "application.repeated",
        known or program,
        at=at,
        why=why,
        # The record is kept longer than anybody may know where a stranger sat; the limit only compares.
        network=tokens.network_mark(address) if address else None,
        reference=draft.public_id,
        decide_on=decide_on(program, at),
    )
    folded = tokens.digest(draft.email_folded)[:24]
    mails_applying.repeated(
        email=_known_mailbox(draft, known),
        language=draft.language,
        # A stranger can make us write to a mailbox once a day, not more.
        key=f"application-repeated:{program.public_id}:{folded}:{at:%Y-%m-%d}",
        why=why,
        program_name=program.name,
        url=mails.status_url(known) if known else mails.sign_in_url(),
        on=known.reapply_on if why == "not_yet" and known else None,
    )


def _known_mailbox(draft: Application, known: Application | None) -> str:
    """Return the address we know: the one typed may be another mailbox whose letters fold to the same."""
    if known is not None:
        return known.email
    account = people.find(draft.email)
    return account.email if account is not None else draft.email
