"""What becomes of an application once it is sent: the mailbox is confirmed, the applicant replies or withdraws. It counts from the moment
we know that the applicant reads the mailbox, and a closed one stays closed."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners import mails_applying, tokens
from partners.choices import ApplicationState
from partners.events import ApplicationCounts
from partners.models import Application, ApplicationMessage
from prm import audit
from prm.accounts.emails import fold_email
from prm.lib.errors import Refused
from prm.lib.events import announce
from prm.lib.periods import local_day, working_day_after
from tiers.models import Program

LINK_DAYS = 90  # how long the applicant's link opens a closed application
UNCONFIRMED_DAYS = 14
LINKS_A_DAY = 3
REPLIES_A_DAY = 20


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


class TooManyMessages(Refused):
    message = _("You have sent %(count)s messages within a day. Go on tomorrow.")
    field = "text"


def decide_on(program: Program, at: datetime) -> date:
    """Return the day by which an application that counts from `at` on is decided: working days, Monday to Friday."""
    return working_day_after(local_day(at, program.zone), program.decision_days)


def by_token(token: str, *, at: datetime) -> Application | None:
    """Return the application whose status link carries `token`, None when it was closed too long ago."""
    found = Application.objects.filter(token_sha256=tokens.digest(token), submitted_at__isnull=False)
    application = found.select_related("program__legal_entity", "form").first()
    return application if application is not None and _is_open_to_see(application, at) else None


@transaction.atomic
def confirm_email(token: str, at: datetime) -> Application | None:
    """Note that the applicant reads the mailbox: the word in `token` was sent there and nowhere else.

    A closed application stays as it is.
    """
    found = by_token(token, at=at)
    if found is None:
        return None
    application = Application.objects.lock().select_related("program").get(pk=found.pk)
    if application.email_confirmed_at is None and application.state in ApplicationState.undecided():
        counts_already = application.counts_since is not None
        application.email_confirmed_at = at
        application.save(update_fields=["email_confirmed_at"])
        audit.record(None, "application.email_confirmed", application, at=at)
        if not counts_already:
            begin_to_count(application)
    return application


def begin_to_count(application: Application) -> None:
    """Promise a decision to the applicant, and tell who cares that there is something to decide."""
    since = application.counts_since
    assert since is not None  # noqa: S101
    mails_applying.received(application, decide_on=decide_on(application.program, since))
    announce(ApplicationCounts(application.pk))


def ask_to_confirm_again(program: Program, reference: str, *, at: datetime) -> None:
    """Send the mail that asks to confirm once more; nothing happens where there is nothing to confirm."""
    found = Application.objects.filter(
        program=program, public_id=reference, state=ApplicationState.SUBMITTED, email_confirmed_at=None
    )
    application = found.filter(entered_at=None).select_related("program").first()
    if application is not None:
        mails_applying.confirm_again(application, at=at)


@transaction.atomic
def send_links(email: str, *, at: datetime) -> None:
    """Mail fresh links to a mailbox: to its undecided applications and to its drafts. Nobody learns whether there are any."""
    folded = fold_email(email)
    if not folded:
        return
    states = (ApplicationState.DRAFT, *ApplicationState.undecided())
    mine = Application.objects.lock().filter(email_folded=folded, state__in=states, erased_at=None)
    for application in mine.select_related("program")[:LINKS_A_DAY]:
        mails_applying.fresh_link(application, most=LINKS_A_DAY, at=at)


@transaction.atomic
def reply(application: Application, text: str, at: datetime) -> ApplicationMessage:
    """Add what the applicant writes; a question of ours counts as answered and the application waits for us again.

    Raises: NothingWritten, AlreadyDecided, TooManyMessages.
    """
    text = text.strip()
    if not text:
        raise NothingWritten
    locked = undecided(application)
    own = locked.messages.filter(written_by=None, written_at__gt=at - timedelta(days=1))
    if own.count() >= REPLIES_A_DAY:
        raise TooManyMessages(params={"count": REPLIES_A_DAY})
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
    locked.state, locked.changed_at = ApplicationState.WITHDRAWN, at
    locked.save(update_fields=["state", "changed_at"])
    audit.record(None, "application.withdrawn", locked, at=at)
    return locked


def undecided(application: Application) -> Application:
    """Lock an application for a verb that needs it open.

    Raises: AlreadyDecided.
    """
    locked = Application.objects.lock().select_related("program").get(pk=application.pk)
    if locked.state not in ApplicationState.undecided() or locked.erased_at is not None:
        raise AlreadyDecided
    return locked


def _is_open_to_see(application: Application, at: datetime) -> bool:
    if application.erased_at is not None:
        return False
    if application.state in ApplicationState.undecided():
        return True
    closed_at = application.decided_at or application.changed_at or application.submitted_at
    return closed_at is not None and at < closed_at + timedelta(days=LINK_DAYS)
